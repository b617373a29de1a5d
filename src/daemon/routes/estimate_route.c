/* SPDX-License-Identifier: MIT */
/* estimate_route.c - POST /api/v1/models/estimate: the memory a load would take, without
 * loading. */
#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/routes/load_body.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

struct pending_estimate {
    const struct service *service;
    struct exchange *x;
    call_id call;
};

static void estimate_on_gone(void *ctx) {
    struct pending_estimate *p = ctx;
    p->service->cancel(p->service->self, p->call);
    free(p);
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

static void estimate_on_end(void *ctx, const struct load_estimate *estimate,
                            const struct error *error) {
    struct pending_estimate *p = ctx;
    if (estimate)
        reply_estimate(p->x, estimate);
    else
        exchange_fail(p->x, error);
    free(p);
}

void route_estimate(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct load_body body;
    if (!load_body_read(x, &body)) return;
    struct pending_estimate *p = xcalloc(1, sizeof *p);
    *p = (struct pending_estimate){ .service = r->service, .x = x };
    exchange_on_gone(x, estimate_on_gone, p);
    struct estimate_sink sink = { .on_end = estimate_on_end, .ctx = p };
    p->call = r->service->estimate(r->service->self, &body.request, sink);
    yyjson_doc_free(body.doc);
}
