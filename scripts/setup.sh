#!/usr/bin/env bash
# Installs missing tools and dependencies.
#
# usage: scripts/setup.sh build   for `make build` and `make run`
#        scripts/setup.sh test    also for the tests
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/wasm-toolchain.sh

say() { echo "setup: $*"; }
stop() {
  echo "setup: $*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null; }

# Debian packages that install_packages installs together.
packages=()
want() {
  say "$1 is missing"
  shift
  packages+=("$@")
}

install_packages() {
  [ ${#packages[@]} -gt 0 ] || return 0
  local as_root=()
  have apt-get || stop "install these packages (Debian's names) with your package manager: ${packages[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    have sudo || stop "not root and no sudo: have an administrator run \`apt-get install ${packages[*]}\`."
    as_root=(sudo)
  fi
  say "installing from Debian: ${packages[*]}"
  "${as_root[@]}" apt-get update -q=2 || stop "apt-get update failed; see its messages above."
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q=2 --no-install-recommends "${packages[@]}" \
    </dev/null >target/setup.log 2>&1 ||
    stop "apt-get could not install ${packages[*]}; its messages are in target/setup.log: $(tail -n1 target/setup.log)"
  packages=()
}

require_rust() {
  if ! have rustc || ! have cargo; then stop "Rust is missing: install it from https://rustup.rs."; fi
  rust_is_recent rustc || stop "Rust $(rust_needed) or newer is needed: run \`rustup update stable\`."
}

want_compiler() {
  have cc || want "a C compiler" gcc libc6-dev
}

want_node() {
  local version=0
  if have node; then version=$(node -p 'process.versions.node.split(".")[0]'); fi
  if [ "$version" -lt 18 ]; then
    want "Node.js 18 or newer" nodejs npm
  elif ! have npm; then
    want "npm" npm
  fi
}

# Makes sure that something can compile for WebAssembly: rustup's target where it can be added, else Debian's compiler.
want_wasm() {
  [ -z "$(wasm_toolchain)" ] || return 0
  say "the WebAssembly target is missing"
  if [ "${WASM_TOOLCHAIN:-rustup}" = rustup ] && have rustup; then
    say "adding $WASM_TARGET to rustup's toolchain"
    mkdir -p target
    if timeout 300 rustup target add "$WASM_TARGET" >target/setup.log 2>&1 && [ -n "$(wasm_toolchain)" ]; then return 0; fi
    say "rustup could not add it ($(tail -n1 target/setup.log)); using Debian's compiler"
  fi
  packages+=("${DEBIAN_WASM_PACKAGES[@]}")
  wasm_linker >/dev/null || packages+=(lld-22)
}

check_wasm() {
  [ -n "$(wasm_toolchain)" ] || stop "nothing here compiles for WebAssembly: run \`rustup target add $WASM_TARGET\`," \
    "or install Debian's rustc-web $(rust_needed) or newer, which the bookworm-security suite has."
}

# Programs that tests compare with or run against.
want_test_programs() {
  have curl || want "curl" curl ca-certificates
  have openssl || want "OpenSSL" openssl
  have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || want "PostgreSQL" postgresql
  have redis-server || want "Redis" redis-server
  [ -n "${CHROMIUM:-}" ] || have chromium || want "Chromium" chromium
}

require_rust_tools() {
  local tool
  for tool in rustfmt clippy; do
    "cargo-${tool/rustfmt/fmt}" --version >/dev/null 2>&1 && continue
    say "adding $tool to rustup's toolchain"
    rustup component add "$tool" || stop "$tool is missing: run \`rustup component add $tool\`."
  done
}

# npm_packages <directory>: installs the packages of its lock file, if that has changed.
npm_packages() {
  if cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock"; then return 0; fi
  say "installing the npm packages of $1"
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error </dev/null ||
    stop "npm could not install the packages of $1; see its messages above."
  cp "$1/package-lock.json" "$1/node_modules/.installed-lock"
}

goal=${1:-test}
mkdir -p target
require_rust
want_compiler
want_node
want_wasm
if [ "$goal" = test ]; then want_test_programs; fi
install_packages
check_wasm
npm_packages ui
if [ "$goal" = test ]; then
  require_rust_tools
  npm_packages e2e
fi
