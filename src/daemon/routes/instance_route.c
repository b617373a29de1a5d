/* SPDX-License-Identifier: MIT */
/* instance_route.c - PATCH /api/v1/instances/{id}: pin, unpin, another ttl. */
#include <string.h>

#include "api/lmstudio_rest/v1.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

/* The instance as it is now, for the answer to a change of it. */
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

void route_update_instance(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct instance_change change;
    size_t len = 0;
    const char *id = exchange_param(x, "id");
    const char *body = exchange_body(x, &len);
    if (!lmstudio_v1_parse_update(body, len, &change, &err) ||
        !r->service->update(r->service->self, id, &change, &err)) {
        exchange_fail(x, &err);
        return;
    }
    struct service_models models = r->service->models(r->service->self);
    const struct instance_view *view = view_find(&models, id);
    struct buf json = BUF_INIT(1 << 20);
    if (view)
        lmstudio_v1_format_instance(view, &json);
    else
        buf_add_str(&json, "{}"); /* the new ttl was over already: it is leaving */
    reply_json(x, &json);
}
