/* SPDX-License-Identifier: MIT */
/* estimate_route.c - POST /api/v1/models/estimate: the memory a load would take, without
 * loading. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/daemon.h"

struct pending_estimate {
    struct daemon *d;
    struct exchange *x;
    call_id call;
    bool starting, over;
};

static void release(struct pending_estimate *p) {
    if (p->over && !p->starting) free(p);
}

static void on_gone(void *ctx) {
    struct pending_estimate *p = ctx;
    p->over = true;
    if (p->call) p->d->service.cancel(p->d->service.self, p->call);
    release(p);
}

static void reply(struct exchange *x, const struct load_estimate *estimate) {
    struct buf json = BUF_INIT(512);
    uint64_t total = estimate->model + estimate->context;
    uint64_t device = estimate->model_device + estimate->context_device;
    buf_addf(&json,
             "{\"model_bytes\":%llu,\"context_bytes\":%llu,\"total_bytes\":%llu,"
             "\"device_bytes\":%llu,\"fits\":%s}",
             (unsigned long long)estimate->model, (unsigned long long)estimate->context,
             (unsigned long long)total, (unsigned long long)device,
             estimate->fits ? "true" : "false");
    exchange_reply(x, 200, "application/json", json.data, json.len);
    buf_clear(&json);
}

static void on_end(void *ctx, const struct load_estimate *estimate, const struct error *error) {
    struct pending_estimate *p = ctx;
    if (p->over) return;
    p->over = true;
    if (estimate)
        reply(p->x, estimate);
    else
        exchange_fail(p->x, error);
    release(p);
}

void route_estimate(void *ctx, struct exchange *x) {
    struct daemon *d = ctx;
    struct load_body body;
    if (!daemon_read_load(x, &body)) return;
    struct pending_estimate *p = xcalloc(1, sizeof *p);
    *p = (struct pending_estimate){ .d = d, .x = x, .starting = true };
    exchange_on_gone(x, on_gone, p);
    struct estimate_sink sink = { on_end, p };
    p->call = d->service.estimate(d->service.self, &body.request, sink);
    p->starting = false;
    yyjson_doc_free(body.doc);
    release(p);
}
