/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h - the shell around the lifecycle: turns what clients and workers do into its
 * events and performs its actions on worker processes and waiting clients.
 *
 * Decides nothing itself. Everything on the loop's thread. What clients ask for is queued and
 * done from the loop, in order: no sink is called before the asking function has returned (see
 * api/service.h).
 */
#ifndef DOZE_SUPERVISOR_SUPERVISOR_H
#define DOZE_SUPERVISOR_SUPERVISOR_H

#include <uv.h>

#include "api/service.h"
#include "catalog/catalog.h"
#include "lifecycle/lifecycle.h"
#include "supervisor/metrics.h"
#include "supervisor/settings.h"
#include "supervisor/worker_program.h"

struct supervisor;

/* An instance went from one state to another. Borrowed for the call. */
struct instance_transition {
    msec at; /* Unix ms */
    const char *identifier, *model_key;
    enum lc_state from, to;
    enum lc_reason reason;
    const char *evicted_by; /* the identifier it makes room for; NULL: none */
    uint32_t generation;    /* of the worker */
    enum instance_origin origin;
    uint32_t running, waiting;
    int pid;             /* 0: none */
    nbytes memory;       /* 0: not known yet */
    double load_seconds; /* of the last load */
    msec expires_in;     /* ms; MSEC_NEVER */
    msec due;            /* Unix ms; reason TTL: when the ttl ended */
    const char *error;   /* why it left; NULL: no error */
    const char *hint;    /* a sentence for the owner of the machine; NULL: none */
};

/* A load has made progress. Borrowed for the call. */
struct instance_progress {
    const char *identifier, *model_key;
    double progress; /* 0..1 */
};

/* A worker was parked, woken or given up. Borrowed for the call. */
struct parked_event {
    msec at; /* Unix ms */
    enum parked_change change;
    enum parked_reason reason; /* of an end */
    const char *model_key;
    int pid;
    nbytes memory;
    double seconds; /* since it was parked */
};

/* What the supervisor works with; borrowed for its life. */
struct supervisor_config {
    uv_loop_t *loop;
    const struct worker_program *worker_program; /* read at each start of a worker */
    const char *prompts_dir;                     /* of the prompt store */
    const struct settings *settings;
    struct catalog **catalog; /* the current snapshot; swapped on the loop's thread only */
    struct metrics *metrics;
    struct byte_budget *budget; /* of what waits for a worker; NULL: it is not counted */
    void (*on_transition)(void *ctx, const struct instance_transition *transition);
    void (*on_progress)(void *ctx, const struct instance_progress *progress); /* of a load */
    void (*on_parked)(void *ctx, const struct parked_event *event);
    /* What models read and write. Lines of kinds that are not wanted are not made. */
    bool (*log_wanted)(void *ctx, enum log_kind kind);
    void (*on_log)(void *ctx, const struct log_line *line);
    void (*on_changed)(void *ctx); /* instances or requests may have changed */
    /* The pinned instances have changed: save them, and call supervisor_pinned_saved. */
    void (*on_pinned_changed)(void *ctx);
    void (*on_prompts)(void *ctx); /* files of the prompt store may have been written */
    /* Prompts of this model may have been written after they were to be forgotten: delete
     * them. */
    void (*on_forgotten)(void *ctx, const char *model_key);
    void (*on_finished)(void *ctx); /* shutdown is complete: no worker is left */
    void *ctx;
};

/* NULL with ERR_IO if the kernel has no timer for it. */
struct supervisor *supervisor_new(const struct supervisor_config *config, struct error *err);
/* After on_finished. */
void supervisor_free(struct supervisor *sup);

call_id supervisor_generate(struct supervisor *sup, struct service_request *request,
                            struct service_sink sink);
void supervisor_cancel(struct supervisor *sup, call_id id);
void supervisor_pause(struct supervisor *sup, call_id id, bool paused);
void supervisor_wait(struct supervisor *sup, call_id id, struct service_wait *ret);
call_id supervisor_load(struct supervisor *sup, const struct load_request *request,
                        struct load_sink sink);
call_id supervisor_get_or_load(struct supervisor *sup, const struct load_request *request,
                               struct load_sink sink);
call_id supervisor_estimate(struct supervisor *sup, const struct load_request *request,
                            struct estimate_sink sink);
call_id supervisor_prefetch(struct supervisor *sup, const char *model,
                            struct prefetch_sink sink);
/* model_key NULL: of all models. */
void supervisor_forget_prompts(struct supervisor *sup, const char *model_key);
call_id supervisor_update(struct supervisor *sup, const char *identifier,
                          const struct instance_change *change, struct done_sink sink);
/* identifier NULL: all. */
call_id supervisor_unload(struct supervisor *sup, const char *identifier,
                          struct done_sink sink);
struct service_models supervisor_models(struct supervisor *sup);
bool supervisor_find_model(struct supervisor *sup, const char *name,
                           struct model_view *ret_model);
bool supervisor_find_reference(struct supervisor *sup, uint64_t reference,
                               struct model_view *ret_model,
                               struct instance_view *ret_instance);

/* The key of the model that an inference request with this name would get; NULL: it would fail.
 * *ret_one: only one instance is meant. Valid until the loop goes on. */
const char *supervisor_meaning(const struct supervisor *sup, const char *name, bool *ret_one);

/* Is an instance of the model loaded, or being loaded? */
bool supervisor_is_resident(const struct supervisor *sup, const char *model_key);

/* The settings have changed. */
void supervisor_settings_changed(struct supervisor *sup);

/* The catalog was replaced: parked workers of files that have changed leave. */
void supervisor_catalog_changed(struct supervisor *sup);

/* The program that workers are started from has changed: an older spare leaves. */
void supervisor_program_changed(struct supervisor *sup);

/* Programs stall for lack of memory: what is idle leaves, unless the settings say otherwise. */
void supervisor_pressure(struct supervisor *sup);

/* First call: let answers finish; second: at once. */
void supervisor_shutdown(struct supervisor *sup);

/* A snapshot of an instance. Strings are valid until the loop goes on. */
struct instance_status {
    struct instance_view view;
    uint32_t generation;  /* of its worker */
    int64_t context_used; /* tokens */
    double tokens_per_second;
};
/* Fill in all that listings show; returns how many. Measures the speeds. */
size_t supervisor_instances(struct supervisor *sup,
                            struct instance_status ret_instances[LC_MAX_SLOTS]);

/* The same of a parked worker. */
struct parked_status {
    const char *model_key;
    struct parked_view view;
};
size_t supervisor_parked(const struct supervisor *sup,
                         struct parked_status ret_parked[PARKED_MAX]);
/* Bytes that parked workers hold, including those that were told to end. */
nbytes supervisor_parked_bytes(const struct supervisor *sup);

struct memory_status {
    nbytes total, available;
    nbytes other;  /* neither available nor used by an instance */
    nbytes limit;  /* setting memory_limit; 0: none */
    nbytes parked; /* not available, but parked workers give it up for any instance */
    nbytes lent;   /* to other nodes; what they have taken of it is among `other` */
    nbytes lent_untaken;
    nbytes device; /* what models may have of graphics cards; 0: there is none */
};
struct memory_status supervisor_memory(const struct supervisor *sup);
/* Bytes that models may still take. */
nbytes memory_status_free(const struct memory_status *status);

/* What would become of an inference request now. */
struct forecast {
    const char *model_key;
    struct lc_forecast lc;
    const char *instance;             /* identifier of lc.slot; NULL: a new one */
    const char *evicts[LC_MAX_SLOTS]; /* identifiers of lc.leaves */
    size_t evict_count;
    struct service_wait wait; /* what it would be told, unless lc.outcome is SERVED */
};
/* Nothing is changed by asking. context_length: the load it may cause is to have that; 0: as
 * the settings say. False with the error that the request would get. Strings are valid until
 * the loop goes on. */
bool supervisor_forecast(struct supervisor *sup, const char *name, int64_t context_length,
                         struct forecast *ret, struct error *err);

/* Numbers of what listings show. */
struct work_counts {
    uint32_t instances, running, waiting; /* running, waiting: requests */
};
struct work_counts supervisor_counts(const struct supervisor *sup);

/* Does a request run? */
bool supervisor_is_working(const struct supervisor *sup);

/* Pin what this load would bring, even if the load fails. */
void supervisor_pin(struct supervisor *sup, const struct load_request *request);
/* The pinned instances are on disk, or (error) could not be written. Answers the loads,
 * unloads and updates that changed them. */
void supervisor_pinned_saved(struct supervisor *sup, const struct error *error);
/* Append the pinned instances, as pinned_format does. */
void supervisor_format_pinned(const struct supervisor *sup, struct buf *out);

#endif
