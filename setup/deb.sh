#!/bin/sh
# SPDX-License-Identifier: MIT
# deb.sh - build/doze_VERSION_ARCH.deb, from a build of its own in build/package. The same sources
# give the same bytes: the time in it is SOURCE_DATE_EPOCH, or that of the last commit.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

cd "$ROOT"
for tool in dpkg-shlibdeps chrpath strip; do
    command -v "$tool" >/dev/null ||
        die "$tool is missing: apt-get install dpkg-dev chrpath binutils"
done
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
umask 022
sh setup/compile.sh package doze doze-engine
log=build/package/cpack.log
(cd build/package/obj && cpack) >"$log" 2>&1 || {
    cat "$log" >&2
    die "CPack could not make the package"
}
package=$(sed -n 's/^CPack: - package: \(.*\) generated\.$/\1/p' "$log")
say "${package#"$ROOT"/}"
