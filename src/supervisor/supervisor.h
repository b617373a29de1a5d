/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h - the shell around the lifecycle: turns what clients and workers do into its
 * events and performs its actions on worker processes and waiting clients.
 *
 * Decides nothing itself. Everything on the loop's thread; functions may be called from sinks,
 * their events are queued and applied in order.
 */
#ifndef DOZE_SUPERVISOR_SUPERVISOR_H
#define DOZE_SUPERVISOR_SUPERVISOR_H

#include <uv.h>

#include "api/service.h"
#include "catalog/catalog.h"
#include "supervisor/feed.h"
#include "supervisor/metrics.h"
#include "supervisor/settings.h"

struct supervisor;

/* What the supervisor works with; borrowed for its life. */
struct supervisor_config {
    uv_loop_t *loop;
    const char *worker_program;
    const char *prompts_dir; /* of the prompt store */
    const struct settings *settings;
    struct catalog **catalog; /* the current snapshot; swapped on the loop's thread only */
    struct feed *events;      /* transitions of instances */
    struct feed *log;         /* what models read and write, for `doze log` */
    struct metrics *metrics;
    void (*on_changed)(void *ctx);        /* instances or requests may be different now */
    void (*on_pinned_changed)(void *ctx); /* the pinned instances have changed */
    void (*on_prompts)(void *ctx);        /* files of the prompt store may have been written */
    void (*on_finished)(void *ctx);       /* shutdown is complete: no worker is left */
    void *ctx;
};

/* Topics of the events feed; a transition is of INSTANCES, too, as is the progress of a load.
 */
enum { EVENT_TOPIC_INSTANCES = 1, EVENT_TOPIC_LIVE = 2, EVENT_TOPIC_TRANSITIONS = 4 };

/* Topics of the log feed. */
enum {
    LOG_TOPIC_SERVER = 1,
    LOG_TOPIC_INPUT = 2,
    LOG_TOPIC_OUTPUT = 4,
    LOG_TOPIC_STATS = 8,
    LOG_TOPIC_REQUESTS = 16, /* each HTTP request: for LM Studio's followers, who expect that */
};

/* NULL with ERR_IO if the kernel has no timer for it. */
struct supervisor *supervisor_new(const struct supervisor_config *config, struct error *err);
/* After on_finished. */
void supervisor_free(struct supervisor *sup);

call_id supervisor_generate(struct supervisor *sup, struct service_request *request,
                            struct service_sink sink);
void supervisor_cancel(struct supervisor *sup, call_id id);
void supervisor_pause(struct supervisor *sup, call_id id, bool paused);
call_id supervisor_load(struct supervisor *sup, const struct load_request *request,
                        struct load_sink sink);
call_id supervisor_get_or_load(struct supervisor *sup, const struct load_request *request,
                               struct load_sink sink);
call_id supervisor_estimate(struct supervisor *sup, const struct load_request *request,
                            struct estimate_sink sink);
bool supervisor_update(struct supervisor *sup, const char *identifier,
                       const struct instance_change *change, struct error *err);
call_id supervisor_unload(struct supervisor *sup, const char *identifier,
                          struct load_sink sink);
struct service_models supervisor_models(struct supervisor *sup);
bool supervisor_find_model(struct supervisor *sup, const char *name,
                           struct model_view *ret_model);
bool supervisor_find_reference(struct supervisor *sup, uint64_t reference,
                               struct model_view *ret_model,
                               struct instance_view *ret_instance);

/* The settings were changed. */
void supervisor_settings_changed(struct supervisor *sup);

/* First call: let answers finish; second: at once. */
void supervisor_shutdown(struct supervisor *sup);

/* One JSON object with all instances and the number of the newest event. */
void supervisor_format_snapshot(struct supervisor *sup, struct buf *out);

/* One JSON object: {"at","memory":{...},"instances":[as listed, with "work", "context_used",
 * "tokens_per_second"]}. Measures the speeds. */
void supervisor_format_status(struct supervisor *sup, struct buf *out);

/* Does a request run? */
bool supervisor_is_working(const struct supervisor *sup);

/* Pin what this load would bring, even if the load fails. */
void supervisor_pin(struct supervisor *sup, const struct load_request *request);
/* Append the pinned instances, as pinned_format does. */
void supervisor_format_pinned(const struct supervisor *sup, struct buf *out);

#endif
