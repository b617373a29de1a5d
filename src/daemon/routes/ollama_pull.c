/* SPDX-License-Identifier: MIT */
/*
 * ollama_pull.c - POST /api/pull: get a model from the hub, with its progress as lines of JSON.
 *
 * The download is one of doze's: it goes on when the client leaves. While the client waits, the
 * route looks at it a few times a second.
 */
#include <stdlib.h>
#include <string.h>

#include "api/ollama/ollama.h"
#include "base/xalloc.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "hub/downloads.h"

enum { LOOK_EVERY_MS = 250 };

struct pull {
    struct exchange *x; /* NULL: it has left, or was answered */
    struct downloads *downloads;
    bool stream;
    char id[DOWNLOAD_ID_SIZE]; /* "": not begun */
    nbytes shown;              /* bytes in the last line */
    uv_timer_t timer;
};

static void pull_on_closed(uv_handle_t *timer) {
    free(timer->data);
}

static void pull_close(struct pull *p) {
    p->x = NULL;
    uv_close((uv_handle_t *)&p->timer, pull_on_closed);
}

/* ---- the answer ---- */

static void write_line(struct pull *p, const char *status, const struct download_view *view) {
    struct buf line = BUF_INIT(1 << 12);
    struct ollama_progress progress = { .status = status };
    if (!p->stream) return;
    if (view && view->file_count > 0) {
        progress.sha256 = view->files[0].sha256;
        progress.total = view->total;
        progress.completed = view->done;
    }
    ollama_format_progress(&progress, &line);
    buf_add_str(&line, "\n");
    exchange_write(p->x, line.data, line.len);
    buf_clear(&line);
}

static void pull_succeed(struct pull *p) {
    if (p->stream) {
        write_line(p, "success", NULL);
        exchange_end(p->x);
    } else {
        struct buf json = BUF_INIT(1 << 10);
        ollama_format_progress(&(struct ollama_progress){ .status = "success" }, &json);
        reply_json(p->x, &json);
    }
    pull_close(p);
}

static void pull_fail(struct pull *p, const struct error *err) {
    if (p->stream) {
        struct buf line = BUF_INIT(1 << 12);
        ollama_format_error(err, &line);
        buf_add_str(&line, "\n");
        exchange_write(p->x, line.data, line.len);
        exchange_end(p->x);
        buf_clear(&line);
    } else {
        exchange_fail(p->x, err);
    }
    pull_close(p);
}

/* ---- the download ---- */

static void pull_show(struct pull *p, const struct download_view *view) {
    struct error err;
    switch (view->status) {
    case DOWNLOAD_RUNNING:
    case DOWNLOAD_PLANNED:
        if (p->shown != view->done) write_line(p, "pulling files", view);
        p->shown = view->done;
        return;
    case DOWNLOAD_COMPLETED:
        write_line(p, "pulling files", view);
        pull_succeed(p);
        return;
    case DOWNLOAD_ALREADY:
        pull_succeed(p);
        return;
    case DOWNLOAD_PAUSED:
    case DOWNLOAD_FAILED:
    case DOWNLOAD_REMOVED:
        error_set(&err, ERR_IO, "The download of %.200s is %s%s%.300s", view->repo,
                  download_status_name(view->status), view->error ? ": " : ".",
                  view->error ? view->error : "");
        pull_fail(p, &err);
        return;
    }
}

static void pull_on_look(uv_timer_t *timer) {
    struct pull *p = timer->data;
    struct download_view view;
    struct error err;
    if (downloads_view(p->downloads, p->id, &view)) {
        pull_show(p, &view);
        return;
    }
    error_set(&err, ERR_NOT_FOUND, "The download was removed; ask for it again.");
    pull_fail(p, &err);
}

static void pull_on_begun(void *ctx, const struct download_view *view,
                          const struct error *err) {
    struct pull *p = ctx;
    if (!p->x) { /* its client left while the hub was asked */
        uv_close((uv_handle_t *)&p->timer, pull_on_closed);
    } else if (!view) {
        pull_fail(p, err);
    } else if (view->id) {
        memcpy(p->id, view->id, strlen(view->id) + 1);
        p->shown = view->total + 1;
        uv_timer_start(&p->timer, pull_on_look, 0, LOOK_EVERY_MS);
    } else {
        pull_show(p, view);
    }
}

static void pull_on_gone(void *ctx) {
    struct pull *p = ctx;
    p->x = NULL;
    if (p->id[0]) uv_close((uv_handle_t *)&p->timer, pull_on_closed);
}

static struct pull *pull_new(const struct routes *r, struct exchange *x, bool stream) {
    struct pull *p = xcalloc(1, sizeof *p);
    *p = (struct pull){ .x = x, .downloads = r->downloads, .stream = stream };
    uv_timer_init(r->loop, &p->timer);
    p->timer.data = p;
    if (stream) exchange_begin(x, 200, "application/x-ndjson");
    exchange_on_gone(x, pull_on_gone, p);
    write_line(p, "pulling manifest", NULL);
    return p;
}

/* ---- the request ---- */

/* "owner/repo:latest" means what the hub's choice is. */
static bool read_name(const char *text, struct hub_name *ret, struct error *err) {
    if (!hub_name_parse(text, ret)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "model",
                               "Models come from Hugging Face here, not from Ollama's library: "
                               "'%.100s' must be a repository such as "
                               "\"hf.co/owner/repo:Q4_K_M\".",
                               text);
    }
    if (strcmp(ret->quantization, "latest") == 0) ret->quantization[0] = '\0';
    return true;
}

/* A model that is here under this name needs no hub. */
static bool is_here(const struct routes *r, const char *name) {
    struct model_view model;
    return !strchr(name, '/') && r->service->find_model(r->service->self, name, &model);
}

void route_ollama_pull(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct error err;
    struct hub_name hub;
    struct ollama_named body;
    size_t len = 0;
    const char *text = exchange_body(x, &len);
    if (!ollama_parse_named(text, len, &body, &err)) {
        exchange_fail(x, &err);
        return;
    }
    if (is_here(r, body.name)) {
        pull_succeed(pull_new(r, x, body.stream));
    } else if (read_name(body.name, &hub, &err)) {
        struct download_sink sink = { pull_on_begun, pull_new(r, x, body.stream) };
        downloads_begin(r->downloads, &hub, false, sink);
    } else {
        exchange_fail(x, &err);
    }
    free(body.name);
}
