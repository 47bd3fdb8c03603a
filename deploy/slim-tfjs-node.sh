#!/usr/bin/env bash
# Takes from what build-tfjs-node.sh built whatever only builds, debuggers and browsers need.
#
#   deploy/slim-tfjs-node.sh <folder>
set -euo pipefail

[[ $# -eq 1 && -d "$1/node_modules/@tensorflow" ]] || { echo "Usage: $0 <folder of build-tfjs-node.sh>" >&2; exit 2; }
cd "$1/node_modules"
before=$(du -sm . | cut -f1)
find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.[cm]ts' -o -name '*.tsbuildinfo' \) -delete
# Node loads one file of each of these packages, the one that "main" names; the others are for bundlers and browsers.
for package in @tensorflow/tfjs{,-core,-layers,-converter,-data,-backend-cpu,-backend-webgl}; do
  main=$(node -p 'require("path").normalize(require(process.argv[1]).main)' "$PWD/$package/package.json")
  find "$package" -type f -name '*.js' ! -path "$package/$main" -delete
done
rm -rf core-js @types @tensorflow/tfjs-node*/{src,binding,scripts,python}
strip --strip-unneeded @tensorflow/tfjs-node*/deps/lib/*.so.*
echo "TensorFlow's native backend: $(du -sm . | cut -f1) MB of $before."
