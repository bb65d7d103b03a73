#!/usr/bin/env bash
# Builds the dashboard into target/ui/dist, the directory that the server embeds. Does nothing when
# no input has changed. Run `scripts/setup.sh build` first; `make ui` does both.
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

# Hashes everything that the result depends on. Contents rather than times, because a fresh checkout
# or a switched branch has new times.
fingerprint() {
  {
    find Cargo.toml Cargo.lock ./*.graphql ui crates/domain scripts/ui.sh scripts/wasm-toolchain.sh \
      -name node_modules -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
    echo "$toolchain"
    wasm_compiler_version
  } | sha256sum
}
inputs=$(fingerprint)
if [ -f "$out/dist/index.html" ] && [ "$inputs" = "$(cat "$out/inputs" 2>/dev/null)" ]; then
  echo "ui: up to date"
  exit 0
fi

echo "ui: compiling the dashboard to WebAssembly"
CARGO_TARGET_DIR=target/wasm cargo_wasm --locked -p ui --bin ui --profile wasm

echo "ui: running wasm-bindgen"
rm -rf "$out/compiled" "$out/dist.new"
cargo run --locked -p ui-bundle -- "target/wasm/$WASM_TARGET/wasm/ui.wasm" "$out/compiled"

echo "ui: optimising, naming and compressing the files"
node ui/bundle/assemble.mjs "$out/compiled" "$out/optimised" "$out/dist.new"

# Build aside and swap when complete. An unchanged result stays untouched, so that the server is not
# built again.
if diff -rq "$out/dist.new" "$out/dist" >/dev/null 2>&1; then
  rm -rf "$out/dist.new"
else
  rm -rf "$out/dist.old"
  if [ -d "$out/dist" ]; then mv "$out/dist" "$out/dist.old"; fi
  mv "$out/dist.new" "$out/dist"
  rm -rf "$out/dist.old"
fi
echo "$inputs" >"$out/inputs"
