#!/bin/sh
# SPDX-License-Identifier: MIT
# all.sh - every client and agent, also those that the release build's tests leave out.
set -eu
cd "$(dirname "$0")/../.."
sh tests/run.sh release clients
cd tests/clients/more
if ! cmp -s package-lock.json node_modules/.doze-lock; then
    echo "tests: npm ci in tests/clients/more"
    npm ci --no-audit --no-fund --silent </dev/null
    cp package-lock.json node_modules/.doze-lock
fi
node --test
