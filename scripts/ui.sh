#!/usr/bin/env bash
# Builds the dashboard into target/ui/dist, the directory that the server embeds. Does nothing when no input has changed.
# Run `scripts/setup.sh build` first; `make ui` does both.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
. scripts/wasm-toolchain.sh

out=target/ui
toolchain=$(wasm_toolchain)
if [ -z "$toolchain" ]; then
  echo "ui: no compiler for WebAssembly is installed; run \`make setup\`." >&2
  exit 1
fi

# Everything that the result depends on, contents rather than times: a fresh checkout or a switched branch has new times.
fingerprint() {
  {
    find Cargo.toml Cargo.lock ./*.graphql ui crates/domain scripts/ui.sh scripts/wasm-toolchain.sh \
      -name node_modules -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
    echo "$toolchain"
    if [ "$toolchain" = rustup ]; then rustc --version; else "$DEBIAN_RUSTC" --version; fi
  } | sha256sum
}
inputs=$(fingerprint)
if [ -f "$out/dist/index.html" ] && [ "$inputs" = "$(cat "$out/inputs" 2>/dev/null)" ]; then
  echo "ui: up to date"
  exit 0
fi

# What a browser has to load is a tenth smaller without texts that only a programmer would read (why a panic happened
# and where, the fields of debug output) and with a standard library that is built for size. Both are features that have
# not been stabilised, hence RUSTC_BOOTSTRAP; so is building the library at all. A panic ends the program by a trap, which
# the page tells (assets/start.js).
LEAN="-Zlocation-detail=none -Zfmt-debug=shallow -Zunstable-options -Cpanic=immediate-abort"

compile() {
  local cargo=cargo
  local options=(build --locked -p ui --bin ui --profile wasm --target "$WASM_TARGET"
    -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size)
  export CARGO_TARGET_DIR=target/wasm RUSTC_BOOTSTRAP=1 RUSTFLAGS=$LEAN
  if [ "$toolchain" = debian ]; then
    cargo=$DEBIAN_CARGO
    export RUSTC=$DEBIAN_RUSTC
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(wasm_linker)
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
  fi
  "$cargo" "${options[@]}"
}

echo "ui: compiling the dashboard to WebAssembly"
(compile)

echo "ui: connecting it to the browser"
rm -rf "$out/compiled" "$out/dist.new"
cargo run --locked -p ui-bundle -- "target/wasm/$WASM_TARGET/wasm/ui.wasm" "$out/compiled"

echo "ui: optimising, naming and compressing the files"
node ui/bundle/assemble.mjs "$out/compiled" "$out/optimised" "$out/dist.new"

# Built aside and exchanged when complete. An unchanged result stays untouched, so that the server is not built again.
if diff -rq "$out/dist.new" "$out/dist" >/dev/null 2>&1; then
  rm -rf "$out/dist.new"
else
  rm -rf "$out/dist.old"
  if [ -d "$out/dist" ]; then mv "$out/dist" "$out/dist.old"; fi
  mv "$out/dist.new" "$out/dist"
  rm -rf "$out/dist.old"
fi
echo "$inputs" >"$out/inputs"
