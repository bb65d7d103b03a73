#!/usr/bin/env bash
# Starts the Compose stacks on a container engine and verifies them.
#
# usage: scripts/deploy/verify-compose.sh
#   Uses the Docker engine of this machine. Without one, it starts a private engine (needs root) and uses substitutes for
#   the official images, because such a machine usually has no registry either. STAND_INS=1 or 0 overrides that.
#   BUILT=<directory> with pulsecheck and ui/ replaces the builder stage, which compiles everything.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/paths.sh
scripts/deploy/tools.sh static

stand_ins=${STAND_INS:-}
if ! docker info >/dev/null 2>&1; then
  scripts/deploy/engine.sh start
  export DOCKER_HOST=unix://$DEPLOY_TOOLS/engine/docker.sock
  export PATH=$DEPLOY_TOOLS/trixie/root/usr/bin:$PATH
  : "${stand_ins:=1}"
fi
if [ "${stand_ins:-0}" = 1 ]; then
  while IFS= read -r line; do export "${line?}"; done < <(scripts/deploy/stand-ins.sh)
  if [ -z "${BUILT:-}" ]; then
    RUST_IMAGE=$(scripts/deploy/stand-ins.sh rust)
  else
    # The Dockerfile names it, so it has to exist, although it is not used.
    RUST_IMAGE=$DEBIAN_IMAGE
  fi
  export RUST_IMAGE
fi
exec node k8s/tests/verify-compose.mjs
