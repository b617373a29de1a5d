#!/bin/sh
# SPDX-License-Identifier: MIT
# guidance.sh - build llguidance, which keeps answers to JSON schemas: its release and all that it
# stands on are pinned in guidance/Cargo.lock. About a minute of computing, once.
#
#   build/deps/guidance/lib       libdoze_guidance.so, and the licences of what is in it
#   build/deps/guidance/include   llguidance.h
#
# Without Rust 1.87 or the network doze is built without it: llama.cpp's grammars serve then,
# which enforce less. `doze version` says which it is.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

CRATE=$ROOT/setup/guidance
GUIDANCE=$DEPS/guidance
CARGO_HOME=$DEPS/cargo
CARGO_TARGET_DIR=$DEPS/guidance.target
export CARGO_HOME CARGO_TARGET_DIR

wanted() { (cd "$CRATE" && cat Cargo.lock Cargo.toml lib.rs); }

without() {
    say "structured output by llama.cpp's own grammars: $*"
    exit 0
}

# Of every crate in the lock file, what its author wants to be handed on.
licences() {
    for crate in "$CARGO_HOME"/registry/src/*/*/; do
        name=$(basename "$crate")
        grep -q "^name = \"${name%-*}\"" "$CRATE/Cargo.lock" || continue
        for file in "$crate"LICENSE-MIT "$crate"LICENSE "$crate"LICENSE.md "$crate"LICENSE-ZLIB; do
            [ -f "$file" ] || continue
            printf '\n==== %s ====\n\n' "$name"
            cat "$file"
            break
        done
    done
}

wanted | cmp -s - "$GUIDANCE/wanted" && exit 0
find_cargo || without "there is no Rust 1.$RUST_MINOR or newer (cargo, rustc)"
export RUSTC

say "building llguidance (about a minute)"
mkdir -p "$CARGO_HOME"
"$cargo" build --release --locked --manifest-path "$CRATE/Cargo.toml" \
    >"$DOWNLOAD/guidance.log" 2>&1 ||
    without "llguidance could not be built (see build/deps/download/guidance.log)"

work=$GUIDANCE.new
rm -rf "$work"
mkdir -p "$work/lib" "$work/include"
cp "$CARGO_TARGET_DIR/release/libdoze_guidance.so" "$work/lib/"
cp "$CARGO_HOME"/registry/src/*/llguidance-1.9.1/llguidance.h "$work/include/"
licences >"$work/lib/LICENSE.llguidance"
wanted >"$work/wanted"
rm -rf "$GUIDANCE" "$CARGO_TARGET_DIR"
mv "$work" "$GUIDANCE"
say "llguidance is in build/deps/guidance"
