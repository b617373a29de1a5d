#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh SECONDS - run every target of the fuzz build that long, from its committed corpus.
# What is found anew stays in build/fuzz/found; a crashing input is written to build/fuzz.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:?seconds}
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

[ -s build/fuzz/targets ] || { echo "fuzz: no targets" >&2; exit 1; }
failed=
while read -r target corpus; do
    found=build/fuzz/found/$target
    mkdir -p "$found"
    log=build/fuzz/$target.log
    if build/fuzz/"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -verbosity=1 \
        -artifact_prefix="build/fuzz/$target-" "$found" "$corpus" >"$log" 2>&1 </dev/null; then
        echo "fuzz: $target: $(sed -n 's/^stat::number_of_executed_units: *//p; s/^Done \([0-9]*\) runs.*/\1 runs, no crash/p' "$log")"
    else
        failed="$failed $target"
        tail -n 30 "$log"
        echo "fuzz: $target FAILED: see $log" >&2
    fi
done <build/fuzz/targets
[ -z "$failed" ]
