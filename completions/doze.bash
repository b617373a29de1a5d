# SPDX-License-Identifier: MIT
# bash completion for doze, and for lms where it is a link to doze.

_doze_options() {
    case $1 in
    load) echo --ttl --context-length --parallel --identifier --gpu --gpu-layers --keep --force --yes --json ;;
    unload) echo --all --json ;;
    ps) echo --json --quiet ;;
    ls) echo --llm --embedding --json --quiet ;;
    explain) echo --context-length --json ;;
    chat) echo --prompt --system --ttl --stats ;;
    settings | status | version) echo --json ;;
    'server start') echo --bind --cors --state-dir --json ;;
    'server status') echo --json ;;
    'prompts ls') echo --json ;;
    'prompts clear') echo --yes --json ;;
    log) echo --events --since --json ;;
    'log stream') echo --source --filter --stats --json ;;
    serve) echo --models-dir --state-dir --log-level ;;
    esac
    echo --host --port --help
}

# The values of a setting, or examples of them.
_doze_setting_values() {
    case $1 in
    jit | standby | cors | sdk_port | lmstudio_compat) echo on off ;;
    auto_evict) echo on off fit per_type ;;
    ttl_update) echo set ignore longest ;;
    prompt_store) echo on memory off ;;
    default_ttl | explicit_ttl | max_ttl) echo none 5m 1h 1d ;;
    load_stall_seconds | hang_seconds) echo 30s 1m 2m ;;
    switch_window_ms) echo 0 500ms 1s ;;
    jit_limit) echo 1 2 4 ;;
    max_waiting) echo 64 128 256 ;;
    memory_limit) echo none 8GB 16GB 32GB ;;
    body_limit) echo 16MB 32MB 64MB ;;
    prompt_store_bytes) echo 1GB 4GB 16GB ;;
    api_key | load | models | model_aliases) echo none ;;
    esac
}

_doze_settings() {
    "$1" settings 2>/dev/null | sed -e 1d -e 's/ .*//'
}

_doze_words() {
    case $1 in
    '' | help) echo serve load unload ps ls explain chat settings prompts server status log version help ;;
    server | 'help server') echo start stop status ;;
    prompts | 'help prompts') echo ls clear ;;
    log) echo stream --events ;;
    'help log') echo stream ;;
    settings) echo get set unset ;;
    'settings get' | 'settings set' | 'settings unset') _doze_settings "$2" ;;
    'settings set '*) _doze_setting_values "${1#settings set }" ;;
    load | explain | chat | 'prompts clear') "$2" ls --quiet 2>/dev/null ;;
    unload) "$2" ps --quiet 2>/dev/null ;;
    esac
}

# The words of the command line that are not options, as far as they choose what comes next.
_doze_command() {
    local command='' word i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --host | --port | -p) ((i++)) ;;
        -*) ;;
        *)
            case $command in
            '') command=$word ;;
            server | log | settings | prompts | help | 'settings set') command="$command $word" ;;
            esac
            ;;
        esac
    done
    echo "$command"
}

_doze() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command words
    command=$(_doze_command)
    case $previous in
    --source) words='model server' ;;
    -s) [[ $command == 'log stream' ]] && words='model server' ;;
    --filter) words='input output input,output' ;;
    --since) words='30m 1h 12h 1d 7d 30d' ;;
    --ttl) words='none 5m 1h 1d' ;;
    --gpu) words='max off' ;;
    --log-level) words='error warn info debug' ;;
    --state-dir | --models-dir) COMPREPLY=($(compgen -d -- "$current")) && return ;;
    esac
    if [[ -z $words && $current == -* ]]; then
        words=$(_doze_options "${command/#settings */settings}")
    elif [[ -z $words ]]; then
        words=$(_doze_words "$command" "$program")
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}

# Model names may contain ':'; complete them as one word.
COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}
complete -F _doze doze lms
