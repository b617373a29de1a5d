#!/bin/sh
# SPDX-License-Identifier: MIT
# release.sh - build/release-VERSION/: the tarball and the package of HEAD, and their checksums.
# Both are made twice, from fresh clones at two paths and without a compiler cache, and must have
# the same bytes.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

cd "$ROOT"
version=$(sed -n 's/^project(doze VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
[ -z "$(git status --porcelain)" ] || die "commit first: a release is made of what git holds"
grep -q "^## $version" CHANGELOG.md || die "CHANGELOG.md has nothing about $version"
grep -q "^doze ($version)" packaging/deb/changelog ||
    die "packaging/deb/changelog has nothing about $version"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH CCACHE_DISABLE=1

# make_in FOLDER
make_in() {
    git clone -q "$ROOT" "$1"
    mkdir -p "$1/build/deps"
    for part in usr engine; do # what was fetched; not the trees of `make test-deb`
        [ ! -e "$DEPS/$part" ] || cp -a "$DEPS/$part" "$1/build/deps"
    done
    say "building in $1"
    (cd "$1" && sh setup/page.sh && sh setup/dist.sh && sh setup/deb.sh) >"$work/log" 2>&1 || {
        tail -n 30 "$work/log" >&2
        die "the release could not be built"
    }
}

make_in "$work/one"
make_in "$work/another-path"
out=$ROOT/build/release-$version
rm -rf "$out"
mkdir -p "$out"
for file in "doze-$version.tar.gz" "doze_${version}_$(dpkg --print-architecture).deb"; do
    cmp "$work/one/build/$file" "$work/another-path/build/$file" ||
        die "two builds of $file differ; look for a path or a time in it (diffoscope)"
    cp "$work/one/build/$file" "$out"
done
(cd "$out" && sha256sum -- * >SHA256SUMS)
say "build/release-$version: two builds with the same bytes"
