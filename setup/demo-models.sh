#!/bin/sh
# SPDX-License-Identifier: MIT
# demo-models.sh [flags of doze serve] - make two small demo models if this machine has no model
# where doze will look: the folders of --models-dir or DOZE_MODELS_DIR, else the default ones.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

chosen=${DOZE_MODELS_DIR:-}
while [ $# -gt 0 ]; do
    case $1 in
    --models-dir) chosen=${2:-} ;;
    --models-dir=*) chosen=${1#*=} ;;
    esac
    shift
done

home=$HOME/.local/share/doze/models
if [ -n "$chosen" ]; then
    home=$chosen
    set -- "$chosen"
else
    set -- "$home" "$HOME/.lmstudio/models" "${HF_HOME:-$HOME/.cache/huggingface}/hub"
fi

for folder in "$@"; do
    [ -d "$folder" ] || continue
    [ -z "$(find -L "$folder" -name '*.gguf' -print -quit 2>/dev/null)" ] || exit 0
done

say "no models yet: making two demo models in $home"
mkdir -p "$home" || die "cannot make $home: choose another folder with DOZE_MODELS_DIR"
"$ROOT/build/make-model" demo --dir "$home"
