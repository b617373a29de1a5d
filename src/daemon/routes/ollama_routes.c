/* SPDX-License-Identifier: MIT */
/* ollama_routes.c - Ollama's API but for the answers of models: what is there, what is
 * loaded. */
#include <stdlib.h>
#include <string.h>

#include "api/ollama/ollama.h"
#include "base/clock.h"
#include "base/xalloc.h"
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

/* ---- /api/show ---- */

static const struct model_view *view_of_instance(const struct service_models *models,
                                                 const char *name, size_t len) {
    for (size_t i = 0; i < models->count; i++) {
        const struct model_view *model = &models->models[i];
        for (size_t j = 0; j < model->instance_count; j++) {
            const char *identifier = model->instances[j].identifier;
            if (strlen(identifier) == len && strncmp(identifier, name, len) == 0) return model;
        }
    }
    return NULL;
}

static const struct model_view *view_of_key(const struct service_models *models,
                                            const char *key) {
    for (size_t i = 0; i < models->count; i++) {
        if (strcmp(models->models[i].key, key) == 0) return &models->models[i];
    }
    return NULL;
}

/* By the name of a model, else by an identifier, with or without ":latest". */
static const struct model_view *view_of_name(const struct service_models *models,
                                             const char *key, const char *name) {
    static const char latest[] = ":latest";
    size_t len = strlen(name), tag = sizeof latest - 1;
    if (key) return view_of_key(models, key);
    const struct model_view *view = view_of_instance(models, name, len);
    if (view || len <= tag || strcmp(name + len - tag, latest) != 0) return view;
    return view_of_instance(models, name, len - tag);
}

static void show(const struct routes *r, struct exchange *x, const char *name) {
    struct model_view found;
    struct error err;
    struct buf json = BUF_INIT(1 << 20);
    bool known = r->service->find_model(r->service->self, name, &found);
    char *key = known ? xstrdup(found.key) : NULL;
    struct service_models models = models_of(r);
    const struct model_view *view = view_of_name(&models, key, name);
    if (view) {
        ollama_format_show(view, &json);
        reply_json(x, &json);
    } else {
        error_set_param(&err, ERR_MODEL_NOT_FOUND, "model",
                        "There is no model '%.100s'; GET /api/tags lists the models.", name);
        exchange_fail(x, &err);
    }
    free(key);
}

void route_ollama_show(void *ctx, struct exchange *x) {
    struct error err;
    size_t len = 0;
    struct ollama_named body = { 0 };
    const char *text = exchange_body(x, &len);
    if (ollama_parse_named(text, len, &body, &err))
        show(ctx, x, body.name);
    else
        exchange_fail(x, &err);
    free(body.name);
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
