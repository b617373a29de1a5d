/* SPDX-License-Identifier: MIT */
/* instance_routes.c - listings, update, settings: asked, done, answered in one go; a change of
 * the settings once it is on disk. */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_rest/v0.h"
#include "api/lmstudio_rest/v1.h"
#include "api/openai/openai.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/daemon.h"
#include "daemon/routes/reply.h"

static void list(void *ctx, struct exchange *x,
                 void (*format)(const struct service_models *models, struct buf *out)) {
    struct daemon *d = ctx;
    struct service_models models = d->service.models(d->service.self);
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    format(&models, &json);
    reply_json(x, &json);
}

static void list_one(void *ctx, struct exchange *x,
                     bool (*format)(const struct service_models *models, const char *id,
                                    struct buf *out)) {
    struct daemon *d = ctx;
    const char *id = exchange_param(x, "id");
    struct service_models models = d->service.models(d->service.self);
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    if (format(&models, id, &json)) {
        reply_json(x, &json);
        return;
    }
    struct error err;
    error_set_param(&err, ERR_MODEL_NOT_FOUND, "model",
                    "There is no model '%.100s'; GET /v1/models lists those there are.", id);
    buf_clear(&json);
    exchange_fail(x, &err);
}

void route_openai_models(void *ctx, struct exchange *x) {
    list(ctx, x, openai_format_models);
}

void route_openai_model(void *ctx, struct exchange *x) {
    list_one(ctx, x, openai_format_model);
}

void route_v0_models(void *ctx, struct exchange *x) {
    list(ctx, x, lmstudio_v0_format_models);
}

void route_v0_model(void *ctx, struct exchange *x) {
    list_one(ctx, x, lmstudio_v0_format_model);
}

void route_v1_models(void *ctx, struct exchange *x) {
    list(ctx, x, lmstudio_v1_format_models);
}

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
    struct daemon *d = ctx;
    struct error err;
    struct instance_change change;
    size_t len = 0;
    const char *id = exchange_param(x, "id");
    const char *body = exchange_body(x, &len);
    if (!lmstudio_v1_parse_update(body, len, &change, &err) ||
        !d->service.update(d->service.self, id, &change, &err)) {
        exchange_fail(x, &err);
        return;
    }
    struct service_models models = d->service.models(d->service.self);
    const struct instance_view *view = view_find(&models, id);
    struct buf json = BUF_INIT(1 << 20);
    if (view)
        lmstudio_v1_format_instance(view, &json);
    else
        buf_add_str(&json, "{}"); /* the new ttl was over already: it is leaving */
    reply_json(x, &json);
}

static void reply_settings(struct daemon *d, struct exchange *x) {
    struct buf json = BUF_INIT(8 << 20);
    settings_show(&d->settings, &json);
    reply_json(x, &json);
}

void route_settings_get(void *ctx, struct exchange *x) {
    struct daemon *d = ctx;
    reply_settings(d, x);
}

struct pending_change {
    struct daemon *d;
    struct exchange *x; /* NULL: the client is gone */
};

static void on_client_gone(void *ctx) {
    struct pending_change *p = ctx;
    p->x = NULL;
}

static void on_changed(void *ctx, const struct error *error) {
    struct pending_change *p = ctx;
    if (p->x && error)
        exchange_fail(p->x, error);
    else if (p->x)
        reply_settings(p->d, p->x);
    free(p);
}

void route_settings_patch(void *ctx, struct exchange *x) {
    struct daemon *d = ctx;
    struct error err;
    size_t len = 0;
    const char *body = exchange_body(x, &len);
    yyjson_doc *doc = json_parse_object(body, len, &err);
    if (!doc) {
        exchange_fail(x, &err);
        return;
    }
    struct pending_change *p = xcalloc(1, sizeof *p);
    *p = (struct pending_change){ d, x };
    exchange_on_gone(x, on_client_gone, p);
    daemon_change_settings(d, yyjson_doc_get_root(doc),
                           (struct settings_sink){ .on_end = on_changed, .ctx = p });
    yyjson_doc_free(doc);
}
