/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of the supervisor share; nobody else includes it.
 *
 * From clients, through the loop, to workers and back; each file needs only those below it:
 *
 *   supervisor.c       the loop: deadline, queue of work; start and end
 *   relief.c           what leaves when programs wait for memory
 *   prepare.c          what can be done before a load may begin
 *   requests.c         requests for an answer, get-or-loads
 *   check.c            whether a request's schema or grammar can be used, before a load
 *   reload.c           loads again what is pinned and whose worker died
 *   loads.c            explicit loads
 *   load_options.c     what loads ask for
 *   unload.c, update.c, estimate.c, prefetch_call.c, forget_prompts.c   the other calls
 *   perform.c          one step: event -> lifecycle -> actions on workers and calls
 *   spawn.c            a worker for a slot
 *   oneshot.c          a worker for one question
 *   loans.c            a worker that has memory of another node
 *   lending.c          workers that hold memory for other nodes
 *   load_order.c       the message that has a worker load
 *   park.c             workers that keep their model for its return
 *   parked_events.c    ends of parked workers
 *   worker_events.c    messages of workers -> events, and the sinks of requests
 *   notify.c           loads and unloads: how they go on, for the calls that wait
 *   report.c           transitions -> events, log, metrics
 *   pin.c              what is loaded again after a restart or when its worker died
 *   adapters.c         files of LoRA adapters
 *   adapter_reads.c    reads their headers before a load
 *   plan.c, find.c     loads as the lifecycle plans them; models and instances by name
 *   refusal.c, worker_failure.c      errors as clients read them
 *   answer_log.c       what models read and write, for the log
 *   views.c, status.c, memory.c, wait.c      what can be seen
 *   post.c             puts work into the queue
 */
#ifndef DOZE_SUPERVISOR_INTERNAL_H
#define DOZE_SUPERVISOR_INTERNAL_H

#include "supervisor/activity.h"
#include "supervisor/adapters.h"
#include "supervisor/calls.h"
#include "supervisor/known_rules.h"
#include "supervisor/lending.h"
#include "supervisor/load_texts.h"
#include "supervisor/loans.h"
#include "supervisor/log_budget.h"
#include "supervisor/oneshot.h"
#include "supervisor/parked.h"
#include "supervisor/pinned.h"
#include "supervisor/prefetch.h"
#include "supervisor/pressure.h"
#include "supervisor/resolve.h"
#include "supervisor/standby.h"
#include "supervisor/supervisor.h"
#include "supervisor/type_evictions.h"
#include "supervisor/work_queue.h"
#include "supervisor/worker.h"

/* What a worker reported about itself when it was ready. */
struct instance_facts {
    char architecture[64], quantization[32];
    nbytes memory, device_memory;
    char device[128];      /* "cpu", or what has most of the model */
    int64_t device_layers; /* on devices */
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
    struct park_key park_key; /* of the current worker */
    bool parking;             /* it was told to park */
    bool woken;               /* it was parked before this load */
    char *load_order;         /* MSG_LOAD, as long as memory for it has to come back */
    bool grows;               /* as long as memory has to come back for `growth`: */
    struct lc_event growth;
    struct instance_facts facts;
    struct activity activity;
    struct log_budget log_budget; /* of the current worker */
    struct error load_error;
    struct loan_offer lent; /* another node's memory that the worker has */
    struct loan *loan;      /* NULL: none, or it is given back */
    struct error lost;      /* why the loan was over before the worker was */
    msec spawned_at;
    msec loaded_at; /* Unix ms */
    double load_seconds;
    call_id reloading;      /* pinned, and its worker died: loads it again; pin.c. 0: nothing */
    msec reload_not_before; /* because the last attempt was refused */
    int64_t growth_ask;     /* the number of what its worker asks for */
    bool forgets;           /* its worker may save what is to be forgotten, and leaves */
    msec last_heard;        /* when the lifecycle was last told that the worker lives */
};

struct supervisor {
    struct supervisor_config config;
    struct lifecycle lc;
    struct lc_actions actions;
    struct instance instances[LC_MAX_SLOTS];
    struct calls *calls;
    struct pinned pinned;
    struct oneshots oneshots;
    struct known_rules known_rules;
    struct worker_owner worker_owner; /* of all instances' workers */
    struct standby *standby;
    struct parked *parked;
    struct prefetch *prefetch; /* of the slot prefetch_slot; LC_NO_SLOT: none waits */
    int prefetch_slot;
    struct prefetch *asked_prefetch; /* for asked_prefetch_call; NULL: none is being read */
    call_id asked_prefetch_call;
    uint64_t prefetch_turns; /* given to calls so far */

    struct loans loans;
    struct lending *lendings;

    nbytes limit_told;       /* memory_limit as the workers know it */
    nbytes memory_total;     /* of the machine or its control group, at the last look */
    struct load_texts texts; /* that load settings refer to */
    struct adapter_files *adapter_files;
    struct adapter_reads *adapter_reads; /* NULL: none is under way */
    struct type_evictions type_evictions;
    struct pressure pressure;
    bool sandbox_told; /* that workers are without a part of it */

    struct work_queue queue;
    uv_idle_t drain; /* runs while there is work */
    uv_idle_cb on_drain;
    int open_handles; /* while it is being freed */

    int timer_fd; /* CLOCK_BOOTTIME: hours asleep count, and it never fires early */
    uv_poll_t timer;
    msec armed;

    char **model_names; /* model number of the lifecycle -> key */
    uint32_t model_count;

    struct model_view *model_views; /* the last snapshot */
    struct instance_view *instance_views;
    struct parked_view parked_views[PARKED_MAX];
};

/* ---- post.c ---- */
/* Have the loop work through the queue and update its deadline. */
void supervisor_wake(struct supervisor *sup);
/* Queue an event or a call; the loop applies or begins it, after what waits already. */
void supervisor_post(struct supervisor *sup, struct lc_event event);
void supervisor_post_call(struct supervisor *sup, const struct call *call);

/* ---- perform.c ---- */
/* Apply the event now and do what follows; only from the loop. `now` is filled in. */
void supervisor_step(struct supervisor *sup, struct lc_event event);

/* ---- requests.c, loads.c, estimate.c, ...: the call's turn has come ----
 * False: the call is to be failed with *err. True: it may be gone already. */
bool supervisor_begin_request(struct supervisor *sup, struct call *call, struct error *err);
bool supervisor_begin_get_or_load(struct supervisor *sup, struct call *call, struct error *err);
bool supervisor_begin_load(struct supervisor *sup, struct call *call, struct error *err);
bool supervisor_begin_estimate(struct supervisor *sup, struct call *call, struct error *err);
bool supervisor_begin_prefetch(struct supervisor *sup, struct call *call, struct error *err);
bool supervisor_begin_unload(struct supervisor *sup, struct call *call, struct error *err);
bool supervisor_begin_update(struct supervisor *sup, struct call *call, struct error *err);

/* ---- load_options.c ---- */
/* Copies all but the texts and adapters, which only a call or an instance can hold. */
void supervisor_read_options(const struct load_request *request,
                             struct load_options *ret_options);
/* Keep the texts and adapters of the request for the settings of a call, for as long as a call
 * or an instance has them. */
bool supervisor_keep_texts(struct supervisor *sup, const struct load_request *request,
                           struct load_settings *requested, struct error *err);
/* Keep the names of an instance's or a call's adapters, which may be borrowed. On failure
 * there are none. */
bool supervisor_keep_adapters(struct supervisor *sup, struct load_adapters *adapters,
                              struct error *err);

/* ---- spawn.c ---- */
/* Start the slot's worker and have it load. If that fails, the lifecycle is told. */
void supervisor_spawn(struct supervisor *sup, int slot);
/* Send it MSG_LOAD, as soon as there is room beside parked workers. */
void supervisor_send_load(struct supervisor *sup, int slot);

/* ---- parked_events.c ---- */
struct parked_owner supervisor_parked_owner(struct supervisor *sup);

/* ---- park.c ---- */
/* Report a change: as an event, in the log, in the metrics. reason: of an end. */
void supervisor_tell_parked(struct supervisor *sup, int place, enum parked_change change,
                            enum parked_reason reason);
/* The key of a worker that is loaded with this plan. */
struct park_key supervisor_park_key(const struct supervisor *sup, const struct model *model,
                                    const struct lc_plan *plan);
/* Is there room for what the instances take and `more` bytes? If not, tells parked workers to
 * end. */
bool supervisor_fit_parked(struct supervisor *sup, nbytes more);
/* The slot's instance is to leave: may its worker park? */
bool supervisor_may_park(struct supervisor *sup, int slot);
/* The slot's worker has parked: take it from the slot; or kill it, then the slot still has
 * it. */
void supervisor_park(struct supervisor *sup, int slot, nbytes bytes);
/* Can a parked worker take up the load that comes next in this slot? */
bool supervisor_has_parked(const struct supervisor *sup, int slot);
/* Make the worker that is parked with the slot's park_key the slot's worker. NULL: there is
 * none. */
struct worker *supervisor_take_parked(struct supervisor *sup, int slot);
/* Tell all of them to end. */
void supervisor_give_up_parked(struct supervisor *sup, enum parked_reason reason,
                               call_id unloading);
/* Tell those of the model with this name to end. False: there is none. */
bool supervisor_unload_parked(struct supervisor *sup, const char *name, call_id unloading);
/* After every event: tell instances to end whose time is over or that nobody wants. */
void supervisor_tend_parked(struct supervisor *sup);
msec supervisor_parked_deadline(const struct supervisor *sup);
/* Fill in the parked workers of this model, at most PARKED_MAX; returns how many. */
size_t supervisor_view_parked(const struct supervisor *sup, const char *model_key,
                              struct parked_view *ret_views);

/* ---- worker_events.c ---- */
/* The owner that the workers of slots report to. */
struct worker_owner supervisor_worker_owner(struct supervisor *sup);
/* Apply the growth that the slot's worker has asked for, as soon as there is room beside parked
 * workers. */
void supervisor_let_grow(struct supervisor *sup, int slot);

/* ---- worker_failure.c ---- */
/* What a worker's FAILED says; without a code of ours it is ERR_LOAD_FAILED. */
void supervisor_read_failure(yyjson_val *json, struct error *ret);

/* ---- refusal.c ---- */
/* What a client gets for LC_DO_FAIL. key: of the model it asked for. */
void supervisor_explain(const struct supervisor *sup, const struct lc_action *action,
                        const char *key, struct error *err);
void supervisor_explain_stall(const struct supervisor *sup, const char *key, struct error *err);

/* ---- wait.c ---- */
/* What a request that waits for this is told. */
void supervisor_tell_wait(const struct supervisor *sup, const struct lc_wait *wait,
                          struct service_wait *ret);

/* ---- plan.c ---- */
/* The number of a model in the lifecycle; the same for the same key for ever. */
uint32_t supervisor_model_number(struct supervisor *sup, const char *key);
/* As the lifecycle writes it: LC_TTL_NOT_GIVEN. */
msec supervisor_ttl(struct ttl ttl);
/* Resolve the settings of a load of the model that asks for `requested` (may be NULL). The
 * names of adapters are borrowed from there or from the settings. */
bool supervisor_plan(const struct supervisor *sup, const struct model *model,
                     const struct load_settings *requested, struct load_settings *ret_effective,
                     struct lc_plan *ret_plan, struct error *err);
/* The layers of settings that say how the model is loaded; borrowed as above. */
struct load_layers supervisor_layers(const struct supervisor *sup, const struct model *model,
                                     const struct load_settings *requested);
/* The model with these adapters, whose files the plan has found. */
struct model_shape supervisor_shape(const struct supervisor *sup, const struct model *model,
                                    const struct load_adapters *adapters);
/* Does an instance serve the model without a load? */
bool supervisor_is_up(struct supervisor *sup, const char *model_key);
/* Plan a load of the target. A model whose file is gone or was replaced by a broken one can
 * only be served by an existing instance. */
bool supervisor_plan_target(struct supervisor *sup, const struct target *target,
                            const struct load_settings *requested, struct lc_plan *ret_plan,
                            struct error *err);
/* Would an explicit load of the model be admitted now, if need be by evicting? */
bool supervisor_would_load(struct supervisor *sup, uint32_t model, const struct lc_plan *plan);

/* ---- find.c ---- */
/* The model or instance that a request means by a name. */
bool supervisor_resolve(const struct supervisor *sup, const char *name,
                        struct target *ret_target, struct error *err);
/* The instance with this reference, unless it is gone or leaving. */
bool supervisor_resolve_reference(const struct supervisor *sup, uint64_t reference,
                                  struct target *ret_target, struct error *err);
/* An explicit load means a model, never an instance. */
bool supervisor_resolve_model(const struct supervisor *sup, const char *name,
                              struct target *ret_target, struct error *err);
/* The slot of an explicit instance whose worker died and that nobody waits for: by identifier,
 * or the only one of the model with this key. LC_NO_SLOT: none. */
int supervisor_find_intended(const struct supervisor *sup, const char *name);
/* Has an instance this identifier? A failed load that is remembered has given it back. */
bool supervisor_identifier_taken(const struct supervisor *sup, const char *identifier);
/* The slot with this identifier, or the only instance of the model that the name means. */
int supervisor_find_loaded(const struct supervisor *sup, const char *name, struct error *err);

/* ---- perform.c ---- */
/* Answer the call of a load that is done. not_kept: see load_result. */
void supervisor_end_load(struct supervisor *sup, struct call *call,
                         const struct error *not_kept);

/* ---- pin.c ---- */
/* A load is done: pin the instance if the load asked for that, and answer the call once the
 * pin is on disk. False: the load did not ask for it, and the caller must answer it. */
bool supervisor_pin_loaded(struct supervisor *sup, struct call *call);
/* This call has changed what is pinned: save that, and answer the call when it is on disk. */
void supervisor_save_pinned(struct supervisor *sup, struct call *call);
/* Unpin for this call, also by a load that is still running. False: it was not pinned. */
bool supervisor_unpin(struct supervisor *sup, struct call *call, const char *identifier);

/* ---- reload.c ---- */
/* Reload the pinned instances whose workers died, when it is time. After every event. */
void supervisor_reload_pinned(struct supervisor *sup);
/* When the next of them is due; MSEC_NEVER: none. */
msec supervisor_reload_deadline(const struct supervisor *sup);

/* ---- memory.c ---- */
/* LC_EV_BUDGET: how much memory all instances together may take. Call it before what may start
 * a load; also updates sup->memory_total. */
struct lc_event supervisor_budget(struct supervisor *sup);

/* The same of device memory; 0: there is none. */
nbytes supervisor_device_budget(const struct supervisor *sup);

/* What memory_limit leaves for the slot beside the others; UINT64_MAX: there is no limit. */
nbytes supervisor_memory_left(const struct supervisor *sup, int slot);

/* LC_DO_GRANT: the answer to the worker's question. */
void supervisor_grant(struct supervisor *sup, const struct lc_action *action);

/* memory_limit has changed: tell the workers what it leaves for each. */
void supervisor_tell_limit(struct supervisor *sup);

/* Would these bytes and all instances fit into the memory that is there? */
bool supervisor_fits_beside(const struct supervisor *sup, nbytes size);

/* What all instances together take, as the lifecycle counts it, and what they may take
 * (LC_EV_BUDGET's bytes). */
nbytes supervisor_taken(const struct supervisor *sup);
nbytes supervisor_memory_budget(const struct supervisor *sup);

/* ---- lending.c ---- */
/* Bytes that are lent, and those that the workers holding them have taken so far. */
nbytes supervisor_lent(const struct supervisor *sup);
nbytes supervisor_lent_private(const struct supervisor *sup);
/* End one loan, because this machine needs the memory. False: there is none. */
bool supervisor_take_back(struct supervisor *sup);
/* The supervisor is being freed. */
void supervisor_drop_lendings(struct supervisor *sup);

/* ---- loans.c ---- */
/* Is the model too large for this machine, and does another node lend what is missing? */
bool supervisor_find_loan(const struct supervisor *sup, const struct model_shape *shape,
                          const struct load_settings *effective, struct loan_offer *ret);
/* A worker for the slot, with the loan that instance.lent says. */
struct worker *supervisor_spawn_borrower(struct supervisor *sup, int slot, struct error *err);
/* The worker is gone. */
void supervisor_close_loan(struct supervisor *sup, struct instance *in);

/* ---- prefetch_call.c ---- */
/* Read ahead what clients asked for, or stop because a load needs the disk. After every
 * event. */
void supervisor_read_asked(struct supervisor *sup);

/* ---- prepare.c ---- */
/* Get ready for the load that is the next to come, or for any. After every event. */
void supervisor_prepare(struct supervisor *sup);

/* ---- load_order.c ---- */
/* MSG_LOAD's payload (ipc/message.h). slot: whose; LC_NO_SLOT to measure what a load would
 * take. */
void supervisor_format_load(const struct supervisor *sup, const struct model *model, int slot,
                            const struct load_settings *effective, struct buf *out);

/* ---- check.c ---- */
/* Have a worker without a model check whether the rules of a request (MSG_CHECK's payload) can
 * be used at all. ret_waits: the call waits for the verdict, then begins once more or fails;
 * false: the rules are known to be good. ERR_QUEUE_FULL: too many wait. */
bool supervisor_check_rules(struct supervisor *sup, struct call *call, const char *model_key,
                            struct buf *rules, bool *ret_waits, struct error *err);
/* The call's place in the line for checks, from 1; 0: it does not wait for one to begin. */
uint32_t supervisor_place_in_checks(struct supervisor *sup, struct call *call);
/* Its client has left: end the process that checks its rules. */
void supervisor_stop_check(struct call *call);
/* The model is up, and its own worker checks rules: calls for it wait no longer. NULL: the
 * server stops, and all waiting calls begin once more, to be refused. */
void supervisor_end_checks(struct supervisor *sup, const char *model_key);

/* ---- adapter_reads.c ---- */
/* Does the call, which would load the model (NULL: it is gone), have to wait until headers of
 * adapters are read? It begins once more after that. */
bool supervisor_reads_adapters(struct supervisor *sup, struct call *call,
                               const struct model *model,
                               const struct load_settings *requested);
/* The server stops: all such calls begin once more, to be refused. */
void supervisor_stop_adapter_reads(struct supervisor *sup);
/* The supervisor is being freed. */
void supervisor_drop_adapter_reads(struct supervisor *sup);

/* ---- notify.c ---- */
/* Tell the calls that an event, which was applied, concerns. */
void supervisor_notify_event(struct supervisor *sup, const struct lc_event *ev);
/* Tell the loads that wait for it that the slot's load has begun. */
void supervisor_notify_loading(struct supervisor *sup, int slot);
/* Tell calls about an instance that makes room for another slot, or that is gone. */
void supervisor_notify(struct supervisor *sup, const struct lc_action *action);
/* Is an instance that this call unloads still leaving? */
bool supervisor_unloads(const struct supervisor *sup, call_id call);

/* ---- views.c ---- */
/* Is there an instance in this slot that listings show? */
bool supervisor_shows(const struct supervisor *sup, int slot);
/* Is there one, or one whose worker died and that the next request reloads? */
bool supervisor_holds(const struct supervisor *sup, int slot);
/* The instance_view.reference of the slot's load. */
uint64_t supervisor_reference(const struct supervisor *sup, int slot);
/* The slot of the load with this instance_view.reference; LC_NO_SLOT if another is there. */
int supervisor_find_slot(const struct supervisor *sup, uint64_t reference);
enum instance_origin supervisor_origin(enum lc_origin origin);
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
