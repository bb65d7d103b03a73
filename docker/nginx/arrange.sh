#!/bin/sh
# Moves the brotli copies from <directory>/plain to <directory>/br, under the names of the original files.
#
# usage: arrange.sh <directory>
set -eu
cd "$1"
find plain -type f -name '*.br' | while read -r copy; do
  target=br/${copy#plain/}
  mkdir -p "$(dirname "$target")"
  mv "$copy" "${target%.br}"
done
chmod -R a+rX .
