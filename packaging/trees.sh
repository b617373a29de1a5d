# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the tests of the package, after setup/common.sh: small trees of Debian, made by
# debootstrap from this machine's mirror once, kept in build/deps, and copied for each test.

# make_tree SUITE FOLDER
make_tree() {
    # shellcheck disable=SC2016 # apt's own variables
    mirror=$(apt-get indextargets --format '$(COMPONENT) $(REPO_URI)' 'Identifier: Packages' |
        sed -n 's/^main //p' | grep -v security | head -n 1)
    say "making a tree of Debian $1"
    rm -rf --one-file-system "$2.new"
    debootstrap --variant=minbase "$1" "$2.new" "$mirror" >"$2.log" 2>&1 ||
        die "debootstrap failed; its output is in $2.log"
    printf 'deb %s %s main\n' "$mirror" "$1" >"$2.new/etc/apt/sources.list"
    cp -R /etc/apt/apt.conf.d "$2.new/etc/apt/"
    mv "$2.new" "$2"
}

# copy_tree SUITE FOLDER: with this machine's resolver, and an empty /test.
copy_tree() {
    [ -e "$DEPS/debian-$1" ] || make_tree "$1" "$DEPS/debian-$1"
    cp -a "$DEPS/debian-$1/." "$2"
    cp /etc/resolv.conf "$2/etc/"
    mkdir "$2/test"
}
