#!/bin/sh
# SPDX-License-Identifier: MIT
# all.sh - every check of `make check`, cheapest first. All run; fails if one did.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=

# step NAME COMMAND…
step() {
    name=$1
    shift
    "$@" </dev/null || failed="$failed $name"
}

format() {
    git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cpp' >build/check/sources
    if xargs clang-format --dry-run -Werror <build/check/sources >build/check/format.log 2>&1; then
        echo "format: $(wc -l <build/check/sources) files"
    else
        grep 'error:' build/check/format.log | sed 's/:[0-9]*:[0-9]*: .*//' | sort | uniq -c
        echo "format: not clang-formatted (number of places, file): \`make format\` does it" >&2
        return 1
    fi
}

scripts() {
    git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run | xargs shellcheck -x &&
        echo "shellcheck: ok"
}

cppcheck_all() {
    mkdir -p build/check/cppcheck
    cppcheck --project=build/release/obj/compile_commands.json -i build --quiet -j 2 \
        --cppcheck-build-dir=build/check/cppcheck --inline-suppr --error-exitcode=1 \
        --enable=warning,performance,portability --library=posix \
        --suppressions-list=tools/check/cppcheck.txt \
        --template='{file}:{line}: {severity}: {message} [{id}]' && echo "cppcheck: ok"
}

fuzz_shortly() {
    [ -d tests/fuzz ] || return 0
    sh setup/compile.sh fuzz fuzzers >build/check/fuzz-build.log 2>&1 || {
        tail -n 30 build/check/fuzz-build.log
        return 1
    }
    sh tools/check/fuzz.sh "${FUZZ_CHECK_SECONDS:-10}"
}

mkdir -p build/check
step selftest sh tools/check/selftest.sh
step layers python3 tools/check/layers.py
step circles python3 tools/check/circles.py
step style python3 tools/check/style.py
step format format
step scripts scripts
step cppcheck cppcheck_all
step clang-tidy python3 tools/check/tidy.py
step fuzz fuzz_shortly

if [ -n "$failed" ]; then
    echo "check: FAILED:$failed" >&2
    exit 1
fi
echo "check: all passed"
