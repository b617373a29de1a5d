# SPDX-License-Identifier: MIT
# bash completion for doze, and for lms where it is a link to doze.

_doze_options() {
    case $1 in
    load) echo --ttl --context-length --parallel --identifier --gpu --gpu-layers --keep --force --yes --json ;;
    unload) echo --all --json ;;
    ps) echo --json --quiet ;;
    ls) echo --llm --embedding --json --quiet ;;
    chat) echo --prompt --system --ttl --stats ;;
    settings) echo --json ;;
    'server start') echo --bind --cors --state-dir --json ;;
    'server status') echo --json ;;
    'prompts ls' | 'prompts clear') echo --json ;;
    log) echo --events --since --json ;;
    'log stream') echo --source --filter --stats --json ;;
    serve) echo --models-dir --state-dir --log-level ;;
    esac
    echo --host --port --help
}

_doze_words() {
    case $1 in
    '') echo serve load unload ps ls chat settings prompts server status log version help ;;
    server) echo start stop status ;;
    prompts) echo ls clear ;;
    log) echo stream ;;
    settings) echo get set ;;
    load | chat | 'prompts clear') "$2" ls --quiet 2>/dev/null ;;
    unload) "$2" ps --quiet 2>/dev/null ;;
    'settings get' | 'settings set')
        "$2" settings 2>/dev/null | sed -e 1d -e 's/ .*//' ;;
    esac
}

_doze() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command='' word i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --host | --port | -p) ((i++)) ;;
        -*) ;;
        *)
            case $command in
            '') command=$word ;;
            server | log | settings | prompts) command="$command $word" ;;
            esac
            ;;
        esac
    done
    case $previous in
    --source | -s) [[ $command == 'log stream' ]] && COMPREPLY=($(compgen -W 'model server' -- "$current")) && return ;;
    --filter) COMPREPLY=($(compgen -W 'input output' -- "$current")) && return ;;
    --gpu) COMPREPLY=($(compgen -W 'max off' -- "$current")) && return ;;
    --state-dir | --models-dir) COMPREPLY=($(compgen -d -- "$current")) && return ;;
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$(_doze_options "${command/#settings */settings}")" -- "$current"))
    else
        COMPREPLY=($(compgen -W "$(_doze_words "$command" "$program")" -- "$current"))
    fi
}

# Model names may have ':' in them; the rest of the word is completed as it stands.
COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}
complete -F _doze doze lms
