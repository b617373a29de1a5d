/* SPDX-License-Identifier: MIT */
/* estimate.c - what a load would take: a worker of its own opens the file without allocating
 * memory for it, reports the sums and exits. It has no slot in the lifecycle. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "load/load_plan.h"
#include "supervisor/internal.h"

enum {
    PATIENCE_MS = 30000, /* opening takes milliseconds; then the worker is killed */
    WORKERS_MAX = 16,
};

struct estimate {
    struct supervisor *sup; /* NULL: it is gone */
    struct estimate *next;
    call_id call;
    nbytes sight; /* what seeing takes, which the worker does not measure */
    uint32_t model;
    struct lc_plan plan;
    struct worker *worker;
    uv_timer_t timer;
    struct log_budget log_budget;
};

static void estimate_end(struct estimate *e, const struct load_estimate *result,
                         const struct error *err) {
    struct call *call = e->sup ? call_find(e->sup->calls, e->call) : NULL;
    if (!call) return; /* answered, or its client left */
    if (err) {
        call_fail(e->sup->calls, call, err);
        return;
    }
    struct estimate_sink sink = call->estimate.sink;
    call_close(e->sup->calls, call);
    sink.on_end(sink.ctx, result, NULL);
}

static uint64_t bytes_of(yyjson_val *obj, const char *name) {
    return yyjson_get_uint(yyjson_obj_get(obj, name));
}

/* Whether a load would be admitted now if it took as much: what says so loads. */
static bool fits(struct estimate *e, const struct load_estimate *result) {
    nbytes device = result->model_device + result->context_device;
    nbytes host = result->model + result->context - device;
    if (host > e->plan.need) e->plan.need = host;
    return supervisor_would_load(e->sup, e->model, &e->plan);
}

static void estimate_on_measured(struct estimate *e, yyjson_val *json) {
    struct load_estimate result = { .model = bytes_of(json, "model") + e->sight,
                                    .model_device = bytes_of(json, "model_device"),
                                    .context = bytes_of(json, "context"),
                                    .context_device = bytes_of(json, "context_device") };
    result.fits = fits(e, &result);
    estimate_end(e, &result, NULL);
}

static void estimate_on_failed(struct estimate *e, yyjson_val *json) {
    struct error err;
    supervisor_read_failure(json, &err);
    estimate_end(e, NULL, &err);
}

static void estimate_on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    struct estimate *e = ctx;
    struct error err;
    bool wanted = e->sup && (frame->type == MSG_MEASURED || frame->type == MSG_FAILED);
    if (!wanted) return;
    yyjson_doc *doc = json_parse_object(frame->payload, frame->len, &err);
    if (doc && frame->type == MSG_MEASURED)
        estimate_on_measured(e, yyjson_doc_get_root(doc));
    else
        estimate_on_failed(e, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    worker_kill(worker);
}

static void estimate_on_line(void *ctx, struct worker *worker, const char *line) {
    struct estimate *e = ctx;
    (void)worker;
    if (log_budget_take(&e->log_budget, clock_boottime()) == LOG_LINE)
        log_warn("the worker that measures a model: %s", line);
}

static void estimate_on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void estimate_on_timer(uv_timer_t *timer) {
    struct estimate *e = timer->data;
    worker_kill(e->worker);
}

static void estimate_unlink(struct estimate *e) {
    struct estimate **link = e->sup ? &e->sup->estimates : NULL;
    while (link && *link != e) link = &(*link)->next;
    if (link) *link = e->next;
}

static void estimate_on_gone(void *ctx, struct worker *worker, const char *how) {
    struct estimate *e = ctx;
    struct error err;
    (void)worker;
    estimate_unlink(e);
    error_set(&err, ERR_LOAD_FAILED,
              "The worker that measured the model %s; the file may be damaged.", how);
    estimate_end(e, NULL, &err);
    uv_close((uv_handle_t *)&e->timer, estimate_on_closed);
}

void supervisor_drop_estimates(struct supervisor *sup) {
    for (struct estimate *e = sup->estimates; e; e = e->next) {
        e->sup = NULL;
        worker_kill(e->worker);
    }
    sup->estimates = NULL;
}

static bool has_room(const struct supervisor *sup, struct error *err) {
    int count = 0;
    for (const struct estimate *e = sup->estimates; e; e = e->next) count++;
    if (count < WORKERS_MAX) return true;
    error_set(err, ERR_QUEUE_FULL, "%d models are being measured already; try again later.",
              count);
    err->retry_after = 1;
    return false;
}

static bool estimate_start(struct estimate *e, const struct load_options *options,
                           struct error *err) {
    struct supervisor *sup = e->sup;
    struct target target;
    struct load_settings effective;
    if (!has_room(sup, err) || !supervisor_resolve_model(sup, options->model, &target, err) ||
        !supervisor_plan(sup, target.model, &options->requested, &effective, &e->plan, err))
        return false;
    struct model_shape shape = model_shape(target.model);
    e->sight = load_plan_sight(&shape);
    e->model = supervisor_model_number(sup, target.model_key);
    struct worker_owner owner = { .on_frame = estimate_on_frame,
                                  .on_gone = estimate_on_gone,
                                  .on_line = estimate_on_line,
                                  .ctx = e };
    e->worker = worker_spawn(sup->config.loop, sup->config.worker_program, LC_NO_SLOT, 0,
                             &owner, err);
    if (!e->worker) return false;
    struct buf payload = BUF_INIT(1 << 20);
    supervisor_format_load(sup, target.model, LC_NO_SLOT, &effective, &payload);
    worker_send(e->worker, MSG_MEASURE, 0, payload.data, payload.len);
    buf_clear(&payload);
    uv_timer_init(sup->config.loop, &e->timer);
    e->timer.data = e;
    uv_timer_start(&e->timer, estimate_on_timer, PATIENCE_MS, 0);
    e->next = sup->estimates;
    sup->estimates = e;
    return true;
}

call_id supervisor_estimate(struct supervisor *sup, const struct load_request *request,
                            struct estimate_sink sink) {
    struct call *call = call_open(sup->calls, CALL_ESTIMATE);
    supervisor_read_options(request, &call->estimate.options);
    call->estimate.sink = sink;
    supervisor_post_call(sup, call);
    return call->id;
}

bool supervisor_begin_estimate(struct supervisor *sup, struct call *call, struct error *err) {
    struct estimate *e = xcalloc(1, sizeof *e);
    *e = (struct estimate){ .sup = sup, .call = call->id };
    if (estimate_start(e, &call->estimate.options, err)) return true;
    free(e);
    return false;
}
