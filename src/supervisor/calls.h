/* SPDX-License-Identifier: MIT */
/*
 * calls.h - the work that clients have asked for and that is not done: a table by number.
 *
 * A call's number is what the lifecycle calls a request and what goes over the wire to the
 * worker. Numbers are never used twice, so a late message about a finished call finds nothing.
 */
#ifndef DOZE_SUPERVISOR_CALLS_H
#define DOZE_SUPERVISOR_CALLS_H

#include "api/service.h"
#include "base/buf.h"
#include "lifecycle/lifecycle.h"
#include "load/load_settings.h"
#include "supervisor/metrics.h"

/* Most open calls; one more is refused, but stays open until its sink has been told. */
enum { CALLS_MAX = LC_MAX_REQUESTS };

enum call_kind {
    CALL_REQUEST, /* service.generate */
    CALL_LOAD,
    CALL_GET_OR_LOAD,
    CALL_ESTIMATE,
    CALL_PREFETCH,
    CALL_UNLOAD,
    CALL_UPDATE,
};

/* What a load asks for. Strings are owned. */
struct load_options {
    char *model;      /* as the client wrote it; NULL: not named */
    char *identifier; /* NULL: by default */
    struct ttl ttl;
    struct load_settings requested;
    bool keep, force;
    struct allowed_models allowed;
};

/* A schema or a grammar, and what is known of it. */
enum rules_state { RULES_UNCHECKED, RULES_IN_LINE, RULES_IN_CHECK, RULES_CHECKED };

/* The headers of the adapters that it would load. */
enum adapters_state { ADAPTERS_UNREAD, ADAPTERS_IN_LINE, ADAPTERS_IN_READ, ADAPTERS_READ };

struct request_call {
    struct service_request asked; /* its body is the worker's once it is dispatched */
    struct service_sink sink;
    int64_t received_usec;
    enum rules_state rules_state;
    struct buf rules;      /* while it is in line: MSG_CHECK's payload */
    struct oneshot *check; /* while it is in check */
    int slot;              /* where it runs; LC_NO_SLOT before */
    uint32_t generation;
    int64_t dispatched_usec;
    struct {
        int64_t begun_usec;          /* the worker works on it; 0: not yet */
        int64_t cached, done, total; /* tokens */
    } prompt;
    int64_t context_tokens; /* in the context for it: prompt and answer so far */
    bool dispatched;        /* the worker has it */
    bool generating;        /* and has begun its answer */
    struct buf output;      /* text so far, only while someone follows the model log */
};

struct load_call { /* CALL_LOAD, CALL_GET_OR_LOAD */
    struct load_options options;
    struct load_sink sink;
    /* Once it is loaded: what it is. */
    int slot;
    uint32_t generation;
    bool fresh;
    bool failed; /* its refusal waits for the end of its worker */
};

struct estimate_call {
    struct load_options options;
    struct estimate_sink sink;
};

struct prefetch_call {
    char *model; /* as the client wrote it */
    struct prefetch_sink sink;
    uint64_t turn; /* the lowest is next */
};

struct unload_call {
    char *identifier;
    struct done_sink sink;
};

struct update_call {
    char *identifier;
    struct instance_change change;
    struct done_sink sink;
};

struct oneshot;

struct call {
    call_id id;
    enum call_kind kind;
    struct error refusal; /* unless ERR_NONE: the error it ends with when its turn comes */
    char *model_key;      /* of the model that is meant; NULL until its turn */
    enum adapters_state adapters;
    /* It has changed what is pinned: its answer waits until that is on disk. */
    bool saving;
    /* CALL_UNLOAD, CALL_UPDATE: its answer, `refusal` or done, waits for nothing else. */
    bool ended;
    union {
        struct request_call request;
        struct load_call load;
        struct estimate_call estimate;
        struct prefetch_call prefetch;
        struct unload_call unload;
        struct update_call update;
    };
};

struct calls;

/* metrics counts the calls that fail; borrowed. */
struct calls *calls_new(struct metrics *metrics);
void calls_free(struct calls *calls);

/* A new call with a fresh number; refused with ERR_QUEUE_FULL if CALLS_MAX are open. */
struct call *call_open(struct calls *calls, enum call_kind kind);
struct call *call_find(struct calls *calls, call_id id);
/* Does one of the open calls match? */
bool calls_any(const struct calls *calls, bool (*matches)(const struct call *call, void *ctx),
               void *ctx);
/* For each of the open calls; fn may close it. */
void calls_each(struct calls *calls, void (*fn)(struct call *call, void *ctx), void *ctx);
void call_close(struct calls *calls, struct call *call);

/* Close the call and give its sink the error as last event. */
void call_fail(struct calls *calls, struct call *call, const struct error *err);
/* CALL_UNLOAD, CALL_UPDATE: close it and say that it is done, as soon as it saves no more. */
void call_done(struct calls *calls, struct call *call);

/* The sink of a load; NULL for other calls. */
const struct load_sink *call_load_sink(const struct call *call);
/* The lifecycle's kind of the call, which must be a request or one of the two loads. */
enum lc_kind call_lc_kind(const struct call *call);

/* The load settings that a request or a get-or-load asks for, should it cause a load. */
struct load_settings call_requested(const struct call *call);
/* Does it ask for any load settings? */
bool call_asks_for_settings(const struct call *call);

#endif
