/* SPDX-License-Identifier: MIT */
/*
 * calls.h - the work that clients have asked for and not yet got: a table by number.
 *
 * A call's number is what the lifecycle calls a request and what goes over the wire to the
 * worker. Numbers are never used twice, so a late word about a finished call finds nothing.
 */
#ifndef DOZE_SUPERVISOR_CALLS_H
#define DOZE_SUPERVISOR_CALLS_H

#include "api/service.h"
#include "base/buf.h"
#include "lifecycle/lifecycle.h"
#include "load/load_settings.h"

enum { CALLS_MAX = LC_MAX_REQUESTS };

/* What a load asks for; stored with its call until the load ends. */
struct load_options {
    char *identifier; /* NULL: by default */
    struct load_settings requested;
    bool keep;
};

struct call {
    call_id id;
    enum lc_kind kind;
    struct service_request
        request;              /* INFER, LIGHT; the body is dropped once it is with the worker */
    struct service_sink sink; /* on_event NULL once nobody listens */
    struct load_options options; /* LOAD */
    struct load_sink
        load_sink; /* LOAD, GET_OR_LOAD, a whole unload; on_end NULL once nobody listens */
    struct estimate_sink estimate_sink;
    char *model_key;
    int slot; /* where it runs; LC_NO_SLOT before */
    uint32_t generation;
    int64_t received_usec;
    int64_t context_tokens; /* in the context for it: prompt and answer so far */
    bool dispatched;        /* the worker has it */
    bool generating;        /* and has said its first word */
    struct buf output;      /* text so far, only while somebody follows the model log */
};

struct calls;

struct calls *calls_new(void);
void calls_free(struct calls *calls);

/* A new zeroed call with a fresh number; NULL if CALLS_MAX are open. */
struct call *call_open(struct calls *calls);
struct call *call_find(struct calls *calls, call_id id);
/* Does one of the open calls fit? */
bool calls_any(const struct calls *calls, bool (*fits)(const struct call *call, void *ctx),
               void *ctx);
/* For each of the open calls; fn opens and closes none. */
void calls_each(struct calls *calls, void (*fn)(struct call *call, void *ctx), void *ctx);
void call_close(struct calls *calls, struct call *call);

#endif
