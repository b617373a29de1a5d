/* SPDX-License-Identifier: MIT */
/* prefetch_route.c - POST /api/v1/models/prefetch: read a model's files ahead of its load. */
#include <stdlib.h>

#include "api/lmstudio_rest/v1.h"
#include "daemon/routes/pending.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

static void prefetch_on_end(void *ctx, const struct prefetch_result *result,
                            const struct error *error) {
    struct pending *p = ctx;
    if (result) {
        struct buf json = BUF_INIT(1 << 16);
        lmstudio_v1_format_prefetch(result, &json);
        reply_json(p->x, &json);
    } else {
        exchange_fail(p->x, error);
    }
    pending_free(p);
}

void route_prefetch(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    char *model = NULL;
    size_t len = 0;
    const char *body = exchange_body(x, &len);
    if (!lmstudio_v1_parse_prefetch(body, len, &model, &err)) {
        exchange_fail(x, &err);
        return;
    }
    struct pending *p = pending_new(r->service, x, NULL);
    struct prefetch_sink sink = { .on_end = prefetch_on_end, .ctx = p };
    p->call = r->service->prefetch(r->service->self, model, sink);
    free(model);
}
