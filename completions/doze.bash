# SPDX-License-Identifier: MIT
# bash completion for doze, and for lms where it is a link to doze.

_doze_options() {
    case $1 in
    load) echo --ttl --context-length --parallel --identifier --gpu --gpu-layers --adapter --draft-model --exact --estimate-only --prefetch --keep --force --yes --json ;;
    unload) echo --all --json ;;
    ps) echo --json --quiet --watch ;;
    ls) echo --llm --embedding --detailed --variants --json --quiet ;;
    explain) echo --context-length --json ;;
    fleet) echo --model --json ;;
    run | chat) echo --prompt --system --ttl --stats ;;
    import) echo --move --copy --hard-link --symbolic-link --user-repo --dry-run --yes --json ;;
    get) echo --yes --select --revision --quiet --json --gguf ;;
    rm) echo --yes --force --foreign --json ;;
    settings | show | status | version) echo --json ;;
    'server start') echo --bind --cors --state-dir --json ;;
    'server status') echo --json --quiet --verbose --log-level ;;
    'daemon update') echo --beta ;;
    daemon* | runtime*) echo --json ;;
    'prompts ls' | 'token ls' | 'engine ls' | 'engine use') echo --json ;;
    'engine install') echo --from ;;
    'token create') echo --permissions --models --expires --json ;;
    'token revoke') echo --open --json ;;
    'prompts clear') echo --yes --json ;;
    log) echo --events --since --all --lines --json ;;
    'log stream') echo --source --filter --stats --json ;;
    serve) echo --ollama --exit-when-idle --models-dir --state-dir --log-level ;;
    esac
    echo --host --port --help
}

# The values of a setting, or examples of them.
_doze_setting_values() {
    case $1 in
    jit | evict_on_pressure | standby | cors | sdk_port | lmstudio_compat | \
        ollama_default_keep_alive) echo on off ;;
    auto_evict) echo on off fit per_type ;;
    ttl_update) echo set ignore longest ;;
    prompt_store) echo on memory off ;;
    parked_workers) echo auto on off ;;
    parked_seconds) echo none 10m 1h 1d ;;
    engine) echo auto cpu vulkan cuda ;;
    default_ttl | explicit_ttl | max_ttl) echo none 5m 1h 1d ;;
    load_stall_seconds | hang_seconds) echo 30s 1m 2m ;;
    switch_window_ms) echo 0 500ms 1s ;;
    jit_limit) echo 1 2 4 ;;
    max_waiting) echo 64 128 256 ;;
    download_connections) echo 1 2 4 8 ;;
    ollama_port) echo 0 11434 ;;
    memory_limit | device_memory_limit) echo none 8GB 16GB 32GB ;;
    body_limit) echo 16MB 32MB 64MB ;;
    prompt_store_bytes) echo 1GB 4GB 16GB ;;
    response_store_bytes) echo 0 1GB 4GB ;;
    response_store_age) echo 1d 7d 30d ;;
    allowed_hosts | allowed_origins | api_key | load | models | model_aliases | fleet) echo none ;;
    tls_cert | tls_key) echo none /etc/ ;;
    esac
}

_doze_settings() {
    "$1" settings 2>/dev/null | sed -e 1d -e 's/ .*//'
}

_doze_words() {
    case $1 in
    '' | help) echo serve load unload ps ls show get import rm explain fleet run chat settings engine token prompts server status log daemon runtime version help ;;
    server | 'help server') echo start stop status ;;
    prompts | 'help prompts') echo ls clear ;;
    engine | 'help engine') echo ls install use ;;
    'engine install') echo vulkan cuda ;;
    'engine use') echo auto cpu vulkan cuda ;;
    token | 'help token') echo create ls revoke ;;
    'token revoke') "$2" token ls 2>/dev/null | sed -e 1d -e 's/ .*//' ;;
    daemon | 'help daemon') echo up down status update ;;
    runtime | 'help runtime') echo ls survey select get update remove ;;
    log) echo stream --events ;;
    'help log') echo stream ;;
    settings) echo get set unset ;;
    'settings get' | 'settings set' | 'settings unset') _doze_settings "$2" ;;
    'settings set '*) _doze_setting_values "${1#settings set }" ;;
    load | ls | show | rm | explain | run | chat | 'prompts clear') "$2" ls --quiet 2>/dev/null ;;
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
            server | log | settings | engine | token | prompts | daemon | runtime | help | 'settings set') command="$command $word" ;;
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
    --permissions) words='inference models settings events admin' ;;
    --expires) words='1d 30d 365d' ;;
    --since) words='30m 1h 12h 1d 7d 30d' ;;
    --ttl) words='none 5m 1h 1d' ;;
    --gpu) words='max off 0.5' ;;
    --log-level) words='error warn info debug' ;;
    --state-dir | --models-dir) COMPREPLY=($(compgen -d -- "$current")) && return ;;
    esac
    if [[ $command == import && $current != -* ]]; then
        COMPREPLY=($(compgen -f -X '!*.gguf' -- "$current") $(compgen -d -- "$current"))
        return
    fi
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
