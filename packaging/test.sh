#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh [SUITE…] - lintian, the units, nginx in front, the package in a small tree of each Debian
# suite (bookworm if none is named): installed, used, upgraded, purged; and the container. As root.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/../setup/common.sh"
# shellcheck source=packaging/trees.sh
. "$ROOT/packaging/trees.sh"

[ "$(id -u)" -eq 0 ] || die "the test of the package needs root (chroot, mount)"
for tool in lintian debootstrap systemd-analyze nginx promtool python3 ip; do
    command -v "$tool" >/dev/null || die "$tool is missing: apt-get install \
lintian debootstrap systemd libseccomp2 nginx-light prometheus python3 iproute2"
done
cd "$ROOT"
version=$(sed -n 's/^project(doze VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
deb=$(echo "build/doze_${version}_"*.deb)
[ -e "$deb" ] || die "there is no package; run \`make deb\`"

# The same package as the next version.
next_version() {
    dpkg-deb -R "$deb" "$1/next"
    sed -i "s/^Version: .*/Version: $version.1/" "$1/next/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$1/next" "$1/next.deb" >/dev/null
    rm -rf "$1/next"
}

test_in_tree() {
    copy=$(mktemp -d)
    copy_tree "$1" "$copy"
    cp "$deb" "$copy/test/first.deb"
    next_version "$copy/test"
    build/make-model spoken --text 'Hello there.' --out "$copy/test/m.gguf"
    cp packaging/test-in-tree.sh "$copy/test/"
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --pid --fork --kill-child sh -ec \
        'mount -t proc proc "$1/proc" && exec chroot "$1" sh /test/test-in-tree.sh' sh "$copy" \
        >"$ROOT/build/package/test-$1.log" 2>&1 && ok=yes || ok=no
    rm -rf --one-file-system "$copy"
    [ "$ok" = yes ] || {
        tail -n 40 "$ROOT/build/package/test-$1.log" >&2
        die "the package failed on $1; the output is in build/package/test-$1.log"
    }
    say "$1: installed, answered, upgraded with its settings, purged without the models"
}

test_container() {
    copy=$(mktemp -d)
    copy_tree bookworm "$copy"
    build/make-model spoken --text 'Hello there.' --out "$copy/test/m.gguf"
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --pid --fork --kill-child sh -ec 'mount -t proc proc "$1/proc" &&
        mount -t proc proc /proc && exec python3 packaging/test-container.py "$@"' sh \
        "$copy" "$deb" "$copy/test/m.gguf" >"$ROOT/build/package/test-container.log" 2>&1 &&
        ok=yes || ok=no
    rm -rf --one-file-system "$copy"
    [ "$ok" = yes ] || {
        tail -n 40 "$ROOT/build/package/test-container.log" >&2
        die "the container failed; the output is in build/package/test-container.log"
    }
    say "the container's steps: built, healthy, answered, stopped, kept its volume"
}

lintian --fail-on error --allow-root "$deb"
say "lintian has no error"
python3 packaging/test-units.py build/doze build/make-model
timeout 60 python3 packaging/test-nginx.py build/doze build/make-model
[ $# -gt 0 ] || set -- bookworm
for suite in "$@"; do test_in_tree "$suite"; done
test_container
