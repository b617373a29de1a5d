/* SPDX-License-Identifier: MIT */
/*
 * remove_route.c - DELETE /api/v1/models/{key}, and Ollama's DELETE /api/delete: remove the
 * files of a model.
 *
 * Everything is checked before the first file goes. The files are looked for and removed on a
 * pool thread; the answer comes when the catalog no longer has the model.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/ollama/ollama.h"
#include "api/service.h"
#include "base/json.h"
#include "base/log.h"
#include "base/no_model.h"
#include "base/size.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "catalog/model_files.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/serve_options.h"
#include "daemon/watch.h"

struct removal {
    uv_work_t work;
    const struct routes *r;
    struct exchange *x; /* NULL: it has left */
    char *key, *path, *root;
    bool force, foreign_too, dry_run; /* as asked for */
    bool ollama;                      /* its client wants only a status */
    bool foreign, unloaded;
    size_t unloading; /* calls that have not ended */
    struct model_files files;
    bool failed;
    struct error err;
};

/* --- the answer --- */

static void removal_free(struct removal *m) {
    model_files_clear(&m->files);
    free(m->key);
    free(m->path);
    free(m->root);
    free(m);
}

static void removal_on_gone(void *ctx) {
    struct removal *m = ctx;
    m->x = NULL;
}

static void removal_fail(struct removal *m, const struct error *err) {
    if (m->x) exchange_fail(m->x, err);
    removal_free(m);
}

static const struct model_view *find_view(const struct removal *m,
                                          const struct service_models *models) {
    for (size_t i = 0; i < models->count; i++) {
        if (strcmp(models->models[i].key, m->key) == 0) return &models->models[i];
    }
    return NULL;
}

static void add_loaded(const struct removal *m, yyjson_mut_doc *doc, yyjson_mut_val *list) {
    struct service_models models = m->r->service->models(m->r->service->self);
    const struct model_view *view = find_view(m, &models);
    for (size_t i = 0; view && i < view->instance_count; i++) {
        yyjson_mut_arr_add_strcpy(doc, list, view->instances[i].identifier);
    }
}

static void removal_reply(void *ctx) {
    struct removal *m = ctx;
    yyjson_mut_val *root;
    if (!m->x) { /* the server may be stopping, and the service with it */
        removal_free(m);
        return;
    }
    if (m->ollama) {
        exchange_reply(m->x, 200, NULL, NULL, 0);
        removal_free(m);
        return;
    }
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_strcpy(doc, root, "key", m->key);
    yyjson_mut_obj_add_bool(doc, root, "removed", !m->dry_run);
    yyjson_mut_obj_add_bool(doc, root, "foreign", m->foreign);
    yyjson_mut_obj_add_uint(doc, root, "bytes", m->files.bytes);
    yyjson_mut_val *files = yyjson_mut_obj_add_arr(doc, root, "files");
    for (size_t i = 0; i < m->files.count; i++) {
        utf8_mend(m->files.paths[i]);
        yyjson_mut_arr_add_strcpy(doc, files, m->files.paths[i]);
    }
    add_loaded(m, doc, yyjson_mut_obj_add_arr(doc, root, "loaded"));
    reply_doc(m->x, doc);
    removal_free(m);
}

/* --- the files --- */

static void removal_on_thread(uv_work_t *work) {
    struct removal *m = work->data;
    model_files_find(m->path, &m->files);
    if (!m->dry_run) m->failed = !model_files_remove(&m->files, m->root, &m->err);
}

static void removal_on_done(uv_work_t *work, int status) {
    struct removal *m = work->data;
    (void)status;
    char size[SIZE_TEXT];
    size_format(m->files.bytes, size);
    if (!m->failed && !m->dry_run) {
        log_info("%s: %zu files removed, %s", m->key, m->files.count, size);
    }
    if (m->failed)
        removal_fail(m, &m->err);
    else if (m->dry_run || !m->x || m->r->stopping)
        removal_reply(m);
    else
        watch_scan(m->r->watch, removal_reply, m);
}

/* --- instances --- */

static void removal_step(struct removal *m);

static void removal_on_unloaded(void *ctx, const struct error *error) {
    struct removal *m = ctx;
    if (error && error->code != ERR_MODEL_NOT_FOUND) {
        m->failed = true;
        m->err = *error;
    }
    if (--m->unloading > 0) return;
    if (m->failed)
        removal_fail(m, &m->err);
    else if (!m->x)
        removal_free(m); /* the client has gone */
    else
        removal_step(m);
}

/* The view is valid until the service is called, so its names are copied first. */
static void unload_all(struct removal *m, const struct model_view *view) {
    const struct service *service = m->r->service;
    size_t count = view->instance_count;
    char **names = xcalloc(count, sizeof *names);
    for (size_t i = 0; i < count; i++) names[i] = xstrdup(view->instances[i].identifier);
    m->unloading = count;
    m->unloaded = true;
    for (size_t i = 0; i < count; i++) {
        struct done_sink sink = { .on_end = removal_on_unloaded, .ctx = m };
        service->unload(service->self, names[i], sink);
        free(names[i]);
    }
    free(names);
}

static void fail_loaded(struct removal *m, const struct model_view *view) {
    struct error err;
    error_set(&err, ERR_MODEL_IN_USE,
              "'%.80s' is loaded as '%.60s'; unload it first, or remove it with force.", m->key,
              view->instances[0].identifier);
    removal_fail(m, &err);
}

/* Remove, or first unload what is loaded; only once, so that a client that keeps loading the
 * model cannot prolong this for ever. */
static void removal_step(struct removal *m) {
    struct service_models models = m->r->service->models(m->r->service->self);
    const struct model_view *view = find_view(m, &models);
    bool loaded = view && view->instance_count > 0 && !m->dry_run;
    if (loaded && m->force && !m->unloaded) {
        unload_all(m, view);
    } else if (loaded) {
        fail_loaded(m, view);
    } else {
        m->work.data = m;
        uv_queue_work(m->r->loop, &m->work, removal_on_thread, removal_on_done);
    }
}

/* --- the request --- */

static bool is_below(const char *path, const char *folder) {
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* The models folder that the file is in; "" if it is in none. */
static const char *root_of(const struct serve_options *options, const char *path) {
    for (size_t i = 0; i < options->model_dir_count; i++) {
        if (is_below(path, options->model_dirs[i])) return options->model_dirs[i];
    }
    return "";
}

/* Of the default folders, the first one is doze's own. Folders that were named are ours, but
 * the Hugging Face cache and LM Studio's folder stay what they are. */
static bool is_foreign(const struct serve_options *options, const char *path) {
    bool elsewhere = options->default_dirs && !is_below(path, options->model_dirs[0]);
    return elsewhere || model_file_is_cached(path) || strstr(path, "/.lmstudio/models/");
}

static bool query_flag(const struct exchange *x, const char *name) {
    const char *value = exchange_query(x, name);
    return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static struct removal *removal_new(const struct routes *r, struct exchange *x,
                                   const struct model_view *model) {
    const struct serve_options *options = r->options;
    struct removal *m = xcalloc(1, sizeof *m);
    *m = (struct removal){ .r = r,
                           .x = x,
                           .key = xstrdup(model->key),
                           .path = xstrdup(model->path),
                           .root = xstrdup(root_of(options, model->path)),
                           .force = query_flag(x, "force"),
                           .foreign_too = query_flag(x, "foreign"),
                           .dry_run = query_flag(x, "dry_run"),
                           .foreign = is_foreign(options, model->path) };
    exchange_on_gone(x, removal_on_gone, m);
    return m;
}

static void removal_begin(struct removal *m) {
    struct error err;
    if (m->foreign && !m->foreign_too && !m->dry_run) {
        error_set(&err, ERR_FORBIDDEN,
                  "'%.80s' is in a folder of another program; remove it with foreign.", m->key);
        removal_fail(m, &err);
    } else {
        removal_step(m);
    }
}

/* Only a whole key will do: a name that means another model tomorrow must not remove it. */
void route_remove(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct model_view model;
    const char *key = exchange_param(x, "id");
    bool found = r->service->find_model(r->service->self, key, &model);
    if (!found || strcasecmp(model.key, key) != 0) {
        error_no_model(&err, "key", key, NULL);
        exchange_fail(x, &err);
        return;
    }
    removal_begin(removal_new(r, x, &model));
}

/* Is it answering a request? */
static bool is_at_work(const struct removal *m) {
    struct service_models models = m->r->service->models(m->r->service->self);
    const struct model_view *view = find_view(m, &models);
    bool works = false;
    for (size_t i = 0; view && i < view->instance_count; i++) {
        works = works || view->instances[i].running > 0 || view->instances[i].waiting > 0;
    }
    return works;
}

/* Its clients delete what is loaded, too; but no answer is cut. */
void route_ollama_delete(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct model_view model;
    struct ollama_named body = { 0 };
    size_t len = 0;
    const char *text = exchange_body(x, &len);
    if (!ollama_parse_named(text, len, &body, &err)) {
        exchange_fail(x, &err);
        return;
    }
    if (r->service->find_model(r->service->self, body.name, &model) &&
        ollama_is_name_of(body.name, model.key)) {
        struct removal *m = removal_new(r, x, &model);
        m->ollama = true;
        m->force = !is_at_work(m);
        removal_begin(m);
    } else {
        error_no_model(&err, "model", body.name, NULL);
        exchange_fail(x, &err);
    }
    free(body.name);
}
