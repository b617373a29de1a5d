#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh CC DIR - seeds the bugs of lifecycle.txt, one at a time, in a copy of the lifecycle core
# and fails if the scenarios, the explorer and the walk all pass with one of them. DIR is for the
# builds.
#
# A bug is one line of lifecycle.txt: name, file, sed command, by tabs. It must change at least one
# line, and the result must compile; else the list no longer fits the code, which is an error too.
set -u
cc=$1
dir=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
list=$root/tools/mutants/lifecycle.txt
core=$root/src/lifecycle
judges=$root/tests/explore
flags="-std=c17 -D_GNU_SOURCE -O1 -I$root/src -I$root/tests/explore"
small="-DLC_MAX_SLOTS=4 -DLC_MAX_REQUESTS=6"
states=4000
steps=15000

fail() {
    echo "mutants: $*" >&2
    exit 1
}

# compile OUT DEFINES FILE...: the objects of FILEs in OUT/
compile() {
    out=$1 defines=$2
    shift 2
    mkdir -p "$out" || return 1
    for source in "$@"; do
        # shellcheck disable=SC2086 # flags and definitions are lists
        $cc $flags $defines -c "$source" -o "$out/$(basename "$source" .c).o" || return 1
    done
}

# link CORE_FULL CORE_SMALL OUT: the three judges with this core
link() {
    mkdir -p "$3" &&
        $cc "$dir"/scenarios/*.o "$1"/*.o -lcmocka -o "$3/scenarios" &&
        $cc "$dir"/walk/*.o "$1"/*.o -o "$3/walk" &&
        $cc "$dir"/explorer/*.o "$2"/*.o -o "$3/explorer"
}

# caught BIN: names the first judge that fails, or nothing
caught() {
    timeout 60 "$1/scenarios" >/dev/null 2>&1 || { echo scenarios; return; }
    timeout 60 "$1/explorer" $states >/dev/null 2>&1 || { echo explorer; return; }
    timeout 60 "$1/walk" $steps >/dev/null 2>&1 || echo walk
}

build_all() {
    compile "$dir/scenarios" "" "$root"/tests/unit/lifecycle/*.c \
        "$judges"/monitor.c "$judges"/rules.c &&
        compile "$dir/walk" "" "$judges"/walk.c "$judges"/monitor.c "$judges"/rules.c &&
        compile "$dir/explorer" "$small" "$judges"/[deklmr]*.c &&
        compile "$dir/full" "" "$core"/*.c &&
        compile "$dir/small" "$small" "$core"/*.c &&
        link "$dir/full" "$dir/small" "$dir/bin"
}

# build_bug FILE: the judges with this one file changed
build_bug() {
    rm -rf "$dir/full.bug" "$dir/small.bug"
    cp -r "$dir/full" "$dir/full.bug" &&
        cp -r "$dir/small" "$dir/small.bug" &&
        compile "$dir/full.bug" "" "$dir/src/$1" &&
        compile "$dir/small.bug" "$small" "$dir/src/$1" &&
        link "$dir/full.bug" "$dir/small.bug" "$dir/bin"
}

rm -rf "$dir"
build_all || fail "the tests do not compile"
judge=$(caught "$dir/bin")
[ -z "$judge" ] || fail "without any bug the $judge fails already"

tab=$(printf '\t')
total=0 killed=0 survivors=
mkdir -p "$dir/src"
while IFS=$tab read -r name file edit; do
    case $name in '' | \#*) continue ;; esac
    total=$((total + 1))
    sed "$edit" "$core/$file" >"$dir/src/$file" || fail "$name: bad sed command"
    cmp -s "$core/$file" "$dir/src/$file" && fail "$name: does not change $file any more"
    build_bug "$file" || fail "$name: does not compile"
    judge=$(caught "$dir/bin")
    if [ -n "$judge" ]; then
        killed=$((killed + 1))
        echo "$name: caught by the $judge"
    else
        survivors="$survivors $name"
        echo "$name: SURVIVED"
    fi
done <"$list"

echo "$total mutants, $killed killed"
[ "$total" -ge 20 ] || fail "too few bugs"
[ -z "$survivors" ] || fail "survived:$survivors"
