#!/usr/bin/env bash
# Builds and starts a part of PulseCheck from mounted sources, and repeats that when a source changes.
#
# usage: watch.sh api|worker   runs the program in that role
#        watch.sh migrate      migrates the database once
#        watch.sh ui           builds the dashboard into /dashboard, which nginx serves
set -euo pipefail
cd /src

case ${1:-} in
  migrate) exec cargo run --locked -- migrate ;;
  api | worker)
    sources=(Cargo.toml Cargo.lock src backend worker entity migration crates)
    # The program is started directly, so that entr ends it and not a cargo process around it.
    # shellcheck disable=SC2016
    run=(bash -c 'cargo build --locked && exec target/debug/pulsecheck "$0"' "$1")
    ;;
  ui)
    sources=(Cargo.toml Cargo.lock schema.graphql ui crates/domain)
    scripts/setup.sh build
    run=(bash -c 'scripts/ui.sh && rm -rf /dashboard/plain && cp -r target/ui/dist /dashboard/plain; exec sleep infinity')
    ;;
  *)
    echo "usage: watch.sh api|worker|migrate|ui" >&2
    exit 2
    ;;
esac

# entr exits when a file is added to a watched directory; the loop then lists the sources again.
while true; do
  find "${sources[@]}" -name node_modules -prune -o -type f -print | entr -d -n -r "${run[@]}" || true
  sleep 1
done
