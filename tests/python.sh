#!/bin/sh
# SPDX-License-Identifier: MIT
# python.sh [LIST ...] - pip install each list of requirements of the tests, or these, that is not
# the one installed: tests/CLASS/requirements.txt into build/deps/python/CLASS, requirements-x.txt,
# which may conflict with the first list, into CLASS-x.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- tests/*/requirements*.txt
for list; do
    [ -e "$list" ] || continue
    folder=${list%/*}
    part=${list##*/requirements}
    target=build/deps/python/${folder#tests/}${part%.txt}
    cmp -s "$list" "$target/.doze-list" && continue
    echo "tests: pip install for $list"
    rm -rf "$target"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --target "$target" --requirement "$list" </dev/null
    cp "$list" "$target/.doze-list"
done
