#!/usr/bin/env bash
# Builds substitutes for the official images from Debian packages, for machines that cannot reach a registry. Prints the
# arguments for the Dockerfile and the Compose files as lines of NAME=image.
#
# usage: scripts/deploy/stand-ins.sh        on the engine that DOCKER_HOST names; needs root, for debootstrap
#        scripts/deploy/stand-ins.sh rust   an image with this machine's Rust toolchain; prints only its name
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/paths.sh
here=scripts/deploy/stand-ins
base=pulsecheck-stand-in/debian:bookworm-slim

say() { echo "stand-ins: $*" >&2; }

if ! docker image inspect "$base" >/dev/null 2>&1; then
  say "building $base"
  # shellcheck disable=SC2016
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -v security | head -n1)
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  debootstrap --variant=minbase bookworm "$root" "${mirror%/}" >"$DEPLOY_TOOLS/debootstrap.log" 2>&1 ||
    { tail -n 5 "$DEPLOY_TOOLS/debootstrap.log" >&2; exit 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/etc/resolv.conf "$root"/etc/hostname
  # This machine's access to its mirror: sources, apt settings, and additional certificate authorities.
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    rm -f "$root/etc/apt/sources.list"
    cp /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/"
  fi
  cp -f /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  mkdir -p "$root/usr/local/share/ca-certificates"
  cp -f /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  tar -C "$root" -c --numeric-owner . | docker import -c 'CMD ["bash"]' - "$base" >/dev/null
fi
if [ "${1:-}" = rust ]; then
  say "building the substitute for rust"
  # The toolchain, and the settings with which cargo on this machine reaches its registry.
  context=$(mktemp -d)
  trap 'rm -rf "$context"' EXIT
  cp -a "$(rustc --print sysroot)" "$context/toolchain"
  mkdir -p "$context/cargo" "$context/authorities"
  cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$context/cargo/" 2>/dev/null || true
  cp /usr/local/share/ca-certificates/*.crt "$context/authorities/" 2>/dev/null || true
  docker build -q --build-arg "BASE=$base" --target rust -t pulsecheck-stand-in/rust:1 \
    --build-context "machine=$context" "$here" >/dev/null
  echo pulsecheck-stand-in/rust:1
  exit 0
fi
for name in postgres redis nginx; do
  say "building the substitute for $name"
  docker build -q --build-arg "BASE=$base" --target "$name" -t "pulsecheck-stand-in/$name:1" "$here" >/dev/null
done
echo "DEBIAN_IMAGE=$base"
echo "POSTGRES_IMAGE=pulsecheck-stand-in/postgres:1"
echo "REDIS_IMAGE=pulsecheck-stand-in/redis:1"
echo "NGINX_IMAGE=pulsecheck-stand-in/nginx:1"
