#!/bin/sh
# SPDX-License-Identifier: MIT
# borrowed-libs.sh - llhttp and yyjson where the system has no package of them (Debian 12).
#
# Takes the four small packages of Debian 13 from the machine's own Debian mirror and unpacks them
# below build/deps/usr; see debian-mirror.sh.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=setup/debian-mirror.sh
. "$(dirname "$0")/debian-mirror.sh"

SUITE=trixie
PACKAGES="libllhttp-dev libllhttp9.2 libyyjson-dev libyyjson0"
STAMP=$DEPS/usr/.unpacked-$SUITE

[ -e "$STAMP" ] && exit 0
if pkg-config --exists yyjson && pkg-config --exists libllhttp; then exit 0; fi
if [ -e /usr/include/yyjson.h ] && [ -e /usr/include/llhttp.h ]; then exit 0; fi

command -v apt-get >/dev/null || die "llhttp and yyjson are missing: please install both libraries"
[ -e "$KEYRING" ] || die "llhttp and yyjson are missing, and so is $KEYRING: please install them"

say "fetching llhttp and yyjson ($SUITE packages) from this machine's Debian mirror"
# shellcheck disable=SC2086 # a list of words
unpack_packages "$DEPS/unpack" $SUITE $PACKAGES
rm -rf "${DEPS:?}/usr"
mv "$DEPS/unpack/usr" "$DEPS/usr"
rm -rf "$DEPS/unpack"
touch "$STAMP"
