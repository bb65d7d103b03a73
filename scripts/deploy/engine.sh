#!/usr/bin/env bash
# A container engine of one's own, for machines without Docker: its socket, its images and its containers lie in the cache
# directory of the checks and meet nobody else's. Needs root.
#
# usage: scripts/deploy/engine.sh start | stop | remove
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/places.sh
place=$DEPLOY_TOOLS/engine
binaries=$DEPLOY_TOOLS/trixie/root/usr
export PATH=$binaries/bin:$binaries/sbin:$PATH
export DOCKER_HOST=unix://$place/docker.sock

running() { [ -S "$place/docker.sock" ] && docker info >/dev/null 2>&1; }

case ${1:-} in
  start)
    if running; then exit 0; fi
    [ "$(id -u)" -eq 0 ] || { echo "engine: starting one needs root; or install Docker." >&2; exit 1; }
    scripts/deploy/tools.sh engine
    mkdir -p "$place"
    setsid "$binaries/sbin/dockerd" --data-root "$place/data" --exec-root "$place/run" -H "$DOCKER_HOST" \
      --pidfile "$place/pid" --bip 172.29.0.1/16 --default-address-pool base=172.30.0.0/16,size=24 \
      >"$place/log" 2>&1 </dev/null &
    for _ in $(seq 120); do
      if running; then exit 0; fi
      sleep 0.5
    done
    echo "engine: it does not start; the end of $place/log:" >&2
    tail -n 5 "$place/log" >&2
    exit 1
    ;;
  stop | remove)
    if [ -f "$place/pid" ]; then
      pid=$(cat "$place/pid")
      kill "$pid" 2>/dev/null || true
      for _ in $(seq 60); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.5
      done
    fi
    if [ "$1" = remove ]; then rm -rf "$place"; fi
    ;;
  *)
    echo "usage: scripts/deploy/engine.sh start | stop | remove" >&2
    exit 2
    ;;
esac
