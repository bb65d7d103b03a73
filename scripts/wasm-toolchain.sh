# shellcheck shell=bash
# Chooses the compiler that builds the dashboard and runs it. Sourced by setup.sh and ui.sh.
#
# Normally that is rustup's stable toolchain with the WebAssembly target. Where the target cannot be
# added, Debian's compiler takes over. Debian has no standard library for this target, so cargo
# builds it from Debian's sources, which a stable cargo does only with RUSTC_BOOTSTRAP. Nothing
# outside this file depends on that.

WASM_TARGET=wasm32-unknown-unknown
DEBIAN_RUSTC=/usr/bin/rustc
DEBIAN_CARGO=/usr/bin/cargo
DEBIAN_RUST_SOURCE=/usr/lib/rustlib/src/rust/library
DEBIAN_WASM_PACKAGES=(rustc-web cargo-web rust-web-src)

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

# Prints `rustup`, `debian`, or nothing when neither can build for WebAssembly. Setting
# WASM_TOOLCHAIN to one of them rules out the other.
wasm_toolchain() {
  if [ "${WASM_TOOLCHAIN:-rustup}" = rustup ] &&
    [ -d "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET/lib" ]; then
    echo rustup
  elif [ "${WASM_TOOLCHAIN:-debian}" = debian ] &&
    [ -d "$DEBIAN_RUST_SOURCE" ] && [ -x "$DEBIAN_CARGO" ] && rust_is_recent "$DEBIAN_RUSTC"; then
    echo debian
  fi
}

# Prints the version of the compiler that wasm_toolchain has chosen.
wasm_compiler_version() {
  case $(wasm_toolchain) in
    rustup) rustc --version ;;
    debian) "$DEBIAN_RUSTC" --version ;;
  esac
}

# Prints the linker for WebAssembly. Every rustup toolchain has one; Debian's cargo does not.
wasm_linker() {
  local sysroot host candidate
  sysroot=$(rustc --print sysroot)
  host=$(rustc -vV | sed -n 's/^host: //p')
  for candidate in "$sysroot/lib/rustlib/$host/bin/rust-lld" rust-lld wasm-ld wasm-ld-22; do
    if command -v "$candidate"; then return 0; fi
  done
  return 1
}

# cargo_wasm <arguments of cargo build>: builds for WebAssembly with the chosen compiler.
cargo_wasm() {
  if [ "$(wasm_toolchain)" = rustup ]; then
    cargo build --target "$WASM_TARGET" "$@"
    return
  fi
  local linker
  linker=$(wasm_linker)
  RUSTC=$DEBIAN_RUSTC RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker \
    "$DEBIAN_CARGO" build --target "$WASM_TARGET" -Z build-std=std,panic_abort "$@"
}
