/* SPDX-License-Identifier: MIT */
/* unload_route.c - POST /api/v1/models/unload: answered when the worker is gone and its memory
 * back. */
#include <stdlib.h>

#include "api/lmstudio_rest/v1.h"
#include "daemon/routes/pending.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

static void unload_on_end(void *ctx, const struct error *error) {
    struct pending *p = ctx;
    if (error) {
        exchange_fail(p->x, error);
    } else {
        struct buf json = BUF_INIT(4096);
        lmstudio_v1_format_unload(p->id, &json);
        reply_json(p->x, &json);
    }
    pending_free(p);
}

/* A client that leaves ends the wait, not the unload. */
void route_unload(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    size_t len = 0;
    char *id = NULL;
    const char *body = exchange_body(x, &len);
    if (!lmstudio_v1_parse_unload(body, len, &id, &err)) {
        exchange_fail(x, &err);
        return;
    }
    struct pending *p = pending_new(r->service, x, id);
    struct done_sink sink = { .on_end = unload_on_end, .ctx = p };
    p->call = r->service->unload(r->service->self, id, sink);
    free(id);
}
