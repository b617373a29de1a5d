/* SPDX-License-Identifier: MIT */
#include "daemon/ws_hub.h"

#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/xalloc.h"
#include "daemon/events.h"

struct ws_hub {
    struct lmws_hub face;
    struct downloads *downloads;
    struct feed *events;
    const struct service *service;
};

/* One that a session waits for. */
struct question {
    struct ws_hub *hub;
    struct lmws_hub_sink sink;
    bool dropped; /* free it when the answer comes */
    char *repo;   /* of options; free it */
    /* of a download */
    char id[DOWNLOAD_ID_SIZE]; /* "" until it has begun */
    struct feed_listener *listener;
};

static struct question *question_new(void *self, const struct lmws_hub_sink *sink) {
    struct question *q = xcalloc(1, sizeof *q);
    q->hub = self;
    q->sink = *sink;
    return q;
}

static void question_free(struct question *q) {
    free(q->repo);
    free(q);
}

/* ---- search, options ---- */

static void question_on_found(void *ctx, const struct search_result *results, size_t count,
                              const struct error *err) {
    struct question *q = ctx;
    const char *names[SEARCH_MAX];
    for (size_t i = 0; i < count; i++) names[i] = results[i].repo;
    if (!q->dropped) q->sink.on_found(q->sink.ctx, names, count, err);
    question_free(q);
}

static void *hub_search(void *self, const char *words, size_t limit,
                        const struct lmws_hub_sink *sink) {
    struct question *q = question_new(self, sink);
    struct search_sink to = { question_on_found, q };
    downloads_search(q->hub->downloads, words, limit, to);
    return q;
}

/* The key of the model whose file came from REPO/FILE; NULL: it is not here. */
static const char *key_of_file(const struct question *q, const char *file) {
    const struct service *service = q->hub->service;
    struct service_models models = service->models(service->self);
    char *end = xasprintf("/%s/%s", q->repo, file);
    const size_t len = strlen(end);
    const char *key = NULL;
    for (size_t i = 0; i < models.count && !key; i++) {
        const char *path = models.models[i].path;
        const size_t path_len = strlen(path);
        if (path_len >= len && strcmp(path + path_len - len, end) == 0)
            key = models.models[i].key;
    }
    free(end);
    return key;
}

static void question_on_listed(void *ctx, const struct hub_option *options, size_t count,
                               const struct error *err) {
    struct question *q = ctx;
    struct lmws_hub_option list[OPTIONS_MAX];
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct lmws_hub_option){ .file = path_name(options[i].path),
                                            .quantization = options[i].quantization,
                                            .size = options[i].bytes,
                                            .fits = options[i].fits,
                                            .recommended = options[i].recommended,
                                            .key = key_of_file(q, path_name(options[i].path)) };
    }
    if (!q->dropped) q->sink.on_options(q->sink.ctx, list, count, err);
    question_free(q);
}

static void *hub_options(void *self, const char *repo, const struct lmws_hub_sink *sink) {
    struct question *q = question_new(self, sink);
    struct option_sink to = { question_on_listed, q };
    q->repo = xstrdup(repo);
    downloads_list_options(q->hub->downloads, repo, to);
    return q;
}

/* ---- a download ---- */

/* The key of the model whose first file the download brought; its name if the catalog has it
 * from elsewhere. */
static const char *key_of(const struct question *q, const struct download_view *view) {
    const struct service *service = q->hub->service;
    struct service_models models = service->models(service->self);
    size_t len = strlen(view->folder);
    const char *file = path_name(view->files[0].path);
    for (size_t i = 0; i < models.count; i++) {
        const char *path = models.models[i].path;
        if (strncmp(path, view->folder, len) == 0 && path[len] == '/' &&
            strcmp(path + len + 1, file) == 0)
            return models.models[i].key;
    }
    return view->repo;
}

/* Tell how it ended, and free the question. */
static void question_end(struct question *q, const struct download_view *view) {
    struct error err;
    if (q->listener) feed_leave(q->listener);
    if (view->status == DOWNLOAD_COMPLETED || view->status == DOWNLOAD_ALREADY) {
        q->sink.on_got(q->sink.ctx, key_of(q, view), NULL);
    } else {
        error_set(&err, ERR_IO, "%s", view->error ? view->error : "The download was ended.");
        q->sink.on_got(q->sink.ctx, NULL, &err);
    }
    question_free(q);
}

static void question_on_message(void *ctx, struct feed_message *message) {
    struct question *q = ctx;
    const struct feed_entry *entry = feed_message_entry(message);
    if (strcmp(entry->event, "download") != 0) return;
    const struct download_view *view = entry->subject;
    if (!view->id || strcmp(view->id, q->id) != 0) return;
    if (view->status == DOWNLOAD_RUNNING)
        q->sink.on_progress(q->sink.ctx, view->done, view->total, view->rate);
    else
        question_end(q, view);
}

static void question_on_begun(void *ctx, const struct download_view *view,
                              const struct error *err) {
    struct question *q = ctx;
    if (q->dropped) {
        question_free(q);
    } else if (!view) {
        q->sink.on_got(q->sink.ctx, NULL, err);
        question_free(q);
    } else if (!view->id) {
        question_end(q, view);
    } else {
        memcpy(q->id, view->id, strlen(view->id) + 1);
        q->listener = feed_listen(q->hub->events, EVENT_TOPIC_INSTANCES, question_on_message,
                                  q);
    }
}

static void *hub_get(void *self, const char *name, const struct lmws_hub_sink *sink) {
    struct question *q = question_new(self, sink);
    struct download_sink to = { question_on_begun, q };
    struct hub_name parsed;
    if (!hub_name_parse(name, &parsed)) parsed = (struct hub_name){ 0 }; /* is refused */
    downloads_begin(q->hub->downloads, &parsed, false, to);
    return q;
}

static void hub_drop(void *self, void *question, bool stop) {
    struct ws_hub *hub = self;
    struct question *q = question;
    if (!q->listener) {
        q->dropped = true; /* its answer is still to come */
        return;
    }
    feed_leave(q->listener);
    if (stop) (void)downloads_remove(hub->downloads, q->id);
    question_free(q);
}

struct lmws_hub *ws_hub_new(struct downloads *downloads, struct feed *events,
                            const struct service *service) {
    struct ws_hub *hub = xcalloc(1, sizeof *hub);
    *hub = (struct ws_hub){ .downloads = downloads, .events = events, .service = service };
    hub->face = (struct lmws_hub){ .self = hub,
                                   .search = hub_search,
                                   .options = hub_options,
                                   .get = hub_get,
                                   .drop = hub_drop };
    return &hub->face;
}

void ws_hub_free(struct lmws_hub *hub) {
    if (hub) free(hub->self);
}
