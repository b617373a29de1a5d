#!/bin/sh
# SPDX-License-Identifier: MIT
# prepare.sh - npm ci for the tests of the web page, here and in web/ (vitest), unless it is done.
set -eu
cd "$(dirname "$0")"
for folder in . ../../web; do
    (
        cd "$folder"
        cmp -s package-lock.json node_modules/.doze-lock && exit 0
        npm ci --no-audit --no-fund --silent </dev/null
        cp package-lock.json node_modules/.doze-lock
    )
done
