/* SPDX-License-Identifier: MIT */
/* instance_route.c - PATCH /api/v1/instances/{id}: pin, unpin, another ttl. */
#include <string.h>

#include "api/lmstudio_rest/v1.h"
#include "daemon/routes/pending.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

static const struct instance_view *view_find(const struct service_models *models,
                                             const char *id) {
    for (size_t m = 0; m < models->count; m++) {
        for (size_t i = 0; i < models->models[m].instance_count; i++) {
            const struct instance_view *view = &models->models[m].instances[i];
            if (strcmp(view->identifier, id) == 0) return view;
        }
    }
    return NULL;
}

/* The answer is the instance as it is now. */
static void update_on_end(void *ctx, const struct error *error) {
    struct pending *p = ctx;
    if (error) {
        exchange_fail(p->x, error);
    } else {
        struct service_models models = p->service->models(p->service->self);
        const struct instance_view *view = view_find(&models, p->id);
        struct buf json = BUF_INIT(1 << 20);
        if (view)
            lmstudio_v1_format_instance(view, &json);
        else
            buf_add_str(&json, "{}"); /* the new ttl was over already: it is leaving */
        reply_json(p->x, &json);
    }
    pending_free(p);
}

void route_update_instance(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct instance_change change;
    size_t len = 0;
    const char *body = exchange_body(x, &len);
    if (!lmstudio_v1_parse_update(body, len, &change, &err)) {
        exchange_fail(x, &err);
        return;
    }
    struct pending *p = pending_new(r->service, x, exchange_param(x, "id"));
    struct done_sink sink = { .on_end = update_on_end, .ctx = p };
    p->call = r->service->update(r->service->self, p->id, &change, sink);
}
