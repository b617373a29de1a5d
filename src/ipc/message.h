/* SPDX-License-Identifier: MIT */
/*
 * message.h - the messages between daemon and worker.
 *
 * The worker is started as `doze-engine` with the socket on fd 3 and nothing else inherited but
 * stdin (/dev/null), stdout and stderr (the daemon's log). It says HELLO, gets one LOAD,
 * reports PROGRESS and then READY or FAILED (and exits after FAILED). End of file on the
 * socket, STOP, or the parent's death ends it. After PARKED it waits for a LOAD of the same
 * model with the same settings, and is READY again without reading the model. Times in payloads
 * are seconds as numbers.
 *
 * Every request gets exactly one DONE or ERROR, also after CANCEL (DONE with stop_reason
 * "userStopped"), whatever happens before; after it the worker forgets the number.
 */
#ifndef DOZE_IPC_MESSAGE_H
#define DOZE_IPC_MESSAGE_H

/* Bump when a payload changes; daemon and worker of different builds refuse one another. */
#define MESSAGE_VERSION 10

enum { WORKER_FD = 3 };

/* The socket for the bytes of memory that a worker lends to another node or borrows from one
 * (engine/lent.h), and the status it exits with when they end. */
enum { LENT_FD = 4, LENT_EXIT = 3 };

enum message_type {
    /* daemon -> worker */
    MSG_LOAD = 1, /* load_message.h */
    MSG_REQUEST,  /* one of the bodies of api/service.h, with "op" */
    MSG_CANCEL,   /* empty; unknown numbers are ignored */
    MSG_PAUSE,    /* empty: take no more tokens for this request until MSG_RESUME */
    MSG_RESUME,
    MSG_STOP,         /* drop everything, save processed prompts, exit 0; empty, or
                         {"finish":true}: what is computed ahead comes to its end first */
    MSG_FORGET,       /* empty: keep nothing of what has been processed, nor its files */
    MSG_GRANT,        /* growth_message.h: the answer to GROW, or that the limit has changed */
    MSG_MEASURE = 16, /* instead of LOAD, the same payload: say MEASURED or FAILED, and exit */
    MSG_CHECK,        /* instead of LOAD, {"seconds":x,"schema":"JSON","grammar":"GBNF",
                  "template":"Jinja","tools":[strict ones],"pictures":["data:..."],"calls":true
                  (beside the schema tools may be called)}, of a request: say CHECKED or
                  FAILED, and exit. seconds: of computing, then the kernel ends it */
    MSG_PARK, /* as STOP, to one without work: save processed prompts, give back all but the
                  model and say PARKED; or do as for STOP */

    MSG_LEND, /* instead of LOAD, {"bytes":n}: lend n bytes to the peer on LENT_FD;
                     says READY, {}, or FAILED */

    /* worker -> daemon */
    MSG_HELLO = 32, /* {"version":MESSAGE_VERSION,"engine":"llama.cpp v0.5.0"} */
    MSG_PROGRESS,   /* {"permille":n} while loading, at least every 5 s while it moves */
    MSG_READY,      /* {"architecture","quantization","parameters":n,"max_context_length":n,
                       the load settings as they are in force: "context_length":n (per request),
                       "parallel":n,"eval_batch_size":n,"chunk_size":n,"threads":n,
                       "flash_attention":bool, "memory_bytes":n,
                       "device":"cpu" or a description, "device_layers":n,
                       "device_memory_bytes":n,
                       "type":"llm"|"embeddings",
                       "capabilities":{"tool_use":bool,"reasoning":bool},
                       "sampling":{"temperature","top_k","top_p","min_p",
                       "repeat_penalty"} (of requests that say nothing else; not of embedders),
                       "load_seconds":x,
                       "library_seconds":x (of these in libllama),
                       "sandbox":"full"|"driver"|"calls"|"files"|"none",
                       "sandbox_missing":"sentence" (if it is not full)} */
    MSG_FAILED,     /* {"code":"model_load_failed"|"insufficient_memory"|...,"text":"sentence",
                    "param":"field at fault" (optional)} */
    MSG_STARTED,    /* {"prompt_tokens":n,"cached_tokens":n,"prompt":"...","cache_source":"...",
                    "cache_miss":"...","cache_common":n,"unenforced":"not, if",
                    "loose":true}: it has a slot. unenforced, of an answer with a schema, if the
                    engine knows: keywords that it does not enforce. loose, if it is: calls need
                    not fit the schema of a strict tool. The three before, of a generation, as
                    in base/terms.h: where the cached tokens were, why they are not more, and
                    how many tokens what is kept has in common with the prompt. prompt: the text
                    that the template made of a chat, if its body says "report_prompt":true and
                    it is not longer than 2 MiB */
    MSG_PROMPT,     /* {"processed":n,"total":n,"cached":n}: after each prompt batch */
    MSG_DELTA,      /* one step of an answer, see api/service.h "delta" */
    MSG_VECTOR,     /* embeddings: raw little-endian float32s of the next input, in order */
    MSG_DONE,       /* see api/service.h "done" */
    MSG_ERROR,      /* {"code":"...","text":"...","param":"..." (optional)}: ends the request */
    MSG_HEARTBEAT,  /* empty: every second while there is work, from the decode loop itself */
    MSG_LOG,        /* {"level":"warn","text":"..."}: for the daemon's log, bounded rate */
    MSG_MEMORY,     /* {"memory_bytes":n,"device_memory_bytes":n,
                      "reserved_bytes":n,
                      "repack":"none"|"waiting"|"running"|"done"}: what the worker takes now, or
                      will when what is under way is done, has changed; what it was granted
                      beyond that is given back */
    MSG_MEASURED =
        48,      /* {"model":n,"model_device":n,"context":n,"context_device":n}: bytes a load
                          would take, and how many of them on devices with their own memory */
    MSG_STORE,   /* {"entries":n,"bytes":n (on disk),"memory_bytes":n,"hits":n}: what the
                  prompt store holds for this model, and what was done since the start */
    MSG_GROW,    /* growth_message.h: it asks for more memory; one question at a time */
    MSG_CHECKED, /* {}: answers can be kept to what CHECK said, or only a model shows it */
    MSG_PARKED,  /* {"memory_bytes":n}: what it still takes */
};

#endif
