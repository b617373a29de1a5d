#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PRESET - run every class of tests of one built preset. Each ends with its runner's summary:
# ctest's closing line, or node's list of counts for the end-to-end tests.
set -eu
cd "$(dirname "$0")/.."
preset=${1:?preset}
obj=build/$preset/obj
programs=build/$preset
[ "$preset" = release ] && programs=build

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

classes=$(ctest --test-dir "$obj" --print-labels | sed -n 's/^  //p')
failed=
for class in $classes; do
    echo "== $preset: $class"
    ctest --test-dir "$obj" -L "^$class\$" --output-on-failure --no-tests=error </dev/null ||
        failed="$failed $class"
done

# npm ci only when the lock file is not the one installed.
npm_ci() {
    cmp -s package-lock.json node_modules/.doze-lock && return 0
    echo "tests: npm ci in tests/e2e"
    npm ci --no-audit --no-fund --silent </dev/null && cp package-lock.json node_modules/.doze-lock
}

echo "== $preset: e2e"
doze=$PWD/$programs/doze
(cd tests/e2e && npm_ci && DOZE_BIN=$doze timeout 1800 node --test --test-reporter=spec </dev/null) ||
    failed="$failed e2e"

[ -n "$classes" ] || { echo "tests: no tests in $obj" >&2; exit 1; }
[ -z "$failed" ] || { echo "tests: $preset build FAILED in:$failed" >&2; exit 1; }
