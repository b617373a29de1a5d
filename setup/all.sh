#!/bin/sh
# SPDX-License-Identifier: MIT
# all.sh [test] - bring in whatever doze needs and does not have yet: Debian packages, llhttp and
# yyjson, the engine; with `test` also the tools of the tests and checks. Safe to run again.
set -eu
here=$(dirname "$0")
sh "$here/system-packages.sh" "${1:-build}"
sh "$here/borrowed-libs.sh"
sh "$here/engine.sh"
