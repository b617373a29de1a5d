/* SPDX-License-Identifier: MIT */
/* estimate_route.c - POST /api/v1/models/estimate: the memory a load would take, without
 * loading. */
#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/daemon.h"
#include "daemon/routes/reply.h"

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

static void reply_estimate(struct exchange *x, const struct load_estimate *estimate) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "model_bytes", estimate->model);
    yyjson_mut_obj_add_uint(doc, root, "context_bytes", estimate->context);
    yyjson_mut_obj_add_uint(doc, root, "total_bytes", estimate->model + estimate->context);
    yyjson_mut_obj_add_uint(doc, root, "device_bytes",
                            estimate->model_device + estimate->context_device);
    yyjson_mut_obj_add_bool(doc, root, "fits", estimate->fits);
    reply_doc(x, doc);
}

static void on_end(void *ctx, const struct load_estimate *estimate, const struct error *error) {
    struct pending_estimate *p = ctx;
    if (p->over) return;
    p->over = true;
    if (estimate)
        reply_estimate(p->x, estimate);
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
