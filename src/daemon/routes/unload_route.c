/* SPDX-License-Identifier: MIT */
/* unload_route.c - POST /api/v1/models/unload: answered when the worker is gone and its memory
 * back. */
#include <stdlib.h>

#include "api/lmstudio_rest/v1.h"
#include "base/xalloc.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

struct pending_unload {
    const struct service *service;
    struct exchange *x;
    char *id;
    call_id call;
};

static void unload_free(struct pending_unload *p) {
    free(p->id);
    free(p);
}

/* The unload itself goes on. */
static void unload_on_gone(void *ctx) {
    struct pending_unload *p = ctx;
    p->service->cancel(p->service->self, p->call);
    unload_free(p);
}

static void unload_on_end(void *ctx, const struct error *error) {
    struct pending_unload *p = ctx;
    if (error) {
        exchange_fail(p->x, error);
    } else {
        struct buf json = BUF_INIT(4096);
        lmstudio_v1_format_unload(p->id, &json);
        reply_json(p->x, &json);
    }
    unload_free(p);
}

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
    struct pending_unload *p = xcalloc(1, sizeof *p);
    *p = (struct pending_unload){ .service = r->service, .x = x, .id = id };
    exchange_on_gone(x, unload_on_gone, p);
    struct done_sink sink = { .on_end = unload_on_end, .ctx = p };
    p->call = r->service->unload(r->service->self, id, sink);
}
