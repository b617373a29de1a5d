#!/bin/sh
# SPDX-License-Identifier: MIT
# dist.sh - the release tarball: what git holds at HEAD, and the built page, so that a build from
# it needs no npm. The same commit gives the same bytes: the time of the files is
# SOURCE_DATE_EPOCH, or that of the commit.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

cd "$ROOT"
version=$(sed -n 's/^project(doze VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=doze-$version
folder=build/dist
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
umask 022
rm -rf "$folder"
mkdir -p "$folder"
git archive --prefix="$name/" HEAD | tar -x -C "$folder"
cp -R web/dist "$folder/$name/web/dist"
touch "$folder/$name/web/dist/.stamp"
tar -c --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --mode=go=u-w \
    -C "$folder" "$name" | gzip -9n >"build/$name.tar.gz"
rm -rf "$folder"
say "build/$name.tar.gz"
