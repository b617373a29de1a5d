#!/bin/sh
# SPDX-License-Identifier: MIT
# all.sh - every client and agent, also those that the release build's tests leave out.
set -eu
cd "$(dirname "$0")/../.."
sh tests/run.sh release clients
cd tests/clients/more
if ! cmp -s package-lock.json node_modules/.doze-lock; then
    # Not npm ci: it refuses a lock file without the agents' programs for other systems, which this
    # project's registry does not have. Versions and checksums are the lock file's all the same.
    echo "tests: npm install in tests/clients/more"
    npm install --no-save --no-audit --no-fund --silent </dev/null
    cp package-lock.json node_modules/.doze-lock
fi
node --test
