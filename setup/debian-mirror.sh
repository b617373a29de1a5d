# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced after common.sh: packages of a named Debian release from the machine's own mirror, without
# installing them. apt runs with its own lists and cache and checks the signatures against the
# installed Debian keyring; nothing of the system's apt state changes.
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
private=$DEPS/apt

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

# fetch_from MIRROR SUITE PACKAGE...
fetch_from() {
    printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$1" "$2" >"$private/sources.list"
    shift 2
    private_apt update && (cd "$private/debs" && private_apt download "$@")
}

# unpack_packages FOLDER SUITE PACKAGE... - replace the folder by the content of the packages.
unpack_packages() {
    folder=$1
    shift
    rm -rf "$private"
    mkdir -p "$private/lists/partial" "$private/cache/archives/partial" "$private/debs"
    fetched=no
    for mirror in $(mirrors); do
        fetch_from "$mirror" "$@" >"$DEPS/apt-private.log" 2>&1 || continue
        fetched=yes
        break
    done
    [ $fetched = yes ] ||
        die "could not fetch $* (offline? apt's output is in build/deps/apt-private.log)"
    rm -rf "${folder:?}"
    for deb in "$private"/debs/*.deb; do dpkg-deb -x "$deb" "$folder"; done
    rm -rf "$private"
}
