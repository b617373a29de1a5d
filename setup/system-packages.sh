#!/bin/sh
# SPDX-License-Identifier: MIT
# system-packages.sh [-y] [test|package] - install the Debian packages that are missing; touch
# nothing else. Says which ones first, and asks where there is a terminal; with -y or without one it
# goes on.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

ask=yes
[ "${1:-}" = -y ] && ask=no && shift
want=$(words "$ROOT/setup/packages-build.txt")
[ -z "${1:-}" ] || want="$want $(words "$ROOT/setup/packages-$1.txt")"

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "no apt here: install the counterparts of: $want llhttp yyjson nodejs npm"
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
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] && continue
        [ -z "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] ||
            printf '%s ' "$package"
    done
    return 0
}

# For llguidance. Debian 12 has a Rust that is new enough under this name; without any, doze is
# built without it.
rust_packages() {
    [ ! -e "$DEPS/guidance/wanted" ] || return 0
    find_cargo && return 0
    dpkg -s cargo-web >/dev/null 2>&1 && return 0
    [ -z "$(apt-cache show --no-all-versions cargo-web 2>/dev/null)" ] ||
        printf 'cargo-web rustc-web '
}

missing="$(missing_packages)$(newer_packages)$(rust_packages)"
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "there is no sudo; run this as root, then \`make\` again: apt-get install $missing"
    as_root=sudo
fi

log=$DEPS/apt.log
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null >"$log" 2>&1; }
explain() {
    tail -n 3 "$log" >&2
    die "$1 (offline? see build/deps/apt.log). Needed: $missing"
}

command="${as_root:+sudo }apt-get install $missing"
say "missing Debian packages: $missing"
if [ $ask = yes ] && [ -t 0 ] && [ -t 1 ]; then
    printf "set-up: run '%s'? [Y/n] " "$command"
    read -r answer || answer=n
    case $answer in
    '' | [Yy]*) ;;
    *) die "nothing was installed; install these packages yourself, then run this again" ;;
    esac
else
    say "running $command"
fi
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $missing; then
    say "updating apt's package lists"
    apt update || explain "apt-get update failed"
    missing="$(missing_packages)$(newer_packages)$(rust_packages)"
    say "running ${as_root:+sudo }apt-get install $missing"
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $missing || explain "apt-get install failed"
fi
