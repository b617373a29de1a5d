#!/bin/sh
# SPDX-License-Identifier: MIT
# seeded.sh EXPLORER - the explorer must report each seeded bug (seeded.c) with the way there, and
# what no run has taken: exit 1, the right words, and no crash while it reports.
set -u
explorer=${1:?explorer}

# expect SEED STATES WORDS…: every one of WORDS is in the report
expect() {
    seed=$1 states=$2
    shift 2
    out=$(DOZE_SEED=$seed "$explorer" "$states" 2>&1)
    status=$?
    for words in "$@"; do
        case $status$out in
        *Sanitizer* | *'runtime error'*) ;;
        1*"$words"*) continue ;;
        esac
        printf '%s\n' "$out" | tail -n 40
        echo "seeded: with seed '$seed' the explorer exits $status without '$words'" >&2
        exit 1
    done
}

expect silence 1000 'a state changed without a report' ' EXITED '
expect assertion 1000 'an assertion failed' ' EXITED '
expect state 1000 'an illegal transition was taken' 'idle -> draining (ttl)  ILLEGAL'
expect reason 1000 'an illegal transition was taken' 'absent (ttl)  ILLEGAL'
expect none 2 'NEVER TAKEN' 'NEVER TRIED'
echo 'seeded: all reported'
