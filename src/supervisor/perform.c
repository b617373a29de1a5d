/* SPDX-License-Identifier: MIT */
/* perform.c - what the lifecycle decided is done here, one small function per action. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

/* ---- ending calls ---- */

void call_fail(struct supervisor *sup, struct call *call, const struct error *err) {
    struct service_sink sink = call->sink;
    struct load_sink load_sink = call->load_sink;
    call_id id = call->id;
    sup->config.metrics->request_errors[err->code]++;
    call_close(sup->calls, call); /* first: the sink may ask for things anew */
    if (load_sink.on_end) load_sink.on_end(load_sink.ctx, id, NULL, err);
    struct service_event ev = { .kind = SERVICE_ERROR,
                                .error = err,
                                .stop_reason = STOP_FAILED };
    if (err->code == ERR_MODEL_UNLOADED) ev.stop_reason = STOP_UNLOADED;
    if (sink.on_event) sink.on_event(sink.ctx, id, &ev);
}

static int seconds_until(msec at, msec now) {
    return at <= now ? 1 : (int)((at - now + 999) / 1000);
}

static void no_memory_error(const struct lc_action *action, const char *key,
                            struct error *err) {
    error_set(
        err, ERR_NO_MEMORY,
        "'%.80s' needs about %llu MB (%llu bytes) and %llu MB (%llu bytes) are free; unload "
        "another model, choose a smaller context length, or load it with force.",
        key, (unsigned long long)(action->need >> 20), (unsigned long long)action->need,
        (unsigned long long)(action->free >> 20), (unsigned long long)action->free);
}

static void stall_error(const struct supervisor *sup, const char *key, struct error *err) {
    error_set(err, ERR_LOAD_FAILED,
              "'%.80s' made no progress while loading for %lld s and was given up; look at the "
              "disk or raise load_stall_seconds.",
              key, (long long)(sup->lc.settings.load_stall / 1000));
}

/* No cause: the next load has begun already, or stands in line. */
static void back_off_error(const struct supervisor *sup, const struct lc_action *action,
                           const char *key, const char *cause, struct error *err) {
    error_set(err, ERR_BACK_OFF, "Loading '%.60s' failed a moment ago: %s", key,
              *cause ? cause : "it is being tried again; send the request again later.");
    err->retry_after = seconds_until(action->at, sup->lc.now);
}

/* The sentence a client gets for a refusal of the lifecycle. */
static void explain(const struct supervisor *sup, const struct lc_action *action,
                    const char *key, struct error *err) {
    static const struct instance nobody;
    const struct instance *in = action->slot >= 0 ? &sup->instances[action->slot] : &nobody;
    switch (action->fail) {
    case LC_FAIL_JIT_OFF:
        error_set_param(
            err, ERR_MODEL_NOT_FOUND, "model",
            "The model '%.80s' exists but is not loaded, and JIT loading is off; load "
            "it with `doze load %.80s` or switch JIT loading on.",
            key, key);
        return;
    case LC_FAIL_QUEUE_FULL:
        error_set(err, ERR_QUEUE_FULL,
                  "Too many requests are waiting for '%.80s' already; try again later.", key);
        err->retry_after = 5;
        return;
    case LC_FAIL_TOO_MANY:
        error_set(err, ERR_QUEUE_FULL,
                  "There are %d instances already, which is the most; unload one first.",
                  LC_MAX_SLOTS);
        err->retry_after = 5;
        return;
    case LC_FAIL_LOAD_FAILED:
        *err = in->load_error;
        return;
    case LC_FAIL_LOAD_STALLED:
        stall_error(sup, key, err);
        return;
    case LC_FAIL_BACK_OFF:
        back_off_error(sup, action, key, in->load_error.text, err);
        return;
    case LC_FAIL_NO_MEMORY:
        no_memory_error(action, key, err);
        return;
    case LC_FAIL_UNLOADED:
        error_set(err, ERR_MODEL_UNLOADED, "The model '%.80s' was unloaded by hand.", key);
        return;
    case LC_FAIL_DIED:
        error_set(
            err, ERR_WORKER_DIED,
            "The worker of '%.80s' died while it had this request; send it again, and look "
            "at the server's log if it happens twice.",
            key);
        return;
    case LC_FAIL_SHUTDOWN:
        error_set(err, ERR_SHUTTING_DOWN, "The server is shutting down.");
        return;
    case LC_FAIL_NONE:
        break;
    }
    assert(false && "lc_fail");
}

static void do_fail(struct supervisor *sup, const struct lc_action *action,
                    const struct lc_event *ev) {
    (void)ev;
    struct call *call = call_find(sup->calls, action->request);
    if (!call) return; /* its client left; nobody is waiting for the answer */
    struct error err;
    explain(sup, action, call->model_key, &err);
    call_fail(sup, call, &err);
}

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

static void do_assign(struct supervisor *sup, const struct lc_action *action,
                      const struct lc_event *ev) {
    struct instance *in = &sup->instances[action->slot];
    const struct call *call = call_find(sup->calls, ev->request);
    const char *key = sup->model_names[action->model];
    char *identifier = call ? call->options.identifier : NULL;
    *in = (struct instance){ .requested = LOAD_SETTINGS_UNSET, .model_key = xstrdup(key) };
    in->identifier = identifier ? xstrdup(identifier) : default_identifier(sup, key);
}

static void do_free(struct supervisor *sup, const struct lc_action *action,
                    const struct lc_event *ev) {
    (void)ev;
    struct instance *in = &sup->instances[action->slot];
    free(in->identifier);
    free(in->model_key);
    *in = (struct instance){ 0 };
}

/* The explicit load that waits for this slot, if there is one. */
static struct call *waiting_load(struct supervisor *sup, int slot) {
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot || request->kind != LC_KIND_LOAD) continue;
        return call_find(sup->calls, request->id);
    }
    return NULL;
}

/* A jit load is as its newest request sees it (the lifecycle plans it so, too): a get-or-load
 * may demand something. */
static struct load_settings newest_requested(struct supervisor *sup, int slot) {
    struct load_settings requested = LOAD_SETTINGS_UNSET;
    for (uint32_t i = sup->lc.request_count; i-- > 0;) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot) continue;
        const struct call *call = call_find(sup->calls, request->id);
        return call && call->kind == LC_KIND_GET_OR_LOAD ? call->options.requested : requested;
    }
    return requested;
}

/* Is what the last worker was requested to be what the lifecycle has planned for the next one?
 * Then it replaces one that died: whoever came meanwhile has no say. */
static bool is_as_planned(const struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    const struct model *model = catalog_find(*sup->config.catalog, in->model_key);
    struct load_settings effective;
    struct lc_plan plan;
    struct error err;
    return model && supervisor_plan(sup, model, &in->requested, &effective, &plan, &err) &&
           plan.settings == sup->lc.slots[slot].plan.settings;
}

static void choose_requested(struct supervisor *sup, int slot) {
    struct instance *in = &sup->instances[slot];
    const struct call *load = waiting_load(sup, slot);
    if (load) {
        in->requested = load->options.requested;
    } else if (sup->lc.slots[slot].origin == LC_ORIGIN_JIT && !is_as_planned(sup, slot)) {
        in->requested = newest_requested(sup, slot);
    } /* else a worker of an explicit instance died: the next one is loaded the same way */
}

static bool start_worker(struct supervisor *sup, const struct lc_action *action,
                         struct error *err) {
    struct instance *in = &sup->instances[action->slot];
    const struct model *model = catalog_find(*sup->config.catalog, in->model_key);
    if (!model) {
        return error_set(err, ERR_LOAD_FAILED, "The file of '%.80s' is not there any more.",
                         in->model_key);
    }
    struct lc_plan plan;
    if (!supervisor_plan(sup, model, &in->requested, &in->effective, &plan, err)) return false;
    struct worker_owner owner = supervisor_worker_owner;
    owner.ctx = sup;
    in->worker = standby_take(sup->standby, action->slot, action->generation, &owner);
    if (!in->worker) {
        in->worker = worker_spawn(sup->config.loop, sup->config.worker_program, action->slot,
                                  action->generation, &owner, err);
    }
    if (!in->worker) return false;
    struct buf payload = BUF_INIT(1 << 20);
    supervisor_format_load(sup, model, action->slot, &in->effective, &payload);
    worker_send(in->worker, MSG_LOAD, 0, payload.data, payload.len);
    buf_clear(&payload);
    return true;
}

static void do_spawn(struct supervisor *sup, const struct lc_action *action,
                     const struct lc_event *ev) {
    (void)ev;
    struct instance *in = &sup->instances[action->slot];
    choose_requested(sup, action->slot);
    in->spawned_at = sup->lc.now;
    in->load_error = (struct error){ 0 };
    in->facts = (struct instance_facts){ 0 };
    in->activity = (struct activity){ 0 };
    if (start_worker(sup, action, &in->load_error)) {
        supervisor_notify_loading(sup, action->slot);
        return;
    }
    in->load_error.code = ERR_LOAD_FAILED; /* whatever it was: not the client's request */
    struct lc_event event = { .kind = LC_EV_LOAD_FAILED,
                              .slot = action->slot,
                              .generation = action->generation };
    supervisor_feed(sup, event);
    event.kind = LC_EV_EXITED; /* there is no process to wait for */
    supervisor_feed(sup, event);
}

static void do_stop(struct supervisor *sup, const struct lc_action *action,
                    const struct lc_event *ev) {
    (void)ev;
    struct instance *in = &sup->instances[action->slot];
    if (in->worker) worker_send(in->worker, MSG_STOP, 0, NULL, 0);
}

static void do_kill(struct supervisor *sup, const struct lc_action *action,
                    const struct lc_event *ev) {
    (void)ev;
    struct instance *in = &sup->instances[action->slot];
    if (in->worker) worker_kill(in->worker);
}

static void do_report(struct supervisor *sup, const struct lc_action *action,
                      const struct lc_event *ev) {
    (void)ev;
    struct instance *in = &sup->instances[action->slot];
    if (action->reason == LC_BECAUSE_LOAD_FAILED && in->load_error.code == ERR_NONE) {
        stall_error(sup, in->model_key, &in->load_error); /* else its worker has said why */
    }
    supervisor_report(sup, action);
    supervisor_notify(sup, action);
}

/* ---- requests ---- */

/* The request as the worker gets it. Who follows the log wants the text that the template makes
 * of a chat: the worker reports it when it has made it. */
static void dispatch(const struct supervisor *sup, struct call *call, struct worker *worker) {
    yyjson_mut_doc *doc = call->request.body;
    bool reports = call->request.op == OP_CHAT &&
                   sup->config.log_wanted(sup->config.ctx, LOG_INPUT);
    if (reports)
        yyjson_mut_obj_add_bool(doc, yyjson_mut_doc_get_root(doc), "report_prompt", true);
    struct buf payload = BUF_INIT(FRAME_MAX_TO_WORKER);
    json_write(doc, &payload);
    worker_send(worker, MSG_REQUEST, call->id, payload.data, payload.len);
    buf_clear(&payload);
    yyjson_mut_doc_free(doc);
    call->request.body = NULL;
    call->dispatched = true;
}

static void do_start(struct supervisor *sup, const struct lc_action *action,
                     const struct lc_event *ev) {
    (void)ev;
    struct call *call = call_find(sup->calls, action->request);
    struct instance *in = &sup->instances[action->slot];
    if (!call) { /* its client left a moment ago and the worker has never heard of it */
        struct lc_event done = { .kind = LC_EV_DONE,
                                 .slot = action->slot,
                                 .generation = action->generation,
                                 .request = action->request };
        supervisor_feed(sup, done);
        return;
    }
    if (!in->worker) return; /* dead: its end is on the way and answers the request */
    call->slot = action->slot;
    call->generation = action->generation;
    if (lifecycle_view(&sup->lc, action->slot).running == 1) {
        activity_begin(&in->activity, sup->lc.now);
    }
    dispatch(sup, call, in->worker);
}

static void do_abort(struct supervisor *sup, const struct lc_action *action,
                     const struct lc_event *ev) {
    (void)ev;
    struct instance *in = &sup->instances[action->slot];
    if (in->worker) worker_send(in->worker, MSG_CANCEL, action->request, NULL, 0);
}

/* A load without `keep` unpins nothing. */
static void remember_pinned(struct supervisor *sup, int slot, const struct call *call) {
    const struct instance *in = &sup->instances[slot];
    if (call->kind != LC_KIND_LOAD || !call->options.keep) return;
    pinned_put(&sup->pinned, in->identifier, in->model_key, sup->lc.slots[slot].ttl,
               &call->options.requested);
    sup->config.on_pinned_changed(sup->config.ctx);
}

static void do_loaded(struct supervisor *sup, const struct lc_action *action,
                      const struct lc_event *ev) {
    (void)ev;
    struct call *call = call_find(sup->calls, action->request);
    if (!call) return;
    remember_pinned(sup, action->slot, call);
    struct instance_view view = supervisor_view(sup, action->slot);
    struct load_result result = { .instance = &view, .fresh = action->fresh };
    struct load_sink sink = call->load_sink;
    call_id id = call->id;
    call_close(sup->calls, call);
    if (sink.on_end) sink.on_end(sink.ctx, id, &result, NULL);
}

static void do_finished(struct supervisor *sup, const struct lc_action *action,
                        const struct lc_event *ev) {
    (void)action;
    (void)ev;
    sup->config.on_finished(sup->config.ctx);
}

typedef void perform_fn(struct supervisor *sup, const struct lc_action *action,
                        const struct lc_event *ev);

static perform_fn *const performers[] = {
    [LC_DO_SPAWN] = do_spawn,   [LC_DO_STOP] = do_stop,         [LC_DO_KILL] = do_kill,
    [LC_DO_START] = do_start,   [LC_DO_ABORT] = do_abort,       [LC_DO_LOADED] = do_loaded,
    [LC_DO_FAIL] = do_fail,     [LC_DO_ASSIGN] = do_assign,     [LC_DO_FREE] = do_free,
    [LC_DO_REPORT] = do_report, [LC_DO_FINISHED] = do_finished,
};

void supervisor_perform(struct supervisor *sup, const struct lc_event *ev) {
    for (uint32_t i = 0; i < sup->actions.count; i++) {
        struct lc_action action = sup->actions.list[i];
        performers[action.kind](sup, &action, ev);
    }
    if (ev->kind != LC_EV_REQUEST) return;
    struct call *call = call_find(sup->calls, ev->request);
    if (call && !call->dispatched) call_emit_loading(sup, call, LC_NO_SLOT);
}
