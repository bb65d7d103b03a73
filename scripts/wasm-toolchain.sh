# shellcheck shell=bash
# Which compiler builds the dashboard: rustup's, when it has the sources of the standard library, or else Debian's, which
# can have them too. The library is built together with the dashboard, for WebAssembly and for size. Sourced by setup.sh
# and ui.sh.

WASM_TARGET=wasm32-unknown-unknown
DEBIAN_RUSTC=/usr/bin/rustc
DEBIAN_CARGO=/usr/bin/cargo
DEBIAN_RUST_SOURCE=/usr/lib/rustlib/src/rust/library

# The oldest Rust that the workspace accepts, as in "1.94".
rust_needed() {
  sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml
}

# rust_is_recent <rustc>: whether this compiler runs and is not too old.
rust_is_recent() {
  local version
  version=$("$1" --version 2>/dev/null | cut -d' ' -f2) || return 1
  [ -n "$version" ] && [ "$(printf '%s\n' "$(rust_needed)" "$version" | sort -V | head -n1)" = "$(rust_needed)" ]
}

# Prints `rustup`, `debian` or nothing. WASM_TOOLCHAIN set to one of the two passes over the other.
wasm_toolchain() {
  if [ "${WASM_TOOLCHAIN:-rustup}" = rustup ] &&
    [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]; then
    echo rustup
  elif [ "${WASM_TOOLCHAIN:-debian}" = debian ] &&
    [ -d "$DEBIAN_RUST_SOURCE" ] && [ -x "$DEBIAN_CARGO" ] && rust_is_recent "$DEBIAN_RUSTC"; then
    echo debian
  fi
}

# Prints the linker for WebAssembly, which every rustup toolchain brings along; Debian's cargo does not.
wasm_linker() {
  local sysroot host candidate
  sysroot=$(rustc --print sysroot)
  host=$(rustc -vV | sed -n 's/^host: //p')
  for candidate in "$sysroot/lib/rustlib/$host/bin/rust-lld" rust-lld wasm-ld wasm-ld-22; do
    if command -v "$candidate"; then return 0; fi
  done
  return 1
}
