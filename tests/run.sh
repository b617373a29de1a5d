#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PRESET - run every class of tests of one built preset; each ends with ctest's closing line.
set -eu
cd "$(dirname "$0")/.."
preset=${1:?preset}
obj=build/$preset/obj

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

if [ -e tests/e2e/package.json ]; then
    # npm ci only when the lock file is not the one installed.
    if ! cmp -s tests/e2e/package-lock.json tests/e2e/node_modules/.doze-lock; then
        echo "tests: npm ci in tests/e2e"
        (cd tests/e2e && npm ci --no-audit --no-fund --silent </dev/null) || {
            echo "tests: npm ci failed in tests/e2e (offline?)" >&2
            exit 1
        }
        cp tests/e2e/package-lock.json tests/e2e/node_modules/.doze-lock
    fi
fi

classes=$(ctest --test-dir "$obj" --print-labels | sed -n 's/^  //p')
failed=
for class in $classes; do
    echo "== $preset: $class"
    ctest --test-dir "$obj" -L "^$class\$" --output-on-failure --no-tests=error </dev/null ||
        failed="$failed $class"
done

[ -n "$classes" ] || { echo "tests: no tests in $obj" >&2; exit 1; }
[ -z "$failed" ] || { echo "tests: $preset build FAILED in:$failed" >&2; exit 1; }
