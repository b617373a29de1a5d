#!/bin/sh
# SPDX-License-Identifier: MIT
# all.sh [-y] [test] - fetch what doze needs and does not have yet: Debian packages, llhttp and
# yyjson, the engine; with `test` also the tools of the tests and checks. Safe to run again.
# -y: install packages without asking.
set -eu
here=$(dirname "$0")
sh "$here/system-packages.sh" "$@"
sh "$here/borrowed-libs.sh"
sh "$here/engine.sh"
sh "$here/guidance.sh"
case $* in *test) sh "$here/etcd.sh" ;; esac
case "$(uname -m) $*" in
x86_64*test) sh "$here/engine-variant.sh" vulkan "$here/../build/deps/engines" ;;
esac
