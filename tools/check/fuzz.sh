#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh SECONDS [TARGET CORPUS] - run one target of the fuzz build that long, from its committed
# corpus; without TARGET every one, as many at once as there are cores. New inputs stay in
# build/fuzz/found; one that crashes is written to build/fuzz.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:?seconds}
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

if [ $# -eq 1 ]; then
    [ -s build/fuzz/targets ] || { echo "fuzz: no targets" >&2; exit 1; }
    exec xargs -L 1 -P "$(nproc)" sh tools/check/fuzz.sh "$seconds" <build/fuzz/targets
fi

target=$2
corpus=$3
found=build/fuzz/found/$target
log=build/fuzz/$target.log
mkdir -p "$found"
if build/fuzz/"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -verbosity=1 \
    -artifact_prefix="build/fuzz/$target-" "$found" "$corpus" >"$log" 2>&1 </dev/null; then
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
    echo "fuzz: $target: $runs runs, no crash"
else
    tail -n 30 "$log"
    echo "fuzz: $target FAILED: see $log" >&2
    exit 1
fi
