#!/usr/bin/env bash
# Refuses whatever must not become a release.
#
# usage: scripts/deploy/release.sh <version>
set -euo pipefail
version=${1:?usage: release.sh <version>}

stop() {
  echo "release: $*" >&2
  exit 1
}

[ -z "$(git status --porcelain)" ] || stop "the tree is dirty: commit or remove what \`git status\` shows, so that the commit is what is released."
cargo=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
[ "$version" = "$cargo" ] || stop "the chart's appVersion is $version, Cargo.toml's version $cargo: make them one."
if git rev-parse -q --verify "refs/tags/v$version" >/dev/null; then
  stop "v$version is tagged already: raise the version in Cargo.toml and in helm/pulsecheck/Chart.yaml."
fi
