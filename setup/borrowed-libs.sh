#!/bin/sh
# SPDX-License-Identifier: MIT
# borrowed-libs.sh - llhttp and yyjson where the system has no package of them (Debian 12).
#
# Takes the four small packages of Debian 13 from the machine's own Debian mirror and unpacks them
# below build/deps/usr. apt runs with its own lists and cache and checks the signatures against
# the installed Debian keyring; nothing of the system's apt state changes.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

SUITE=trixie
PACKAGES="libllhttp-dev libllhttp9.2 libyyjson-dev libyyjson0"
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
STAMP=$DEPS/usr/.unpacked-$SUITE

[ -e "$STAMP" ] && exit 0
if pkg-config --exists yyjson && pkg-config --exists libllhttp; then exit 0; fi
if [ -e /usr/include/yyjson.h ] && [ -e /usr/include/llhttp.h ]; then exit 0; fi

command -v apt-get >/dev/null || die "llhttp and yyjson are missing: please install both libraries"
[ -e "$KEYRING" ] || die "llhttp and yyjson are missing, and so is $KEYRING: please install them"

private=$DEPS/apt
mkdir -p "$private/lists/partial" "$private/cache/archives/partial" "$private/debs"

private_apt() {
    apt-get -qq -o Dir::Etc::SourceList="$private/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$private/lists" -o Dir::Cache="$private/cache" \
        -o APT::Sandbox::User=root "$@" </dev/null
}

# The Debian mirrors this machine uses, whatever the format of its sources: apt itself reads them.
mirrors() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' |
        sed -n 's/^[a-z]* main //p' | grep -v security | sort -u
}

fetch_from() {
    printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$1" "$SUITE" >"$private/sources.list"
    # shellcheck disable=SC2086 # a list of words
    private_apt update && (cd "$private/debs" && private_apt download $PACKAGES)
}

say "fetching llhttp and yyjson ($SUITE packages) from this machine's Debian mirror"
fetched=no
for mirror in $(mirrors); do
    if fetch_from "$mirror" >"$DEPS/apt-private.log" 2>&1; then
        fetched=yes
        break
    fi
done
[ $fetched = yes ] ||
    die "could not fetch $PACKAGES (offline? apt's output is in build/deps/apt-private.log)"

rm -rf "$DEPS/unpack"
for deb in "$private"/debs/*.deb; do dpkg-deb -x "$deb" "$DEPS/unpack"; done
rm -rf "${DEPS:?}/usr"
mv "$DEPS/unpack/usr" "$DEPS/usr"
rm -rf "$DEPS/unpack" "$private"
touch "$STAMP"
