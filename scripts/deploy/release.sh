#!/usr/bin/env bash
# Fails if the current commit must not be released: uncommitted changes, different versions, or an existing tag.
#
# usage: scripts/deploy/release.sh <version>
set -euo pipefail
version=${1:?usage: release.sh <version>}

stop() {
  echo "release: $*" >&2
  exit 1
}

[ -z "$(git status --porcelain)" ] || stop "the tree is dirty: commit or remove the files that \`git status\` lists."
cargo_version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
[ "$version" = "$cargo_version" ] || stop "the chart's appVersion is $version, Cargo.toml's version $cargo_version: make them equal."
if git rev-parse -q --verify "refs/tags/v$version" >/dev/null; then
  stop "v$version is tagged already: raise the version in Cargo.toml and in helm/pulsecheck/Chart.yaml."
fi
