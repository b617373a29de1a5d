# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # the sourcing scripts use these
# Sourced by the other set-up scripts: where things go, and the two ways of speaking.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
DEPS=$ROOT/build/deps
DOWNLOAD=$DEPS/download
mkdir -p "$DEPS" "$DOWNLOAD"

say() { printf 'set-up: %s\n' "$*"; }

die() {
    printf 'set-up: %s\n' "$*" >&2
    exit 1
}

# cargo and RUSTC: the first that work and are 1.$RUST_MINOR or newer. A cargo of rustup's without a
# toolchain in this home does not.
RUST_MINOR=87
find_cargo() {
    for cargo in "$(command -v cargo || true)" /usr/bin/cargo; do
        [ -x "$cargo" ] || continue
        RUSTC=$(dirname "$cargo")/rustc
        minor=$("$RUSTC" --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
        [ "${minor:-0}" -lt $RUST_MINOR ] || return 0
    done
    return 1
}

# Print the words of a list file (one a line, # comments) on one line.
words() { sed 's/#.*//' "$1" | tr '\n' ' '; }
