/* SPDX-License-Identifier: MIT */
/* perform.c - what the lifecycle decided is done here, one small function per action. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

static void do_fail(struct supervisor *sup, const struct lc_action *action,
                    const struct lc_event *ev) {
    (void)ev;
    struct call *call = call_find(sup->calls, action->request);
    if (!call) return; /* its client left; nobody is waiting for the answer */
    struct error err;
    supervisor_explain(sup, action, call->model_key, &err);
    call_fail(sup->calls, call, &err);
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
    bool named = call && call->kind == CALL_LOAD && call->load.options.identifier;
    *in = (struct instance){ .requested = LOAD_SETTINGS_UNSET, .model_key = xstrdup(key) };
    in->identifier = named ? xstrdup(call->load.options.identifier)
                           : default_identifier(sup, key);
}

static void do_free(struct supervisor *sup, const struct lc_action *action,
                    const struct lc_event *ev) {
    (void)ev;
    struct instance *in = &sup->instances[action->slot];
    free(in->identifier);
    free(in->model_key);
    *in = (struct instance){ 0 };
}

static void do_spawn(struct supervisor *sup, const struct lc_action *action,
                     const struct lc_event *ev) {
    (void)ev;
    supervisor_spawn(sup, action->slot);
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
        supervisor_explain_stall(sup, in->model_key,
                                 &in->load_error); /* else its worker has said why */
    }
    supervisor_report(sup, action);
    supervisor_notify(sup, action);
}

/* ---- requests ---- */

/* The request as the worker gets it. Who follows the log wants the text that the template makes
 * of a chat: the worker reports it when it has made it. */
static void dispatch(const struct supervisor *sup, struct call *call, struct worker *worker) {
    struct service_request *asked = &call->request.asked;
    yyjson_mut_val *body = yyjson_mut_doc_get_root(asked->body);
    if (asked->op == OP_CHAT && sup->config.log_wanted(sup->config.ctx, LOG_INPUT))
        yyjson_mut_obj_add_bool(asked->body, body, "report_prompt", true);
    struct buf payload = BUF_INIT(FRAME_MAX_TO_WORKER);
    json_write(asked->body, &payload);
    worker_send(worker, MSG_REQUEST, call->id, payload.data, payload.len);
    buf_clear(&payload);
    yyjson_mut_doc_free(asked->body);
    asked->body = NULL;
    call->request.dispatched = true;
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
        supervisor_post(sup, done);
        return;
    }
    if (!in->worker) return; /* dead: its end is on the way and answers the request */
    call->request.slot = action->slot;
    call->request.generation = action->generation;
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

static void do_loaded(struct supervisor *sup, const struct lc_action *action,
                      const struct lc_event *ev) {
    (void)ev;
    struct call *call = call_find(sup->calls, action->request);
    if (!call) return;
    supervisor_pin_loaded(sup, action->slot, call);
    struct instance_view view = supervisor_view(sup, action->slot);
    struct load_result result = { .instance = &view, .fresh = action->fresh };
    struct load_sink sink = call->load.sink;
    call_id id = call->id;
    call_close(sup->calls, call);
    sink.on_end(sink.ctx, id, &result, NULL);
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

void supervisor_step(struct supervisor *sup, struct lc_event ev) {
    ev.now = clock_boottime();
    lifecycle_step(&sup->lc, &ev, &sup->actions);
    for (uint32_t i = 0; i < sup->actions.count; i++) {
        const struct lc_action *action = &sup->actions.list[i];
        performers[action->kind](sup, action, &ev);
    }
    supervisor_notify_event(sup, &ev);
}
