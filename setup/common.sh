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

# Print the words of a list file (one a line, # comments) on one line.
words() { sed 's/#.*//' "$1" | tr '\n' ' '; }
