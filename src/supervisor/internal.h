/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of the supervisor share; nobody else includes it.
 *
 *   supervisor.c  queue of events, the deadline timer, step
 *   prepare.c     what can be done before a load may begin
 *   load_order.c  what a worker is told to load
 *   perform.c     actions of the lifecycle -> workers and sinks
 *   worker_events.c  messages of workers -> events and sinks
 *   requests.c    what clients want -> calls and events
 *   views.c       what can be seen
 *   status.c      how things stand
 *   answer_log.c  what models read and write, for the log
 *   report.c      transitions -> events feed, log, metrics
 *   notify.c      transitions -> the loads and unloads that wait for them
 *   estimate.c    what a load would take, measured by a worker of its own
 */
#ifndef DOZE_SUPERVISOR_INTERNAL_H
#define DOZE_SUPERVISOR_INTERNAL_H

#include "supervisor/activity.h"
#include "supervisor/calls.h"
#include "supervisor/load_texts.h"
#include "supervisor/pinned.h"
#include "supervisor/prefetch.h"
#include "supervisor/resolve.h"
#include "supervisor/standby.h"
#include "supervisor/supervisor.h"
#include "supervisor/worker.h"

/* What a worker said of itself when it was ready. */
struct instance_facts {
    char architecture[64], quantization[32];
    nbytes memory;
    struct sampling_view sampling;
    enum repack_state repack;
    int64_t prompts_kept, prompt_hits; /* of the prompt store */
    nbytes prompt_bytes;
};

/* The daemon's side of a lifecycle slot. */
struct instance {
    char *identifier; /* NULL: the slot is free */
    char *model_key;
    struct load_settings requested; /* by the explicit load; unset for jit */
    struct load_settings effective; /* of the current worker; once loaded, as it says */
    call_id unloading;              /* the call that waits until it is gone; 0: none */
    struct worker *worker;
    struct instance_facts facts;
    struct activity activity;
    struct error load_error;
    msec spawned_at;
    msec loaded_at; /* Unix ms */
    double load_seconds;
    msec last_heard; /* when the lifecycle was last told that the worker lives */
};

struct supervisor {
    struct supervisor_config config;
    struct lifecycle lc;
    struct lc_actions actions;
    struct instance instances[LC_MAX_SLOTS];
    struct calls *calls;
    struct pinned pinned;
    struct estimate *estimates; /* under way; estimate.c */
    struct standby *standby;
    struct prefetch *prefetch; /* of the slot prefetch_slot; LC_NO_SLOT: none waits */
    int prefetch_slot;

    struct load_texts texts; /* that load settings refer to */
    bool sandbox_told;       /* that workers are without a part of it */

    struct lc_event *queue; /* ring of events to apply */
    size_t queue_head, queue_len, queue_cap;
    bool stepping;

    int timer_fd; /* CLOCK_BOOTTIME: hours asleep count, and it never fires early */
    uv_poll_t timer;
    msec armed;

    char **model_names; /* model number of the lifecycle -> key */
    uint32_t model_count;

    struct model_view *model_views; /* the last snapshot */
    struct instance_view *instance_views;
};

/* ---- supervisor.c ---- */
msec supervisor_now(void);
/* Apply the event after those already queued. `now` is filled in. */
void supervisor_feed(struct supervisor *sup, struct lc_event ev);
/* The number of a model in the lifecycle; the same for the same key for ever. */
uint32_t supervisor_model_number(struct supervisor *sup, const char *key);
/* Memory that only instances have, in bytes: not the weights mapped from files. */
nbytes supervisor_private_bytes(const struct supervisor *sup);
/* Tell the lifecycle how much memory there is; before what may start a load. */
void supervisor_feed_budget(struct supervisor *sup);

/* ---- perform.c ---- */
void supervisor_perform(struct supervisor *sup, const struct lc_event *ev);
/* Give a call its error as last event and forget it. */
void call_fail(struct supervisor *sup, struct call *call, const struct error *err);

/* ---- worker_events.c ---- */
extern const struct worker_owner supervisor_worker_owner; /* without ctx */
/* What a worker's FAILED says; without a code of ours it is ERR_LOAD_FAILED. */
void supervisor_read_failure(yyjson_val *json, struct error *ret);

/* ---- requests.c ---- */
/* Resolve the load settings of a model for a load that demands `requested` (may be NULL). */
bool supervisor_plan(const struct supervisor *sup, const struct model *model,
                     const struct load_settings *requested, struct load_settings *ret_effective,
                     struct lc_plan *ret_plan, struct error *err);
void call_emit_loading(struct supervisor *sup, struct call *call, int slot);

/* The model that a load names, and its settings; also checks that it can be loaded at all. */
bool supervisor_plan_load(struct supervisor *sup, const struct load_request *request,
                          const struct model **ret_model, struct load_settings *ret_effective,
                          struct lc_plan *ret_plan, struct error *err);
/* A call that waits for a load, or the like; NULL: too many, and its sink has been told. */
struct call *supervisor_open_load(struct supervisor *sup, enum lc_kind kind,
                                  struct load_sink sink);
/* Has an instance this identifier? A failed load that is remembered has given it back. */
bool supervisor_identifier_taken(const struct supervisor *sup, const char *identifier);
/* The slot with this identifier, or the only instance of the model with this key. */
int supervisor_find_instance(struct supervisor *sup, const char *name, struct error *err);

/* ---- prepare.c ---- */
/* Get ready for the load that is the next to come, or for any. After every event. */
void supervisor_prepare(struct supervisor *sup);

/* ---- load_order.c ---- */
/* MSG_LOAD's payload (ipc/message.h). slot: whose; LC_NO_SLOT to measure what a load would
 * take. */
void supervisor_format_load(const struct supervisor *sup, const struct model *model, int slot,
                            const struct load_settings *effective, struct buf *out);

/* ---- estimate.c ---- */
/* The supervisor is going: nobody waits for them any more. */
void supervisor_drop_estimates(struct supervisor *sup);

/* ---- notify.c ---- */
/* The slot's load has begun: tell the loads that wait for it. */
void supervisor_notify_loading(struct supervisor *sup, int slot);
/* Somebody makes room for those who wait for another slot; somebody is gone. */
void supervisor_notify(struct supervisor *sup, const struct lc_action *action);

/* ---- views.c ---- */
/* Is there an instance in this slot that listings show? */
bool supervisor_shows(const struct supervisor *sup, int slot);
/* The instance_view.reference of the slot's load. */
uint64_t supervisor_reference(const struct supervisor *sup, int slot);
/* The slot of the load with this instance_view.reference; LC_NO_SLOT if another is there. */
int supervisor_find_slot(const struct supervisor *sup, uint64_t reference);
enum instance_origin supervisor_origin(const struct supervisor *sup, int slot);
struct instance_view supervisor_view(const struct supervisor *sup, int slot);
struct service_instance supervisor_facts(const struct supervisor *sup, int slot);

/* ---- answer_log.c ---- */
/* prompt: NULL if the worker reported none. */
void supervisor_log_input(struct supervisor *sup, const struct call *call, const char *prompt);
/* done: the call's SERVICE_DONE. */
void supervisor_log_answer(struct supervisor *sup, const struct call *call,
                           const struct service_event *done);

/* ---- report.c ---- */
void supervisor_report(struct supervisor *sup, const struct lc_action *action);
void supervisor_report_progress(struct supervisor *sup, int slot);

#endif
