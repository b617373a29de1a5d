#!/bin/sh
# SPDX-License-Identifier: MIT
# dist.sh - the release tarball: what git holds at HEAD, and the built page, so that whoever builds
# from it needs no npm for the page.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

cd "$ROOT"
version=$(sed -n 's/^project(doze VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=doze-$version
folder=build/dist
rm -rf "$folder"
mkdir -p "$folder"
git archive --prefix="$name/" HEAD | tar -x -C "$folder"
cp -R web/dist "$folder/$name/web/dist"
touch "$folder/$name/web/dist/.stamp"
tar -czf "build/$name.tar.gz" -C "$folder" "$name"
rm -rf "$folder"
say "build/$name.tar.gz"
