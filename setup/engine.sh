#!/bin/sh
# SPDX-License-Identifier: MIT
# engine.sh - fetch llama.cpp: prebuilt libraries and the headers of the same release, as pinned
# in engine.lock. With DOZE_LLAMA_DIR set the user's own llama.cpp is used and nothing is fetched.
#
#   build/deps/engine/lib   libllama, libllama-common, libggml* (ggml looks beside itself)
#   build/deps/engine/src   of the release what SOURCES names; tools/mtmd and ggml-rpc are compiled
#                           with doze
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=setup/engine-package.sh
. "$(dirname "$0")/engine-package.sh"

LOCK=$ROOT/setup/engine.lock
ENGINE=$DEPS/engine
STAMP=$ENGINE/engine.lock
SOURCES="LICENSE include ggml/include common vendor models tools/mtmd ggml/src/ggml-rpc
ggml/src/ggml-impl.h ggml/src/ggml-backend-impl.h"

# What is fetched here: not the variants for GPUs, which engine-variant.sh fetches.
wanted() { sed '/ with code for GPUs/,$d' "$LOCK" && echo "$SOURCES"; }

[ -z "${DOZE_LLAMA_DIR:-}" ] || exit 0
wanted | cmp -s - "$STAMP" && exit 0

case $(uname -m) in
x86_64) binaries=linux-x64 ;;
aarch64) binaries=linux-arm64 ;;
*) die "no prebuilt engine for $(uname -m): build llama.cpp and set DOZE_LLAMA_DIR to it" ;;
esac

work=$DEPS/engine.new
rm -rf "$work"
mkdir -p "$work/lib" "$work/src" "$work/unpack"
trap 'rm -rf "$work"' EXIT

fetch "@node-llama-cpp/$binaries"
tar -xzf "$tarball" -C "$work/unpack"
cp "$work/unpack/package/bins/$binaries"/*.so* "$work/lib/"
cp "$work/unpack/package/LICENSE" "$work/lib/LICENSE.node-llama-cpp"
rm -rf "$work/unpack/package"

fetch node-llama-cpp
tar -xzf "$tarball" -C "$work/unpack" package/llama/gitRelease.bundle
git clone --quiet "$work/unpack/package/llama/gitRelease.bundle" "$work/unpack/git" \
    2>"$DOWNLOAD/git.log" ||
    die "git could not read the bundle of llama.cpp (see build/deps/download/git.log)"
# shellcheck disable=SC2086 # a list of words
git -C "$work/unpack/git" archive HEAD $SOURCES | tar -x -C "$work/src"
cp "$work/src/LICENSE" "$work/lib/LICENSE.llama.cpp"
rm -rf "$work/unpack"

wanted >"$work/engine.lock"
rm -rf "$ENGINE"
mv "$work" "$ENGINE"
say "the engine is in build/deps/engine"
