/* SPDX-License-Identifier: MIT */
/* estimate.c - what a load would take: a separate worker opens the file without allocating
 * memory for it, reports the sums and exits. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "load/load_plan.h"
#include "supervisor/internal.h"

enum { PATIENCE_MS = 30000 /* opening takes milliseconds */, WORKERS_MAX = 16 };

struct estimate {
    struct supervisor *sup;
    call_id call;
    nbytes beside; /* what projector and adapters take, which the worker does not measure */
    uint32_t model;
    struct lc_plan plan;
};

static void end(const struct estimate *e, const struct load_estimate *result,
                const struct error *err) {
    struct call *call = call_find(e->sup->calls, e->call);
    if (!call) return; /* its client left */
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

/* Uses the same figure and function as the admission of a load, so that exactly what fits
 * loads. */
static void judge(const struct estimate *e, struct load_estimate *estimate) {
    nbytes device = estimate->model_device + estimate->context_device;
    nbytes host = estimate->model + estimate->context - device;
    struct lc_plan whole = e->plan;
    if (host > whole.need) whole.need = host;
    estimate->load = e->plan.need;
    estimate->fits = supervisor_would_load(e->sup, e->model, &e->plan);
    estimate->whole_fits = supervisor_would_load(e->sup, e->model, &whole);
}

static void estimate_on_end(void *ctx, const struct oneshot_result *how) {
    struct estimate *e = ctx;
    struct error err;
    if (how->answer) {
        struct load_estimate result = {
            .model = bytes_of(how->answer, "model") + e->beside,
            .model_device = bytes_of(how->answer, "model_device"),
            .context = bytes_of(how->answer, "context"),
            .context_device = bytes_of(how->answer, "context_device"),
        };
        judge(e, &result);
        end(e, &result, NULL);
        return;
    }
    if (how->gone)
        error_set(&err, ERR_LOAD_FAILED,
                  "The worker that measured the model %s; the file may be damaged.", how->gone);
    end(e, NULL, how->gone ? &err : how->failed);
}

static bool has_room(const struct supervisor *sup, struct error *err) {
    int count = oneshots_count(&sup->oneshots, MSG_MEASURE);
    if (count < WORKERS_MAX) return true;
    error_set(err, ERR_QUEUE_FULL, "%d models are being measured already; try again later.",
              count);
    err->retry_after = 1;
    return false;
}

/* Takes the estimate. */
static bool measure(struct estimate *e, const struct model *model,
                    const struct load_settings *effective, struct error *err) {
    struct supervisor *sup = e->sup;
    struct buf payload = BUF_INIT(1 << 20);
    supervisor_format_load(sup, model, LC_NO_SLOT, effective, &payload);
    struct oneshot_order order = { .question = MSG_MEASURE,
                                   .answer = MSG_MEASURED,
                                   .payload = payload.data,
                                   .len = payload.len,
                                   .patience_ms = PATIENCE_MS,
                                   .name = "the worker that measures a model",
                                   .ctx = e,
                                   .on_end = estimate_on_end };
    bool ok = oneshot_start(&sup->oneshots, sup->config.loop, sup->config.worker_program,
                            &order, err) != NULL;
    buf_clear(&payload);
    return ok;
}

call_id supervisor_estimate(struct supervisor *sup, const struct load_request *request,
                            struct estimate_sink sink) {
    struct call *call = call_open(sup->calls, CALL_ESTIMATE);
    supervisor_read_options(request, &call->estimate.options);
    call->estimate.sink = sink;
    if (call->refusal.code == ERR_NONE)
        (void)supervisor_keep_texts(sup, request, &call->estimate.options.requested,
                                    &call->refusal);
    supervisor_post_call(sup, call);
    return call->id;
}

bool supervisor_begin_estimate(struct supervisor *sup, struct call *call, struct error *err) {
    const struct load_options *options = &call->estimate.options;
    struct target target;
    struct load_settings effective;
    struct lc_plan plan;
    if (!has_room(sup, err) || !supervisor_resolve_model(sup, options->model, &target, err))
        return false;
    if (supervisor_reads_adapters(sup, call, target.model, &options->requested)) return true;
    if (!supervisor_plan(sup, target.model, &options->requested, &effective, &plan, err))
        return false;
    struct model_shape shape = supervisor_shape(sup, target.model, &effective.adapters);
    struct estimate *e = xcalloc(1, sizeof *e);
    *e = (struct estimate){ .sup = sup,
                            .call = call->id,
                            .beside = load_plan_vision(&shape) + shape.adapters_size,
                            .model = supervisor_model_number(sup, target.model_key),
                            .plan = plan };
    return measure(e, target.model, &effective, err);
}
