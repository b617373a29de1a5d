/* SPDX-License-Identifier: MIT */
/*
 * service.h - the only door between the dialects and the instances.
 *
 * A dialect (OpenAI, LM Studio v0 / v1, its WebSocket) is a pure translator: request bytes ->
 * the neutral request below; neutral events -> reply bytes. The daemon implements
 * struct service on the lifecycle and its workers; a remote node could be another
 * implementation. Everything runs on the event loop's thread.
 *
 * ## The neutral body (`body` of a request; the worker gets it as it is)
 *
 * Always: "op". Fields a client did not give are absent; the worker has the defaults.
 *   sampling, for chat and completion:
 *     "max_tokens":int>=0 (absent: to the end of the context), "temperature","top_p","min_p",
 *     "repeat_penalty","presence_penalty","frequency_penalty": number, "top_k":int (0: off),
 *     "typical_p" (1: off), "xtc_probability" (0: off), "xtc_threshold": number, "mirostat":
 *     0 (off) | 1 | 2, with "mirostat_tau","mirostat_eta": number,
 *     "seed":int, "stop":[string...], "logit_bias":{"<token id>":number},
 *     "logprobs":int (how many alternatives per token, 0: the chosen one only; absent: none),
 *     "cache_prompt":bool, "prompt_cache_key":string (equal ones: the same conversation),
 *     "overflow":"stop"|"truncate_middle"|"rolling_window" (for a text
 *     longer than the context)
 *   {"op":"chat", "messages":[OpenAI messages; content a string or parts], "tools":[OpenAI
 * tools], "tool_choice":"auto"|"none"|"required"|{"type":"function","function":{"name"}},
 *    "parallel_tool_calls":bool, "response_format":{"type":"text"|"json_object"|"json_schema",
 *    "json_schema":{"schema":{}}}, "grammar":GBNF, "reasoning_effort":string,
 *    "reasoning_budget":int>=0 (tokens of each thinking part, which then ends),
 *    "chat_template_kwargs":{}, "chat_template":Jinja instead of the model's own,
 *    "add_generation_prompt":bool, "continue_final_message":bool (the answer continues the
 *    last message; absent: if that is the assistant's, has text and no calls),
 *    "report_prompt":bool (the worker's STARTED carries the templated prompt, for the log)}
 *   {"op":"completion", "prompt":string | [token...], "suffix":string, "echo":bool,
 *    "grammar":GBNF}
 *     (one prompt; a dialect makes one request per prompt)
 *   {"op":"embedding", "input":[string | [token...], ...], "truncate":bool (what is longer than
 *    the context is cut at its end; absent: refused)}
 *   {"op":"rerank", "query":string, "documents":[string, ...]}; a vector of one number, 0 to 1,
 *    for each document
 *   {"op":"tokenize", "text":string, "add_special":bool, "parse_special":bool, "pieces":bool}
 *   {"op":"template", ...the fields of chat; answers the prompt text. "bos","eos":bool, whether
 *    these marks are part of it where the tokenizer adds them (absent: as the template says),
 *    "count":bool, answer how many tokens it has instead}
 *
 * ## delta (MSG_DELTA payload)
 *   {"content":"...", "reasoning":"...", "tool_calls":[{"index":n,"id":"..","name":"..",
 *    "arguments":"piece"}], "logprobs":[{"token":"..","id":n,"bytes":[..],"logprob":x,
 *    "top_logprobs":[{...}]}]}    every field optional; whole UTF-8 characters only;
 *    id and name once, in the first piece of a call
 *
 * ## done (MSG_DONE payload)
 *   {"stop_reason":"eosFound"|..., "stop_string":"..", "prompt_tokens":n, "cached_tokens":n,
 *    "cache_source":"slot"|..., "cache_miss":"new"|... (base/terms.h),
 *    "completion_tokens":n, "reasoning_tokens":n, "drafted_tokens":n,
 *    "accepted_tokens":n, "ignored_tokens":n, "draft_pauses":n (guesses of the next tokens;
 *    absent: none),
 *    "prompt_seconds":x, "generation_seconds":x,
 *    "time_to_first_token":x (from the worker's receipt),
 *    "result":{...} for tokenize {"tokens":[..],"pieces":[..]} and template {"prompt":".."} or
 *    {"tokens":n}}
 */
#ifndef DOZE_API_SERVICE_H
#define DOZE_API_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "api/sealed_body.h"
#include "base/byte_budget.h"
#include "base/error.h"
#include "base/log.h"
#include "base/msec.h"
#include "base/terms.h"
#include "load/load_settings.h"

enum service_op {
    OP_CHAT,
    OP_COMPLETION,
    OP_EMBEDDING,
    OP_RERANK,
    OP_TOKENIZE,
    OP_TEMPLATE,
};

/* A ttl as a client gave it. */
struct ttl {
    bool given;
    msec value; /* MSEC_NEVER: none; 0: as soon as idle */
};

/* The only models that a client may use, by key. None: it may use all. */
struct allowed_models {
    char **keys;
    size_t count;
};

/* The caller frees the copy with allowed_models_clear. */
struct allowed_models allowed_models_copy(const struct allowed_models *allowed);
void allowed_models_clear(struct allowed_models *allowed);
/* Fail with ERR_FORBIDDEN and a sentence unless it may use the model of this key. */
bool allowed_models_require(const struct allowed_models *allowed, const char *model_key,
                            struct error *err) __attribute__((warn_unused_result));

struct service_request {
    enum service_op op;
    char *model; /* as the client wrote it; NULL: not named. Owned */
    /* instance_view.reference: only this instance may serve it; ERR_MODEL_UNLOADED if it is
     * gone. 0: by name. */
    uint64_t instance;
    struct ttl ttl;
    int64_t dimensions;     /* embeddings: of the vectors; 0: as many as the model has */
    int64_t context_length; /* of a load that the request causes; 0: as the settings say */
    char *draft_model;      /* the same; NULL. Owned */
    uint64_t client;        /* equal numbers: the same client; 0: unknown, equals no other */
    struct allowed_models allowed; /* ERR_FORBIDDEN for others. Owned */
    yyjson_mut_doc *body;          /* the neutral body; NULL once it is sealed. Owned */
    struct sealed_body sealed;
    struct byte_hold held; /* for what is sealed. Zeroed: it is not counted yet. Owned */
};

void service_request_clear(struct service_request *request);

/* Make the text that the worker gets, and drop the tree. One that is sealed already stays. */
void service_request_seal(struct service_request *request);

enum { SERVICE_BODY_MAX = 80 << 20 }; /* bytes of what is sealed */

/* ERR_TOO_LARGE for what no worker would get. To be asked of a sealed request before anything
 * gives way for it. */
bool service_request_fits(const struct service_request *request, struct error *err)
    __attribute__((warn_unused_result));

/* What a call waits for, and about how long. */
enum wait_kind {
    WAIT_UNKNOWN, /* it has only just come, or its answer is being written */
    WAIT_IN_LINE, /* for a place: `place` */
    WAIT_LOAD,    /* `done` of `total` */
    WAIT_PROMPT,  /* `done` of `total` tokens */
};

struct service_wait {
    enum wait_kind kind;
    uint32_t place; /* 1: next */
    int64_t done, total;
    double seconds; /* until its turn comes, the load or the prompt is done; 0: not known */
};

struct tool_call_piece {
    int index;
    const char *id, *name; /* NULL except in the first piece */
    const char *arguments; /* "" if none in this piece */
};
enum { DELTA_MAX_CALLS = 16 };

enum service_event_kind {
    SERVICE_LOADING, /* progress 0..1 of the load that it waits for; may repeat */
    SERVICE_STARTED, /* an instance works on it; `instance`, the prompt figures of usage */
    SERVICE_PROMPT,  /* prompt processing: progress 0..1 */
    SERVICE_DELTA,
    SERVICE_VECTOR, /* one embedding, or the score of one document */
    SERVICE_DONE,   /* last event */
    SERVICE_ERROR,  /* last event */
};

struct service_usage {
    int64_t prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens;
    enum cache_source cache_source;
    enum cache_miss cache_miss;
    struct { /* guesses of the next tokens; all 0: none was made */
        int64_t total, accepted;
        int64_t ignored; /* the answer ended before they were judged */
        int64_t pauses;  /* how often it went on without, as they took longer */
        /* that made them; lives as long as the event. NULL: none is loaded */
        const char *model;
    } draft;
    int64_t cache_common; /* of STARTED: tokens in common with what is kept */
};

struct service_timing { /* seconds */
    double prompt, generation, time_to_first_token;
};

/* Facts about the instance that answers; strings live as long as the event. */
struct service_instance {
    const char *identifier, *model_key, *architecture, *quantization;
    int64_t context_length;
};

/* Everything is borrowed for the call. Strings are NUL-terminated UTF-8; NULL means absent. */
struct service_event {
    enum service_event_kind kind;
    double progress;
    const struct service_instance *instance; /* from STARTED on; NULL before */
    const char *unenforced; /* of STARTED: keywords of its schema that are not enforced, with
                               commas between; NULL: the worker does not know */
    bool loose;             /* of STARTED: calls need not fit the schema of a strict tool */
    const char *content, *reasoning;
    struct tool_call_piece calls[DELTA_MAX_CALLS];
    int call_count;
    yyjson_val *logprobs; /* array, or NULL */
    const float *vector;
    size_t vector_len;
    enum stop_reason stop_reason;
    const char *stop_string; /* that ended the answer; NULL: none */
    struct service_usage usage;
    struct service_timing timing;
    double elapsed; /* seconds since the client's request came; 0 where no route says it */
    yyjson_val *result;
    const struct error *error;
};

/* ---- what can be seen of models and instances ---- */

enum instance_state {
    INSTANCE_LOADING,
    INSTANCE_IDLE,
    INSTANCE_BUSY,
    INSTANCE_DRAINING,
    INSTANCE_UNLOADING,
    INSTANCE_QUEUED
};
const char *instance_state_name(enum instance_state state); /* "loading", "idle", ... */

/* Loaded because a request needed it, or by an explicit load (or pinned since). */
enum instance_origin { ORIGIN_JIT, ORIGIN_EXPLICIT };

const char *instance_origin_name(enum instance_origin origin); /* "jit", "explicit" */
/* False, and nothing written, if it is neither. */
bool instance_origin_parse(const char *name, enum instance_origin *ret_origin);

/* What a busy instance does; of several requests, for the one that is farthest. */
enum instance_work { WORK_NONE, WORK_EMBEDDING, WORK_PROMPT, WORK_GENERATING };

/* Sampling of requests that set nothing else; the model's author may have chosen it. */
struct sampling_view {
    double temperature, top_p, min_p, repeat_penalty;
    int64_t top_k;
    bool known; /* false: not loaded, or it generates no text */
};

struct instance_view {
    uint64_t reference; /* of this load; never 0, never reused in this run of the daemon */
    const char *identifier, *model_key;
    enum model_type type; /* of its model */
    enum instance_origin origin;
    enum instance_state state;
    enum instance_work work;
    double load_progress;                             /* 0..1 */
    int64_t ttl;                                      /* ms, MSEC_NEVER: none */
    int64_t expires_in;                               /* ms from now; MSEC_NEVER: not running */
    int64_t idle_expires_at, last_used_at, loaded_at; /* Unix ms; 0: not applicable */
    double load_time_seconds;
    uint64_t memory_bytes;
    uint64_t device_memory_bytes; /* beside those: on a device with memory of its own */
    int64_t device_layers;        /* layers there */
    const char *device;           /* its description, or "cpu"; "": not known yet */
    /* Effective; as its worker reports them once it is loaded. */
    const struct load_settings *settings;
    bool keep;
    struct sampling_view sampling;
    uint32_t running, waiting;
    int pid; /* 0: none */
    enum repack_state repack;
    /* Of its prompt store: sequences in it, and how often one was restored. */
    int64_t prompts_kept, prompt_hits;
    uint64_t prompt_bytes;
};

/* A worker that keeps the model, though no instance of it is loaded. */
struct parked_view {
    int pid;
    uint64_t memory_bytes;
    int64_t parked_at, expires_at; /* Unix ms; expires_at 0: none */
};

struct model_view {
    const char *key, *publisher, *display_name, *path, *architecture, *quantization,
        *params_string, *license;
    enum model_type type;
    const char *problem; /* why it cannot be loaded; NULL: it can */
    double bits_per_weight;
    uint64_t size_bytes, parameters;
    int64_t max_context_length, modified_at; /* Unix ms */
    int64_t layers;                          /* 0: unknown */
    bool chat_template, tool_use, reasoning, vision;
    bool ranks; /* of MODEL_EMBEDDINGS: a reranker */
    const struct instance_view *instances;
    size_t instance_count;
    const struct parked_view *parked;
    size_t parked_count;
};

/* A snapshot of everything, models sorted by key. Valid until the service is called again. */
struct service_models {
    const struct model_view *models;
    size_t count;
    bool jit;
};

/* ---- explicit load, unload, settings ---- */

/* A load that a client asks for. Strings are borrowed. */
struct load_request {
    const char *model;
    const char *identifier; /* NULL: by default */
    struct ttl ttl;
    struct load_settings settings; /* what is unset is not requested */
    bool keep, force;
    const struct allowed_models
        *allowed; /* of get_or_load: ERR_FORBIDDEN for others; NULL: all */
};

#define LOAD_REQUEST_UNSET                                                                     \
    { .settings = LOAD_SETTINGS_UNSET }

/* A change of a loaded instance. */
struct instance_change {
    bool sets_origin; /* pin or unpin it */
    enum instance_origin origin;
    struct ttl ttl; /* not given: unchanged */
};

struct load_result {
    const struct instance_view *instance; /* borrowed for the call */
    bool fresh;                           /* false: it was loaded already (promoted) */
    const struct error *not_kept; /* why it will not be loaded again at the next start, though
                                   * the load asked for that; NULL: it will, or need not */
};

/* Work under way. A number, so that a late cancel of finished work is harmless. Never 0. */
typedef uint64_t call_id;

/* Where a call's events go. After SERVICE_DONE, SERVICE_ERROR or service->cancel no more events
 * come. */
struct service_sink {
    void (*on_event)(void *ctx, call_id call, const struct service_event *ev);
    void *ctx;
};

/* The bytes a model would take with one conversation that fills its context, measured without
 * allocating them; *_device: those on devices with memory of their own. */
struct load_estimate {
    uint64_t model, model_device;
    uint64_t context, context_device; /* key-value cells and compute buffers */
    uint64_t load;                    /* what there has to be room for when it is loaded */
    bool fits;                        /* that does, into the memory that is free now */
    bool whole_fits;                  /* so does a full context */
};

struct estimate_sink {
    /* Once, with either an estimate or an error. */
    void (*on_end)(void *ctx, const struct load_estimate *estimate, const struct error *error);
    void *ctx;
};

/* What was read ahead. */
struct prefetch_result {
    const char *model_key; /* borrowed for the call */
    uint64_t size;         /* of its files, bytes */
    bool loaded;           /* nothing had to be read: an instance of it is there */
};

struct prefetch_sink {
    /* Once, with either a result or an error. */
    void (*on_end)(void *ctx, const struct prefetch_result *result, const struct error *error);
    void *ctx;
};

struct load_sink {
    /* These and on_progress are NULL if not wanted; views are borrowed for the call. The load
     * waits for this instance to leave; its worker has been started. */
    void (*on_evicting)(void *ctx, call_id call, const struct instance_view *victim);
    void (*on_loading)(void *ctx, call_id call, const struct instance_view *instance);
    /* 0..1 */
    void (*on_progress)(void *ctx, call_id call, double progress);
    /* Once, with either a result or an error. */
    void (*on_end)(void *ctx, call_id call, const struct load_result *result,
                   const struct error *error);
    void *ctx;
};

/* ---- the log, for those who follow it ---- */

enum log_kind {
    LOG_SERVER,  /* a line of the server's own log: text */
    LOG_REQUEST, /* an HTTP request came: text, in LM Studio's words */
    LOG_INPUT,   /* model: what a template made of a chat: text */
    LOG_OUTPUT,  /* model: a whole answer: text */
    LOG_STATS,   /* model: figures of that answer */
};

/* Borrowed for the call of the listener. */
struct log_line {
    enum log_kind kind;
    enum log_level level;
    msec at;          /* Unix ms */
    const char *text; /* UTF-8 */
    /* LOG_INPUT, LOG_OUTPUT, LOG_STATS */
    uint64_t instance; /* its reference */
    const char *model; /* its identifier */
    /* LOG_STATS */
    struct service_usage usage;
    struct service_timing timing;
    enum stop_reason stop_reason;
};

/* Of work without a result. */
struct done_sink {
    void (*on_end)(void *ctx, const struct error *error); /* once; NULL: done */
    void *ctx;
};

/*
 * Sinks never call back synchronously: each function that takes a sink only queues the call
 * and returns its number, never 0. All that comes of it, an immediate refusal included, is
 * delivered later, from the event loop. Sinks may call every function of the service. After
 * cancel no sink of that call is called again.
 */
struct service {
    void *self;
    /* A request for an answer. Takes *request (clears it). */
    call_id (*generate)(void *self, struct service_request *request, struct service_sink sink);
    /* The client is gone: stop the work. Finished work is ignored. */
    void (*cancel)(void *self, call_id call);
    /* The client reads too slowly (paused) / fast enough again: of this call only. */
    void (*pause)(void *self, call_id call, bool paused);
    /* What it waits for now. */
    void (*wait)(void *self, call_id call, struct service_wait *ret);

    struct service_models (*models)(void *self);

    /* Explicit load. Borrows *request. */
    call_id (*load)(void *self, const struct load_request *request, struct load_sink sink);
    /* Get or load by name, with origin jit (the SDK's model()). The settings count only if this
     * call causes the load; identifier, keep and force are ignored. */
    call_id (*get_or_load)(void *self, const struct load_request *request,
                           struct load_sink sink);
    /* What a load would take. */
    call_id (*estimate)(void *self, const struct load_request *request,
                        struct estimate_sink sink);
    /* Read the model's files ahead and have a worker ready, without taking its place. Done when
     * all is in the page cache. */
    call_id (*prefetch)(void *self, const char *model, struct prefetch_sink sink);
    /* The instances of the model (NULL: all) keep nothing of the prompts processed so far, in
     * memory or on disk. */
    void (*forget_prompts)(void *self, const char *model_key);
    /* By identifier (or a name of the only instance's model), else ERR_MODEL_NOT_FOUND. Done
     * when the worker has exited and its memory is free. NULL: all, also those whose worker
     * died and that would be loaded again. */
    call_id (*unload)(void *self, const char *identifier, struct done_sink sink);
    /* The model that a name means, without its instances; false if there is none. */
    bool (*find_model)(void *self, const char *name, struct model_view *ret_model);
    /* The instance with this instance_view.reference, and its model without its instances;
     * false if it is gone. Strings are valid until the next call into the service. */
    bool (*find_instance)(void *self, uint64_t reference, struct model_view *ret_model,
                          struct instance_view *ret_instance);
    /* By identifier, as unload. ERR_MODEL_NOT_FOUND, or ERR_MODEL_UNLOADED if it is leaving. */
    call_id (*update)(void *self, const char *identifier, const struct instance_change *change,
                      struct done_sink sink);
};

#endif
