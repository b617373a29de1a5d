# SPDX-License-Identifier: MIT
# fish completion for doze, and for lms where it is a link to doze.

# The values of the setting that the command line names, or examples of them.
function __doze_setting_values
    set -l tokens (commandline -opc)
    switch $tokens[-1]
        case jit evict_on_pressure standby cors sdk_port lmstudio_compat ollama_default_keep_alive
            printf '%s\n' on off
        case auto_evict
            printf '%s\n' on off fit per_type
        case ttl_update
            printf '%s\n' set ignore longest
        case prompt_store
            printf '%s\n' on memory off
        case parked_workers
            printf '%s\n' auto on off
        case parked_seconds
            printf '%s\n' none 10m 1h 1d
        case engine
            printf '%s\n' auto cpu vulkan cuda
        case default_ttl explicit_ttl max_ttl
            printf '%s\n' none 5m 1h 1d
        case load_stall_seconds hang_seconds
            printf '%s\n' 30s 1m 2m
        case switch_window_ms
            printf '%s\n' 0 500ms 1s
        case jit_limit
            printf '%s\n' 1 2 4
        case max_waiting
            printf '%s\n' 64 128 256
        case download_connections
            printf '%s\n' 1 2 4 8
        case ollama_port
            printf '%s\n' 0 11434
        case memory_limit device_memory_limit
            printf '%s\n' none 8GB 16GB 32GB
        case body_limit
            printf '%s\n' 16MB 32MB 64MB
        case prompt_store_bytes
            printf '%s\n' 1GB 4GB 16GB
        case response_store_bytes
            printf '%s\n' 0 1GB 4GB
        case response_store_age
            printf '%s\n' 1d 7d 30d
        case allowed_hosts allowed_origins api_key load models model_aliases fleet
            echo none
        case tls_cert tls_key
            printf '%s\n' none /etc/
    end
end

set -l words serve load unload ps ls show get import rm explain fleet run chat settings engine token prompts server status log daemon runtime version help
set -l none "not __fish_seen_subcommand_from $words"

for name in doze lms
    complete -c $name -f
    complete -c $name -l host -x -d 'Server to ask'
    complete -c $name -l port -x -d 'Its port'
    complete -c $name -s h -l help -d 'Show the options'

    complete -c $name -n $none -a serve -d 'Serve models in the foreground'
    complete -c $name -n $none -a load -d 'Load a model'
    complete -c $name -n $none -a unload -d 'Unload a model'
    complete -c $name -n $none -a ps -d 'List the loaded models'
    complete -c $name -n $none -a ls -d 'List the models on disk'
    complete -c $name -n $none -a show -d 'What is known of a model'
    complete -c $name -n $none -a get -d 'Download a model from the hub'
    complete -c $name -n $none -a import -d 'Bring GGUF files into the models folder'
    complete -c $name -n $none -a rm -d 'Remove models from the disk'
    complete -c $name -n $none -a explain -d 'What a request for a model would cause now'
    complete -c $name -n $none -a fleet -d 'The servers of the fleet'
    complete -c $name -n $none -a run -d 'Talk to a model, or ask it one question'
    complete -c $name -n $none -a chat -d 'Talk to a model'
    complete -c $name -n $none -a settings -d 'Show or change the settings'
    complete -c $name -n $none -a token -d 'API keys of the server'
    complete -c $name -n $none -a prompts -d 'Processed prompts kept on disk'
    complete -c $name -n $none -a server -d 'Start or stop the server'
    complete -c $name -n $none -a status -d 'Server and loaded models'
    complete -c $name -n $none -a log -d 'What goes into and out of the models'
    complete -c $name -n $none -a daemon -d 'The server, as LM Studio names it'
    complete -c $name -n $none -a engine -d 'Engines that run models'
    complete -c $name -n $none -a runtime -d 'The engine and the machine'
    complete -c $name -n $none -a version -d 'Version of this program'
    complete -c $name -n $none -a help -d 'Commands and their options'

    set -l in '__fish_seen_subcommand_from'
    set -l keys "($name settings 2>/dev/null | sed -e 1d -e 's/ .*//')"
    complete -c $name -n "$in load ls show rm explain run chat" -a "($name ls --quiet 2>/dev/null)"
    complete -c $name -n "$in load run chat" -l ttl -x -a 'none 5m 1h 1d' -d 'Unload when idle for this long'
    complete -c $name -n "$in fleet" -s m -l model -x -a "($name ls --quiet 2>/dev/null)" -d 'Where a request for it would go'
    complete -c $name -n "$in load explain" -s c -l context-length -x -d 'Tokens of context'
    complete -c $name -n "$in load" -l parallel -x -d 'Requests served at the same time'
    complete -c $name -n "$in load" -l identifier -x -d 'Name in the API'
    complete -c $name -n "$in load" -l gpu -x -a 'max off 0.5' -d 'Layers on the GPU'
    complete -c $name -n "$in load" -l gpu-layers -x -d 'Layers on the GPU'
    complete -c $name -n "$in load" -l adapter -r -d 'Add a LoRA adapter'
    complete -c $name -n "$in load" -l draft-model -x -d 'Smaller model that guesses tokens'
    complete -c $name -n "$in load" -l exact -d 'Take no part of a name'
    complete -c $name -n "$in load" -l estimate-only -d 'Say what memory it would take'
    complete -c $name -n "$in load" -l prefetch -d 'Only read its file into memory'
    complete -c $name -n "$in ps" -s w -l watch -d 'Again every second'
    complete -c $name -n "$in ls" -l detailed -d 'All that is known'
    complete -c $name -n "$in ls" -l variants -d 'Group the quantizations of a model'
    complete -c $name -n "$in status" -s v -l verbose -d 'Address and models, too'
    complete -c $name -n "$in daemon" -a 'up down status update'
    complete -c $name -n "$in daemon" -l beta -d 'No such channel'
    complete -c $name -n "$in engine" -a 'ls install use auto cpu vulkan cuda'
    complete -c $name -n "$in engine" -l from -r -d 'Its package'
    complete -c $name -n "$in runtime" -a 'ls survey select get update remove'
    complete -c $name -n "$in load" -l keep -d 'Load it again when the server starts'
    complete -c $name -n "$in import" -a '(__fish_complete_suffix .gguf)'
    complete -c $name -n "$in import" -l move -d 'Move the files'
    complete -c $name -n "$in import" -s c -l copy -d 'Copy them'
    complete -c $name -n "$in import" -s L -l hard-link -d 'The same files, on the same disk'
    complete -c $name -n "$in import" -s l -l symbolic-link -d 'Link to where they are'
    complete -c $name -n "$in import" -l user-repo -x -d 'Folders to put them in'
    complete -c $name -n "$in import" -l dry-run -d 'Say what would be done'
    complete -c $name -n "$in rm" -s f -l force -d 'Unload it first if it is loaded'
    complete -c $name -n "$in rm" -l foreign -d 'Also from the folders of other programs'
    complete -c $name -n "$in load" -l force -d 'Load it even if memory seems too small'
    complete -c $name -n "$in load get import rm prompts" -s y -l yes -d 'Do not ask'
    complete -c $name -n "$in get" -l select -d 'Choose the quantization'
    complete -c $name -n "$in get" -l revision -x -d 'Branch, tag or commit'
    complete -c $name -n "$in get" -s q -l quiet -d 'No progress bar'
    complete -c $name -n "$in get" -l gguf -d 'GGUF files'
    complete -c $name -n "$in unload" -a "($name ps --quiet 2>/dev/null)"
    complete -c $name -n "$in unload" -s a -l all -d 'Every loaded model'
    complete -c $name -n "$in ps ls status" -s q -l quiet -d 'Names only'
    complete -c $name -n "$in ls" -l llm -d 'Language models'
    complete -c $name -n "$in ls" -l embedding -d 'Embedding models'
    complete -c $name -n "$in run chat" -s p -l prompt -x -d 'Ask this one question'
    complete -c $name -n "$in run chat" -s s -l system -x -d 'System message'
    complete -c $name -n "$in run chat log" -l stats -d 'Figures of each answer'
    complete -c $name -n "$in settings; and not $in get set unset" -a 'get set unset'
    complete -c $name -n "$in settings; and $in get set unset" -a "$keys"
    complete -c $name -n "$in settings; and $in set" -a '(__doze_setting_values)'
    complete -c $name -n "$in prompts" -a 'ls clear'
    complete -c $name -n "$in token" -a 'create ls revoke'
    complete -c $name -n "$in token" -s P -l permissions -x -a 'inference models settings events admin' -d 'What it may do'
    complete -c $name -n "$in token" -s m -l models -x -a "($name ls --quiet 2>/dev/null)" -d 'Only for these models'
    complete -c $name -n "$in token" -s e -l expires -x -a '1d 30d 365d' -d 'When it ends'
    complete -c $name -n "$in token" -l open -d 'Also the last one'
    complete -c $name -n "$in server" -a 'start stop status'
    complete -c $name -n "$in server" -l bind -x -d 'Address to listen on'
    complete -c $name -n "$in server" -l cors -d 'Allow other origins'
    complete -c $name -n "$in serve" -l exit-when-idle -x -a '10m 1h' -d 'Leave after so long without anything to do'
    complete -c $name -n "$in serve" -l ollama -d "Listen on Ollama's port, too"
    complete -c $name -n "$in server serve" -l state-dir -x -a '(__fish_complete_directories)' -d 'Folder for settings and log'
    complete -c $name -n "$in serve" -l models-dir -x -a '(__fish_complete_directories)' -d 'Folder of models'
    complete -c $name -n "$in serve status" -l log-level -x -a 'error warn info debug' -d 'How much to log'
    complete -c $name -n "$in log" -a stream
    complete -c $name -n "$in log" -l events -d 'What happened to the models'
    complete -c $name -n "$in log" -s n -l lines -x -a '10 100' -d 'Only the newest'
    complete -c $name -n "$in log" -s a -l all -d 'Also each beginning and end of work'
    complete -c $name -n "$in log" -l since -x -a '30m 1h 12h 1d 7d 30d' -d 'How far back'
    complete -c $name -n "$in log" -s s -l source -x -a 'model server' -d 'What to show'
    complete -c $name -n "$in log" -l filter -x -a 'input output input,output' -d 'Prompts or answers'
    complete -c $name -n "$in load unload ps ls show get import rm explain fleet settings engine token prompts server status log daemon runtime version" -l json -d 'Print JSON'
end
