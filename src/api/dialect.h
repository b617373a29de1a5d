/* SPDX-License-Identifier: MIT */
/*
 * dialect.h - the interface of every dialect to the daemon: request bytes in, reply bytes out.
 *
 * Pure: no sockets, no clock (the daemon gives the times), no lifecycle. One HTTP exchange is
 *     parse -> (service->generate per request) -> reply_event for each event -> bytes
 * A dialect's tables are const; its state of one answer is a struct reply.
 */
#ifndef DOZE_API_DIALECT_H
#define DOZE_API_DIALECT_H

#include "api/service.h"
#include "base/buf.h"

enum {
    PARSED_MAX_REQUESTS = 64, /* prompts of one /v1/completions body, answers of a chat */
    SKIPPED_TOOLS_SIZE = 256,
};

/* How the client wants its answer. Strings are owned by the struct. */
struct reply_options {
    enum service_op op;
    bool stream;
    bool include_usage; /* stream_options.include_usage */
    bool progress;      /* stream_options.include_progress */
    bool base64;        /* embeddings: encoding_format */
    int64_t dimensions; /* embeddings: of the vectors; 0: as they come */
    bool logprobs;
    int answers;         /* to each prompt; 0 and 1: one */
    int best;            /* completions, best_of: how many of them are shown; 0: all */
    bool vectors;        /* Ollama: embeddings were asked for, if only of nothing */
    bool unload;         /* Ollama: nothing to answer, and keep_alive 0 */
    bool reasoning;      /* messages: thinking was asked for, and is shown */
    bool marks_cache;    /* messages: cache_control marks what is to be cached */
    bool reasoning_text; /* ... with its text */
    bool store;          /* responses: the server stores the answer */
    int64_t top_n;       /* rerank: of the results; 0: all */
    /* responses, rerank: what the answer repeats of the request; Ollama: the messages of a
     * prompt. NULL: nothing. */
    yyjson_mut_doc *echo;
    char *model; /* name to show: what the client asked for; "" if it named none */
};

struct parsed {
    struct service_request requests[PARSED_MAX_REQUESTS];
    int count; /* choices of the answer, at least 1 */
    struct reply_options options;
    /* Kinds of tools that only the API's own server runs, less than SKIPPED_TOOLS_SIZE bytes;
     * NULL: there were none. */
    char *skipped_tools;
};
void parsed_clear(struct parsed *parsed);

enum { ECHO_VALUES_MAX = 200000 };

/* ERR_TOO_LARGE if an answer would repeat more than ECHO_VALUES_MAX values of its request: they
 * are copied on the loop. */
bool reply_options_fit(const struct reply_options *options, struct error *err)
    __attribute__((warn_unused_result));

/* Where the client named no model, the answer names the instance that gives it. */
void reply_options_set_name(struct reply_options *options, const struct service_event *ev);

/* A comment of a stream of server-sent events: "place 3 in line, about 12 s". */
void wait_comment(const struct service_wait *wait, struct buf *out);

struct reply; /* state of one answer; each dialect has its own */

enum reply_step { REPLY_MORE, REPLY_END };

struct dialect {
    const char *name;        /* "openai", "lmstudio-v0", ... for the log */
    const char *stream_type; /* Content-Type of a stream; NULL: server-sent events */
    msec keep_alive; /* the dialect's own default ttl, used if a setting says so; 0: none */

    /* Check and translate a body. On failure nothing is kept and *err says what to change. */
    bool (*parse)(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err);

    /* Begin an answer: copies what it needs of *options. `id` makes chatcmpl-<id>; created:
     * Unix seconds. Free with reply_free. */
    struct reply *(*reply_new)(const struct reply_options *options, int count, const char *id,
                               int64_t created);
    void (*reply_free)(struct reply *reply);

    /* Take one event of request `index` and append the bytes to send: for a stream its text,
     * else nothing before the end and then the whole JSON body. REPLY_END: the answer is
     * complete (all `count` requests ended, or one failed; then cancel the others). If a
     * SERVICE_ERROR comes before anything of a stream was sent, call format_error instead. An
     * answer that gets too large sets out->overflowed; the contents of out are then
     * useless. */
    enum reply_step (*reply_event)(struct reply *reply, int index,
                                   const struct service_event *ev, struct buf *out);

    /* Bytes of the answer that are kept until its end: it is not streamed, or its end repeats
     * it. NULL: next to none. */
    size_t (*reply_held)(const struct reply *reply);

    /* Append bytes that keep a stream's connection open while its client waits and, where the
     * dialect can, say what it waits for. */
    void (*format_waiting)(struct reply *reply, const struct service_wait *wait,
                           struct buf *out);

    /* Append what is stored of a complete answer; false if it failed or is not complete. NULL:
     * nothing is. */
    bool (*format_stored)(const struct reply *reply, struct buf *out);

    /* The body of an error answer; the status is error_status(err->code). */
    void (*format_error)(const struct error *err, struct buf *out);
};

#endif
