#!/usr/bin/env bash
# Builds TensorFlow.js' native backend against the TensorFlow of a current Python wheel. The package's own installer
# fetches TensorFlow 2.9.1 from a place that closed networks do not reach, and that TensorFlow knows no current GPU.
#
#   deploy/build-tfjs-node.sh <folder>          for the processor
#   deploy/build-tfjs-node.sh --cuda <folder>   for NVIDIA GPUs; the machine needs CUDA's libraries when it runs
#
# Then: SLUICE_TFJS_NODE=<folder> sluice train …
# It needs g++, unzip, npm, pip (pip download alone; nothing is installed) and Node's headers.
set -euo pipefail

tfjs=4.22.0
tensorflow=2.21.0
package=@tensorflow/tfjs-node
wheel=tensorflow-cpu
if [[ "${1:-}" == --cuda ]]; then
  package=@tensorflow/tfjs-node-gpu
  wheel=tensorflow
  shift
fi
if [[ $# -ne 1 || "$1" == -* ]]; then
  echo "Usage: $0 [--cuda] <folder>" >&2
  exit 2
fi
for tool in g++ unzip npm pip; do
  command -v "$tool" >/dev/null || { echo "$tool is needed: apt-get install g++ unzip npm python3-pip" >&2; exit 1; }
done
headers=$(node -p 'require("path").join(process.execPath, "../../include/node")')
[[ -f "$headers/node_api.h" ]] || headers=/usr/include/node
[[ -f "$headers/node_api.h" ]] || { echo "node_api.h is needed: install Node's headers (Debian: libnode-dev)." >&2; exit 1; }

mkdir -p "$1"
cd "$1"
work=$(mktemp -d "$PWD/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

echo "… $package $tfjs"
[[ -f package.json ]] || echo '{ "private": true }' >package.json
npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$package@$tfjs"
echo "… $wheel $tensorflow"
pip download --quiet --no-deps --only-binary=:all: --dest "$work" "$wheel==$tensorflow"
unzip -q "$work"/*.whl 'tensorflow/libtensorflow_*' 'tensorflow/include/tensorflow/c/*' \
  'tensorflow/include/tensorflow/core/platform/*' 'tensorflow/include/tensorflow/core/public/*' \
  'tensorflow/include/xla/*' 'tensorflow/include/tsl/*' -d "$work"

root="node_modules/$package"
mkdir -p "$root/deps/lib" "$root/lib/napi-v8"
mv -f "$work"/tensorflow/libtensorflow_* "$root/deps/lib/"
echo "… compiling"
g++ -O2 -std=c++17 -fPIC -shared -w -DNAPI_VERSION=8 -I"$headers" -I"$work/tensorflow/include" \
  "$root/binding/tfjs_backend.cc" "$root/binding/tfjs_binding.cc" -o "$root/lib/napi-v8/tfjs_binding.node" \
  -L"$root/deps/lib" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 -Wl,-rpath,'$ORIGIN/../../deps/lib'
TF_CPP_MIN_LOG_LEVEL=3 node -e "require('$package').matMul([[2]], [[3]]).dataSync()[0] === 6 || process.exit(1)" 2>/dev/null ||
  { echo "What was built does not compute." >&2; exit 1; }
echo "Built. Name it: export SLUICE_TFJS_NODE=$PWD"
