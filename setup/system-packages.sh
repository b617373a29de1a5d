#!/bin/sh
# SPDX-License-Identifier: MIT
# system-packages.sh [test] - install the Debian packages that are missing; touch nothing else.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

want=$(words "$ROOT/setup/packages-build.txt")
[ "${1:-build}" = test ] && want="$want $(words "$ROOT/setup/packages-test.txt")"

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this system has no apt; make sure that it has: $want llhttp yyjson nodejs npm"
    exit 0
fi

missing_packages() {
    # shellcheck disable=SC2086 # a list of words
    installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $want 2>/dev/null |
        sed -n 's/^installed //p' | tr '\n' ' ')"
    for package in $want; do
        case $installed in
        *" $package "*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
    # Node may come from elsewhere than Debian; any works.
    command -v node >/dev/null || printf 'nodejs '
    command -v npm >/dev/null || printf 'npm '
}

# llhttp and yyjson are packages on newer systems; older ones get them by borrowed-libs.sh.
newer_packages() {
    [ -e "$DEPS/usr/include/yyjson.h" ] && return 0
    for package in libllhttp-dev libyyjson-dev; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed && continue
        [ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] && printf '%s ' "$package"
    done
    return 0
}

missing="$(missing_packages)$(newer_packages)"
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "please install these packages as root, then run this again: apt-get install $missing"
    as_root=sudo
fi

log=$DEPS/apt.log
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null >"$log" 2>&1; }
explain() {
    tail -n 3 "$log" >&2
    die "$1 (offline? apt's output is in build/deps/apt.log). Needed: $missing"
}

say "installing with apt: $missing"
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $missing; then
    say "refreshing apt's package lists"
    apt update || explain "apt-get update failed"
    missing="$(missing_packages)$(newer_packages)"
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $missing || explain "apt-get install failed"
fi
