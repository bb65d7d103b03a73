#!/bin/sh
# arrange.sh <directory>: takes the brotli copies out of <directory>/plain into <directory>/br, under the names of what
# they are copies of.
set -eu
cd "$1"
find plain -type f -name '*.br' | while read -r copy; do
  target=br/${copy#plain/}
  mkdir -p "$(dirname "$target")"
  mv "$copy" "${target%.br}"
done
chmod -R a+rX .
