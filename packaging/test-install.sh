#!/bin/sh
# SPDX-License-Identifier: MIT
# test-install.sh - `make install` puts everything where an administrator looks for it, the units
# name what was installed, and `make uninstall` takes every file away. In a DESTDIR of its own.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/../setup/common.sh"

cd "$ROOT"
manifest=build/release/obj/install_manifest.txt
work=$(mktemp -d)
# The manifest of a real installation is not ours.
[ ! -e "$manifest" ] || cp -p "$manifest" "$work/manifest"
tidy() {
    rm -f "$manifest"
    [ ! -e "$work/manifest" ] || mv "$work/manifest" "$manifest"
    rm -rf "$work"
}
trap tidy EXIT

# wants FILE [TEXT]: below the prefix, with this text in it.
wants() {
    [ -s "$root/$1" ] || die "$prefix: $1 was not installed"
    [ -z "${2:-}" ] || grep -q -- "$2" "$root/$1" || die "$prefix: $1 does not name $2"
}

check_installed() {
    for scope in system user; do
        wants "lib/systemd/$scope/doze.service" "ExecStart=$prefix/bin/doze serve"
        wants "lib/systemd/$scope/doze.service" "file:$prefix/share/doc/doze/operations.md"
        wants "lib/systemd/$scope/doze.socket" "ListenStream=127.0.0.1:1234"
    done
    wants lib/sysusers.d/doze.conf "u doze"
    wants share/man/man1/doze.1
    wants share/bash-completion/completions/doze
    wants share/zsh/site-functions/_doze
    wants share/fish/vendor_completions.d/doze.fish
    for document in operations.md README.md copyright nginx/doze.conf grafana/doze.json; do
        wants "share/doc/doze/$document"
    done
    wants libexec/doze/doze-engine
    for file in engine-variant.sh engine-package.sh engine.lock; do wants "libexec/doze/$file"; done
    "$root/bin/doze" version >/dev/null || die "$prefix: the installed doze does not start"
    ! ldd "$root/libexec/doze/doze-engine" | grep 'not found' ||
        die "$prefix: the worker does not find its libraries"
}

check_installation() {
    prefix=$1
    root=$work/root$prefix
    make --no-print-directory install DESTDIR="$work/root" PREFIX="$prefix" >"$work/log"
    check_installed
    touch "$root/lib/systemd/system/another.service"
    make --no-print-directory uninstall DESTDIR="$work/root" PREFIX="$prefix" >"$work/log"
    left=$(find "$work/root" ! -type d)
    [ "$left" = "$root/lib/systemd/system/another.service" ] ||
        die "$prefix: make uninstall left or took too much: $left"
    left=$(find "$work/root" -name '*doze*')
    [ -z "$left" ] || die "$prefix: make uninstall left folders: $left"
    rm -rf "$work/root"
    say "$prefix: installed, and taken away"
}

check_installation /usr/local
check_installation /opt/elsewhere
