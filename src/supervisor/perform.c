/* SPDX-License-Identifier: MIT */
/* perform.c - one step: an event is applied to the lifecycle, and its actions are performed. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

/* ---- instances ---- */

/* The key, then key:2, key:3, ... */
static char *default_identifier(const struct supervisor *sup, const char *key) {
    char *identifier = xstrdup(key);
    for (int n = 2; supervisor_identifier_taken(sup, identifier); n++) {
        free(identifier);
        identifier = xasprintf("%s:%d", key, n);
    }
    return identifier;
}

/* call: the call that the slot was taken for; NULL if it has ended. */
static void assign_slot(struct supervisor *sup, const struct lc_action *action,
                        const struct call *call) {
    struct instance *in = &sup->instances[action->slot];
    const char *key = sup->model_names[action->model];
    bool named = call && call->kind == CALL_LOAD && call->load.options.identifier;
    *in = (struct instance){ .requested = LOAD_SETTINGS_UNSET,
                             .effective = LOAD_SETTINGS_UNSET,
                             .model_key = xstrdup(key) };
    in->identifier = named ? xstrdup(call->load.options.identifier)
                           : default_identifier(sup, key);
}

static void free_slot(struct supervisor *sup, const struct lc_action *action) {
    struct instance *in = &sup->instances[action->slot];
    free(in->identifier);
    free(in->model_key);
    free(in->load_order);
    *in = (struct instance){ 0 };
}

static void report_transition(struct supervisor *sup, const struct lc_action *action) {
    struct instance *in = &sup->instances[action->slot];
    bool stalled = action->reason == LC_BECAUSE_LOAD_FAILED && in->load_error.code == ERR_NONE;
    if (stalled) supervisor_explain_stall(sup, in->model_key, &in->load_error);
    supervisor_report(sup, action);
    supervisor_notify(sup, action);
}

/* ---- requests ---- */

/* Hand the request to the worker. Followers of the log want the text that the template makes of
 * a chat: the worker reports it with STARTED. */
static void dispatch(const struct supervisor *sup, struct call *call, struct worker *worker) {
    struct service_request *asked = &call->request.asked;
    if (asked->op == OP_CHAT && sup->config.log_wanted(sup->config.ctx, LOG_INPUT))
        sealed_body_mark(&asked->sealed, "report_prompt");
    struct worker_payload payload = { asked->sealed.text, asked->sealed.len, asked->held };
    worker_send_payload(worker, MSG_REQUEST, call->id, &payload);
    asked->sealed.text = NULL;
    asked->held = (struct byte_hold){ 0 };
    call->request.dispatched = true;
    call->request.dispatched_usec = clock_boottime_usec();
}

/* No worker has it. */
static void post_done(struct supervisor *sup, const struct lc_action *action) {
    supervisor_post(sup, (struct lc_event){ .kind = LC_EV_DONE,
                                            .slot = action->slot,
                                            .generation = action->generation,
                                            .request = action->request });
}

static void start_request(struct supervisor *sup, const struct lc_action *action) {
    struct call *call = call_find(sup->calls, action->request);
    struct instance *in = &sup->instances[action->slot];
    if (!call) { /* cancelled a moment ago */
        post_done(sup, action);
        return;
    }
    if (!in->worker) return; /* it died: its EXITED, which comes next, ends the request */
    call->request.slot = action->slot;
    call->request.generation = action->generation;
    if (lifecycle_view(&sup->lc, action->slot).running == 1) {
        activity_begin(&in->activity, sup->lc.now);
    }
    dispatch(sup, call, in->worker);
}

/* The client of a failed load is told when identifier and memory are free again, because it
 * may retry at once. */
static bool awaits_exit(const struct supervisor *sup, const struct lc_action *action,
                        const struct call *call) {
    bool failed = action->fail == LC_FAIL_LOAD_FAILED || action->fail == LC_FAIL_LOAD_STALLED;
    return failed && call_load_sink(call) && sup->lc.slots[action->slot].state == LC_UNLOADING;
}

static void fail_request(struct supervisor *sup, const struct lc_action *action) {
    struct call *call = call_find(sup->calls, action->request);
    if (!call) return; /* cancelled a moment ago */
    struct error err;
    supervisor_explain(sup, action, call->model_key, &err);
    if (!awaits_exit(sup, action, call)) {
        call_fail(sup->calls, call, &err);
        return;
    }
    call->refusal = err;
    call->load.slot = action->slot;
    call->load.failed = true;
}

/* It may have left while its pin was written. */
static bool is_still_there(const struct supervisor *sup, const struct load_call *load) {
    return supervisor_shows(sup, load->slot) &&
           sup->lc.slots[load->slot].generation == load->generation;
}

void supervisor_end_load(struct supervisor *sup, struct call *call,
                         const struct error *not_kept) {
    struct load_sink sink = call->load.sink;
    call_id id = call->id;
    if (!is_still_there(sup, &call->load)) {
        struct error err;
        error_set(&err, ERR_MODEL_UNLOADED,
                  "'%.80s' was loaded, but has been unloaded since; load it again.",
                  call->model_key);
        call_fail(sup->calls, call, &err);
        return;
    }
    struct instance_view view = supervisor_view(sup, call->load.slot);
    struct load_result result = { &view, call->load.fresh, not_kept };
    call_close(sup->calls, call);
    sink.on_end(sink.ctx, id, &result, NULL);
}

/* The load has made an instance its own that was there (Auto-evict, rule 7): the next worker is
 * loaded as the load says. */
static void adopt_settings(struct supervisor *sup, int slot, const struct call *call) {
    struct instance *in = &sup->instances[slot];
    if (call->kind != CALL_LOAD) return;
    in->requested = call->load.options.requested;
    in->effective.parallel = sup->lc.slots[slot].plan.parallel;
}

static void end_load(struct supervisor *sup, const struct lc_action *action) {
    struct call *call = call_find(sup->calls, action->request);
    if (!call) return;
    adopt_settings(sup, action->slot, call);
    call->load.slot = action->slot;
    call->load.generation = sup->lc.slots[action->slot].generation;
    call->load.fresh = action->fresh;
    if (!supervisor_pin_loaded(sup, call)) supervisor_end_load(sup, call, NULL);
}

/* ---- workers without a model ---- */

static void prepare_worker(struct supervisor *sup, int slot) {
    struct instance *in = &sup->instances[slot];
    if (supervisor_has_parked(sup, slot)) return;
    if (standby_keep(sup->standby, slot, &in->load_error)) return;
    in->load_error.code = ERR_LOAD_FAILED; /* no client's request is at fault */
    log_warn("%s: %s", in->identifier, in->load_error.text);
}

/* The slot that waits for the answer to PREPARE, or LC_NO_SLOT. */
static int slot_to_answer(const struct lifecycle *lc) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (lc->slots[i].prepared == LC_PREPARING) return i;
    }
    return LC_NO_SLOT;
}

/* Park the worker if its instance may return. Otherwise stop it; one whose ttl is over may
 * finish what it computes ahead, because nobody waits for its place. */
static void stop_worker(struct supervisor *sup, int slot) {
    static const char finish[] = "{\"finish\":true}";
    struct instance *in = &sup->instances[slot];
    bool idle = sup->lc.slots[slot].leaving == LC_BECAUSE_TTL;
    in->parking = supervisor_may_park(sup, slot);
    worker_send(in->worker, in->parking ? MSG_PARK : MSG_STOP, 0, idle ? finish : NULL,
                idle ? sizeof finish - 1 : 0);
}

/* STOP, KILL or ABORT; nothing where no worker could be started. */
static void tell_worker(struct supervisor *sup, const struct lc_action *action) {
    struct worker *worker = action->slot >= 0 ? sup->instances[action->slot].worker : NULL;
    if (!worker) return;
    if (action->kind == LC_DO_STOP)
        stop_worker(sup, action->slot);
    else if (action->kind == LC_DO_KILL)
        worker_kill(worker);
    else
        worker_send(worker, MSG_CANCEL, action->request, NULL, 0);
}

/* ---- all ---- */

static void perform(struct supervisor *sup, const struct lc_action *action,
                    const struct lc_event *ev) {
    switch (action->kind) {
    case LC_DO_PREPARE:
        prepare_worker(sup, action->slot);
        break;
    case LC_DO_RELEASE:
        standby_release(sup->standby, action->slot);
        break;
    case LC_DO_SPAWN:
        supervisor_spawn(sup, action->slot);
        break;
    case LC_DO_STOP:
    case LC_DO_KILL:
    case LC_DO_ABORT:
        tell_worker(sup, action);
        break;
    case LC_DO_START:
        start_request(sup, action);
        break;
    case LC_DO_LOADED:
        end_load(sup, action);
        break;
    case LC_DO_FAIL:
        fail_request(sup, action);
        break;
    case LC_DO_ASSIGN:
        assign_slot(sup, action, call_find(sup->calls, ev->request));
        break;
    case LC_DO_FREE:
        free_slot(sup, action);
        break;
    case LC_DO_REPORT:
        report_transition(sup, action);
        break;
    case LC_DO_GRANT:
        supervisor_grant(sup, action);
        break;
    case LC_DO_FINISHED:
        sup->config.on_finished(sup->config.ctx);
        break;
    }
}

static void step(struct supervisor *sup, struct lc_event ev) {
    ev.now = clock_boottime();
    lifecycle_step(&sup->lc, &ev, &sup->actions);
    for (uint32_t i = 0; i < sup->actions.count; i++) perform(sup, &sup->actions.list[i], &ev);
    supervisor_notify_event(sup, &ev);
}

void supervisor_step(struct supervisor *sup, struct lc_event ev) {
    step(sup, ev);
    for (int slot; (slot = slot_to_answer(&sup->lc)) != LC_NO_SLOT;) {
        bool kept = standby_keeps(sup->standby, slot) || supervisor_has_parked(sup, slot);
        step(sup, (struct lc_event){ .kind = kept ? LC_EV_PREPARED : LC_EV_PREPARE_FAILED,
                                     .slot = slot,
                                     .generation = sup->lc.slots[slot].generation });
    }
}
