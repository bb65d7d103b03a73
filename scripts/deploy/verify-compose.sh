#!/usr/bin/env bash
# Brings the Compose stacks up for real and checks each claim that is made of them.
#
# usage: scripts/deploy/verify-compose.sh
#   Uses the Docker engine of this machine; where there is none, one of its own (root needed), with stand-ins for the
#   official images, because such a machine has no registry either. STAND_INS=1 or 0 decides that by hand.
#   BUILT=<directory> with pulsecheck and ui/ takes the place of the builder stage, which compiles everything.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/places.sh
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
    # Named in the Dockerfile, so it is looked up, and then not used.
    RUST_IMAGE=$DEBIAN_IMAGE
  fi
  export RUST_IMAGE
fi
exec node k8s/tests/verify-compose.mjs
