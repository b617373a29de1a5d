#!/bin/sh
# SPDX-License-Identifier: MIT
# engine-variant.sh VARIANT FOLDER [TARBALL] - put the engine's libraries with code for GPUs into
# FOLDER/VARIANT: "vulkan" or "cuda" of the release that doze was built with, as pinned in
# engine.lock, fetched with npm unless the package is there already as TARBALL. `doze engine
# install` runs it; it is installed beside doze-engine. Safe to run again.
#
# The libraries have their variant in their names. doze-engine knows them by the plain names, which
# are links here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
LOCK=$here/engine.lock
variant=${1:?variant}
folder=${2:?folder}

say() { printf '%s\n' "$*"; }
die() {
    printf 'doze: %s\n' "$*" >&2
    exit 1
}
# shellcheck source=setup/engine-package.sh
. "$here/engine-package.sh"

case $(uname -m) in
x86_64) binaries=linux-x64-$variant ;;
*) die "there is no engine for GPUs on $(uname -m)" ;;
esac
pinned=$(locked "@node-llama-cpp/$binaries")
[ -n "$pinned" ] || die "there is no engine '$variant'; there are vulkan and cuda"
[ "$(cat "$folder/$variant/version" 2>/dev/null)" != "${pinned% *}" ] || exit 0

mkdir -p "$folder" || die "the folder $folder cannot be made"
work=$(mktemp -d "$folder/.$variant.XXXXXX") || die "$folder cannot be written to"
trap 'rm -rf "$work"' EXIT
DOWNLOAD=$work
tarball=${3:-}
if [ -n "$tarball" ]; then
    [ -r "$tarball" ] || die "$tarball cannot be read; name the package's file"
    is_pinned "$tarball" "${pinned#* }" ||
        die "$tarball is not @node-llama-cpp/$binaries@${pinned% *} as pinned in $LOCK"
else
    fetch "@node-llama-cpp/$binaries"
fi

new=$work/new
mkdir "$new" "$work/unpack"
tar -xzf "$tarball" -C "$work/unpack"
cp "$work/unpack/package/bins/$binaries"/*.so* "$new/"
cp "$work/unpack/package/LICENSE" "$new/LICENSE.node-llama-cpp"
for library in "$new"/*."$variant".*; do
    name=${library##*/}
    ln -s "$name" "$new/$(printf '%s' "$name" | sed "s/\\.$variant\\././")"
done
printf '%s\n' "${pinned% *}" >"$new/version"
chmod -R a+rX "$new"
rm -rf "${folder:?}/$variant"
mv "$new" "$folder/$variant"
