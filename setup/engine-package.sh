# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced: packages of the engine from npm, pinned in a lock file with lines "name version sha512".
# Needs LOCK, DOWNLOAD, say and die. Without node, so that it runs where doze is installed.

# locked NAME: version and sum of a package.
locked() { awk -v n="$1" '$1 == n { print $2, $3 }' "$LOCK"; }

# As npm writes it: in base64.
sha512_of() {
    printf 'sha512-'
    sha512sum "$1" | cut -d ' ' -f 1 | tr a-f A-F | basenc --base16 -d | base64 -w 0
}

# is_pinned FILE SUM
is_pinned() { [ -e "$1" ] && [ "$(sha512_of "$1")" = "$2" ]; }

# fetch NAME: leave the checked tarball of the pinned package in $tarball.
fetch() {
    name=$1
    pinned=$(locked "$name")
    version=${pinned% *}
    sum=${pinned#* }
    tarball=$DOWNLOAD/$(printf '%s' "$name" | sed 's/^@//; s,/,-,')-$version.tgz
    if ! is_pinned "$tarball" "$sum"; then
        rm -f "$tarball"
        command -v npm >/dev/null || die "npm is missing, which fetches $name; install npm"
        say "fetching $name $version from npm"
        (cd "$DOWNLOAD" && npm pack --silent "$name@$version" </dev/null >npm.log 2>&1) || {
            tail -n 3 "$DOWNLOAD/npm.log" >&2
            die "could not fetch $name@$version with npm (offline?); run this again when online"
        }
    fi
    is_pinned "$tarball" "$sum" || {
        rm -f "$tarball"
        die "$name $version does not have the sha512 pinned in engine.lock: not used, deleted"
    }
}
