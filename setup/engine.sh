#!/bin/sh
# SPDX-License-Identifier: MIT
# engine.sh - fetch llama.cpp: prebuilt libraries and the headers of the same release, as pinned
# in engine.lock. With DOZE_LLAMA_DIR set the user's own llama.cpp is used and nothing is fetched.
#
#   build/deps/engine/lib   libllama, libllama-common, libggml* (ggml looks beside itself)
#   build/deps/engine/src   of the release what SOURCES names; tools/mtmd is compiled with doze
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

LOCK=$ROOT/setup/engine.lock
ENGINE=$DEPS/engine
STAMP=$ENGINE/engine.lock
SOURCES="LICENSE include ggml/include common vendor models tools/mtmd"

wanted() { cat "$LOCK" && echo "$SOURCES"; }

[ -z "${DOZE_LLAMA_DIR:-}" ] || exit 0
wanted | cmp -s - "$STAMP" && exit 0

case $(uname -m) in
x86_64) binaries=linux-x64 ;;
aarch64) binaries=linux-arm64 ;;
*) die "no prebuilt engine for $(uname -m): build llama.cpp and set DOZE_LLAMA_DIR to it" ;;
esac

sha512_of() { node -e '
    const data = require("fs").readFileSync(process.argv[1]);
    console.log("sha512-" + require("crypto").createHash("sha512").update(data).digest("base64"));
' "$1"; }

# fetch NAME: leave the checked tarball of the pinned package in $tarball.
fetch() {
    name=$1
    version=$(awk -v n="$name" '$1 == n { print $2 }' "$LOCK")
    sum=$(awk -v n="$name" '$1 == n { print $3 }' "$LOCK")
    tarball=$DOWNLOAD/$(printf '%s' "$name" | sed 's/^@//; s,/,-,')-$version.tgz
    if [ ! -e "$tarball" ] || [ "$(sha512_of "$tarball")" != "$sum" ]; then
        rm -f "$tarball"
        say "fetching $name $version from npm"
        (cd "$DOWNLOAD" && npm pack --silent "$name@$version" </dev/null >npm.log 2>&1) || {
            tail -n 3 "$DOWNLOAD/npm.log" >&2
            die "could not fetch $name@$version with npm (offline?); run this again when online"
        }
    fi
    if [ "$(sha512_of "$tarball")" != "$sum" ]; then
        rm -f "$tarball"
        die "$name $version does not have the sha512 pinned in setup/engine.lock: not used, deleted"
    fi
}

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
