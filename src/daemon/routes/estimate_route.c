/* SPDX-License-Identifier: MIT */
/* estimate_route.c - POST /api/v1/models/estimate: the memory a load would take, without
 * loading. */
#include "base/json.h"
#include "daemon/routes/bearer.h"
#include "daemon/routes/load_body.h"
#include "daemon/routes/pending.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

static void reply_estimate(struct exchange *x, const struct load_estimate *estimate) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "model_bytes", estimate->model);
    yyjson_mut_obj_add_uint(doc, root, "context_bytes", estimate->context);
    yyjson_mut_obj_add_uint(doc, root, "total_bytes", estimate->model + estimate->context);
    yyjson_mut_obj_add_uint(doc, root, "device_bytes",
                            estimate->model_device + estimate->context_device);
    yyjson_mut_obj_add_uint(doc, root, "load_bytes", estimate->load);
    yyjson_mut_obj_add_bool(doc, root, "fits", estimate->fits);
    yyjson_mut_obj_add_bool(doc, root, "full_context_fits", estimate->whole_fits);
    reply_doc(x, doc);
}

static void estimate_on_end(void *ctx, const struct load_estimate *estimate,
                            const struct error *error) {
    struct pending *p = ctx;
    if (estimate)
        reply_estimate(p->x, estimate);
    else
        exchange_fail(p->x, error);
    pending_free(p);
}

/* Of adapters the answer says whether there are such files. */
static bool may_ask(const struct routes *r, struct exchange *x,
                    const struct load_request *request, struct error *err) {
    struct bearer bearer;
    return request->settings.adapters.count <= 0 ||
           (bearer_of_exchange(r, x, &bearer, err) &&
            permission_require(bearer.permissions, PERMISSION_MODELS, err));
}

void route_estimate(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct load_body body;
    struct error err;
    if (!load_body_read(x, &body)) return;
    if (!may_ask(r, x, &body.request, &err)) {
        exchange_fail(x, &err);
        yyjson_doc_free(body.doc);
        return;
    }
    struct pending *p = pending_new(r->service, x, NULL);
    struct estimate_sink sink = { .on_end = estimate_on_end, .ctx = p };
    p->call = r->service->estimate(r->service->self, &body.request, sink);
    yyjson_doc_free(body.doc);
}
