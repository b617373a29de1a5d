#!/bin/sh
# SPDX-License-Identifier: MIT
# deb.sh - build/doze_VERSION_ARCH.deb, from a build of its own in build/package. The same sources
# give the same bytes: the time in it is SOURCE_DATE_EPOCH, else that of the last commit, or in an
# unpacked tarball that of packaging/deb/changelog.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

cd "$ROOT"
source_time() {
    if [ -e .git ]; then
        git log -1 --format=%ct
    else
        date -d "$(sed -n 's/^ -- .*>  //p' packaging/deb/changelog | head -n 1)" +%s
    fi
}
for tool in dpkg-shlibdeps chrpath file strip; do
    command -v "$tool" >/dev/null || die "$tool is missing: run \`make deb\`"
done
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(source_time)}
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
