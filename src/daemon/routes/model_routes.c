/* SPDX-License-Identifier: MIT */
/* model_routes.c - the listings of models in each dialect. */
#include "api/anthropic/anthropic.h"
#include "api/lmstudio_rest/v0.h"
#include "api/lmstudio_rest/v1.h"
#include "api/openai/openai.h"
#include "base/no_model.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "supervisor/supervisor.h"

static void reply_models(void *ctx, struct exchange *x,
                         void (*format)(const struct service_models *models, struct buf *out)) {
    struct routes *r = ctx;
    struct service_models models = r->service->models(r->service->self);
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    format(&models, &json);
    reply_json(x, &json);
}

/* By its id, or by another name that requests take. */
static void reply_model(void *ctx, struct exchange *x,
                        bool (*format)(const struct service_models *models, const char *id,
                                       struct buf *out)) {
    struct routes *r = ctx;
    const char *id = exchange_param(x, "id");
    struct service_models models = r->service->models(r->service->self);
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    bool one, found = format(&models, id, &json);
    const char *key = found ? NULL : supervisor_meaning(r->supervisor, id, &one);
    if (found || (key && format(&models, key, &json))) {
        reply_json(x, &json);
        return;
    }
    struct error err;
    error_no_model(&err, "model", id, NULL);
    buf_clear(&json);
    exchange_fail(x, &err);
}

/* Anthropic's clients list models at the same path. */
void route_openai_models(void *ctx, struct exchange *x) {
    bool anthropic = exchange_header(x, "anthropic-version") != NULL;
    reply_models(ctx, x, anthropic ? anthropic_format_models : openai_format_models);
}

void route_openai_model(void *ctx, struct exchange *x) {
    reply_model(ctx, x, openai_format_model);
}

void route_v0_models(void *ctx, struct exchange *x) {
    reply_models(ctx, x, lmstudio_v0_format_models);
}

void route_v0_model(void *ctx, struct exchange *x) {
    reply_model(ctx, x, lmstudio_v0_format_model);
}

void route_v1_models(void *ctx, struct exchange *x) {
    reply_models(ctx, x, lmstudio_v1_format_models);
}
