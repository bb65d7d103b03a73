#!/usr/bin/env bash
# Starts and stops a private Docker engine, for machines without Docker. Its socket, images and containers are kept in the
# cache directory of the deployment tests, apart from any other engine. Needs root.
#
# usage: scripts/deploy/engine.sh start | stop | remove
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/paths.sh
engine=$DEPLOY_TOOLS/engine
binaries=$DEPLOY_TOOLS/trixie/root/usr
export PATH=$binaries/bin:$binaries/sbin:$PATH
export DOCKER_HOST=unix://$engine/docker.sock

is_running() { [ -S "$engine/docker.sock" ] && docker info >/dev/null 2>&1; }

case ${1:-} in
  start)
    if is_running; then exit 0; fi
    [ "$(id -u)" -eq 0 ] || { echo "engine: this needs root; run it as root or install Docker." >&2; exit 1; }
    scripts/deploy/tools.sh engine
    mkdir -p "$engine"
    setsid "$binaries/sbin/dockerd" --data-root "$engine/data" --exec-root "$engine/run" -H "$DOCKER_HOST" \
      --pidfile "$engine/pid" --bip 172.29.0.1/16 --default-address-pool base=172.30.0.0/16,size=24 \
      >"$engine/log" 2>&1 </dev/null &
    for _ in $(seq 120); do
      if is_running; then exit 0; fi
      sleep 0.5
    done
    echo "engine: dockerd does not start; the end of $engine/log:" >&2
    tail -n 5 "$engine/log" >&2
    exit 1
    ;;
  stop | remove)
    if [ -f "$engine/pid" ]; then
      pid=$(cat "$engine/pid")
      kill "$pid" 2>/dev/null || true
      for _ in $(seq 60); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.5
      done
    fi
    if [ "$1" = remove ]; then rm -rf "$engine"; fi
    ;;
  *)
    echo "usage: scripts/deploy/engine.sh start | stop | remove" >&2
    exit 2
    ;;
esac
