#!/bin/sh
# SPDX-License-Identifier: MIT
# compile.sh PRESET [TARGET…] - configure one preset of CMakePresets.json, against the llama.cpp of
# DOZE_LLAMA_DIR if that is set, and build the targets (none: everything, tests too). The engine's
# files are brought in first, if they are not those that engine.sh names.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

preset=${1:?preset}
shift
cd "$ROOT"
sh setup/engine.sh
mkdir -p "build/$preset"
log=build/$preset/configure.log
cmake --preset "$preset" -DDOZE_LLAMA_DIR="${DOZE_LLAMA_DIR:-}" >"$log" 2>&1 || {
    cat "$log" >&2
    die "CMake could not configure the $preset build"
}
cmake --build "build/$preset/obj" ${1:+--target "$@"}
