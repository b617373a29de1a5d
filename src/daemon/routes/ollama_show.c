/* SPDX-License-Identifier: MIT */
/*
 * ollama_show.c - POST /api/show: what is known of a model, with the header of its file, which
 * is read on a pool thread.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/ollama/ollama.h"
#include "base/json.h"
#include "base/names.h"
#include "base/no_model.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "catalog/gguf_file.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"

enum { TEXTS_MAX = 4 << 20 /* bytes of all texts of a header, and of their names */ };

struct show {
    uv_work_t work;
    const struct routes *r;
    struct exchange *x; /* NULL: it has left */
    char *name, *key;   /* as the client wrote it; NULL: it is no model's name */
    char *path;
    size_t texts; /* bytes so far */
    yyjson_mut_doc *info;
    char *template;
    bool infill;
};

static void show_free(struct show *s) {
    yyjson_mut_doc_free(s->info);
    free(s->template);
    free(s->name);
    free(s->key);
    free(s->path);
    free(s);
}

static void show_on_gone(void *ctx) {
    struct show *s = ctx;
    s->x = NULL;
}

/* ---- the model ---- */

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
    if (key) return view_of_key(models, key);
    const struct model_view *view = view_of_instance(models, name, strlen(name));
    return view ? view : view_of_instance(models, name, untagged_len(name));
}

static const struct model_view *view_find(const struct show *s,
                                          const struct service_models *models) {
    return view_of_name(models, s->key, s->name);
}

/* ---- the header ---- */

static yyjson_mut_val *text_value(struct show *s, const struct gguf_value *value) {
    char *text = xstrdup(value->text);
    utf8_mend(text);
    yyjson_mut_val *out = yyjson_mut_strcpy(s->info, text);
    free(text);
    return out;
}

static yyjson_mut_val *info_value(struct show *s, const struct gguf_value *value) {
    switch (value->kind) {
    case GGUF_INTEGER:
        return yyjson_mut_sint(s->info, value->integer);
    case GGUF_REAL:
        return isfinite(value->real) ? yyjson_mut_real(s->info, value->real)
                                     : yyjson_mut_null(s->info);
    case GGUF_BOOL:
        return yyjson_mut_bool(s->info, value->integer != 0);
    case GGUF_TEXT:
        return text_value(s, value);
    case GGUF_ARRAY:
        return yyjson_mut_null(s->info);
    }
    return NULL;
}

static void show_on_pair(void *ctx, const char *key, const struct gguf_value *value) {
    struct show *s = ctx;
    struct gguf_value name = { .text = key };
    s->texts += strlen(key) + value->len;
    if (s->texts > TEXTS_MAX) return;
    if (strcmp(key, "tokenizer.chat_template") == 0) {
        if (s->template || value->kind != GGUF_TEXT) return;
        s->template = xstrdup(value->text);
        utf8_mend(s->template);
        return;
    }
    yyjson_mut_obj_add(yyjson_mut_doc_get_root(s->info), text_value(s, &name),
                       info_value(s, value));
}

static void show_on_thread(uv_work_t *work) {
    struct show *s = work->data;
    struct gguf_visitor visitor = { .on_pair = show_on_pair, .ctx = s };
    struct gguf_meta meta;
    struct error ignored; /* the catalog has said what is wrong; what was read is shown */
    (void)gguf_file_visit(s->path, &visitor, &meta, &ignored);
    s->infill = meta.infill;
}

/* ---- the answer ---- */

static void show_answer(const struct show *s) {
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    struct error err;
    struct service_models models = s->r->service->models(s->r->service->self);
    const struct model_view *view = view_find(s, &models);
    struct ollama_file file = { s->info, s->template, s->infill };
    if (view) {
        ollama_format_show(view, &file, &json);
        reply_json(s->x, &json);
        return;
    }
    error_no_model(&err, "model", s->name, NULL);
    exchange_fail(s->x, &err);
}

static void show_on_done(uv_work_t *work, int status) {
    struct show *s = work->data;
    (void)status;
    if (s->x) show_answer(s);
    show_free(s);
}

static void show_begin(const struct routes *r, struct exchange *x, const char *name) {
    struct model_view found;
    yyjson_mut_val *root;
    struct show *s = xcalloc(1, sizeof *s);
    bool known = r->service->find_model(r->service->self, name, &found);
    *s = (struct show){ .r = r, .x = x, .name = xstrdup(name) };
    if (known) s->key = xstrdup(found.key);
    struct service_models models = r->service->models(r->service->self);
    const struct model_view *view = view_find(s, &models);
    s->info = json_object_new(&root);
    if (!view) {
        show_answer(s);
        show_free(s);
        return;
    }
    s->path = xstrdup(view->path);
    exchange_on_gone(x, show_on_gone, s);
    s->work.data = s;
    uv_queue_work(r->loop, &s->work, show_on_thread, show_on_done);
}

void route_ollama_show(void *ctx, struct exchange *x) {
    struct error err;
    size_t len = 0;
    struct ollama_named body = { 0 };
    const char *text = exchange_body(x, &len);
    if (ollama_parse_named(text, len, &body, &err))
        show_begin(ctx, x, body.name);
    else
        exchange_fail(x, &err);
    free(body.name);
}
