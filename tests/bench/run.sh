#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh - `make bench`: measure, and write docs/benchmarks. In the environment, or after
# `make bench`:
#   PEER=/path/to/llama-server   measure the stock server too (docs/benchmarks/README.md)
#   RUNS=7                       runs of every row, alternating between the servers
#   ROWS=cold,return.evict.2000  these rows only; the figures of the others stay as they are
#   OUT=docs/benchmarks          where to write
set -eu
cd "$(dirname "$0")"
cmp -s package-lock.json node_modules/.doze-lock || {
    echo "bench: npm ci in tests/bench"
    npm ci --no-audit --no-fund --silent </dev/null
    cp package-lock.json node_modules/.doze-lock
}
sh ../python.sh tests/models/requirements.txt
exec node bench.js
