/* SPDX-License-Identifier: MIT */
/* ollama_routes.c - Ollama's API but for the answers of models: what is there, what is
 * loaded. */
#include "api/ollama/ollama.h"
#include "base/clock.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

static struct service_models models_of(const struct routes *r) {
    return r->service->models(r->service->self);
}

void route_ollama_version(void *ctx, struct exchange *x) {
    struct buf json = BUF_INIT(1 << 10);
    (void)ctx;
    ollama_format_version(&json);
    reply_json(x, &json);
}

void route_ollama_tags(void *ctx, struct exchange *x) {
    struct service_models models = models_of(ctx);
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    ollama_format_tags(&models, &json);
    reply_json(x, &json);
}

void route_ollama_ps(void *ctx, struct exchange *x) {
    struct service_models models = models_of(ctx);
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    ollama_format_ps(&models, clock_unix(), &json);
    reply_json(x, &json);
}

/* ---- what doze has no use for ---- */

static void refuse(struct exchange *x, const char *sentence) {
    struct error err;
    error_set(&err, ERR_NOT_SUPPORTED, "%s", sentence);
    exchange_fail(x, &err);
}

void route_ollama_create(void *ctx, struct exchange *x) {
    (void)ctx;
    refuse(x, "Models are files here, not made from others; put a GGUF file into the models "
              "folder, or give a model settings with `doze settings set models`.");
}

void route_ollama_push(void *ctx, struct exchange *x) {
    (void)ctx;
    refuse(x, "This server publishes no models; upload the file to Hugging Face with its own "
              "tools.");
}

void route_ollama_copy(void *ctx, struct exchange *x) {
    (void)ctx;
    refuse(x, "A model has one name here; give it another with `doze settings set "
              "model_aliases '{\"name\": \"model\"}'`.");
}
