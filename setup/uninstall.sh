#!/bin/sh
# SPDX-License-Identifier: MIT
# uninstall.sh DESTDIR PREFIX - remove the files CMake's manifest of the last install names.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

manifest=$ROOT/build/release/obj/install_manifest.txt
[ -e "$manifest" ] || die "nothing to remove: there was no \`make install\` from this folder"

removed=0
while IFS= read -r file || [ -n "$file" ]; do
    case $file in
    "$2"/*) ;;
    *) die "installed with another PREFIX: give \`make uninstall\` that of \`make install\`" ;;
    esac
    if [ -e "$1$file" ] || [ -L "$1$file" ]; then
        rm -f "$1$file" || die "could not remove $1$file (sudo?)"
        removed=$((removed + 1))
    fi
done <"$manifest"
for folder in lib/doze libexec/doze share/doc/doze/grafana share/doc/doze/nginx share/doc/doze \
    lib/systemd/system lib/systemd/user lib/systemd lib/sysusers.d; do
    rmdir "$1$2/$folder" 2>/dev/null || true # others may have files there
done
say "removed $removed files below $1$2"
