/* SPDX-License-Identifier: MIT */
#include "daemon/saver.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/xalloc.h"

struct saver {
    uv_loop_t *loop;
    uv_work_t work;
    char *path;
    void (*on_saved)(void *ctx, const struct error *error);
    void *ctx;
    struct buf writing, waiting;
    bool busy, is_waiting, ok;
    struct error error;
};

static void saver_write(uv_work_t *work) {
    struct saver *s = work->data;
    s->ok = file_replace(s->path, s->writing.data, s->writing.len, &s->error);
}

static void saver_on_written(uv_work_t *work, int status);

static void saver_start(struct saver *s) {
    buf_clear(&s->writing);
    s->writing = s->waiting;
    s->waiting = (struct buf){ 0 };
    s->is_waiting = false;
    s->busy = true;
    uv_queue_work(s->loop, &s->work, saver_write, saver_on_written);
}

static void saver_on_written(uv_work_t *work, int status) {
    struct saver *s = work->data;
    (void)status;                  /* never cancelled */
    struct error error = s->error; /* before the next write begins */
    bool ok = s->ok;
    s->busy = false;
    if (s->is_waiting) saver_start(s);
    s->on_saved(s->ctx, ok ? NULL : &error);
}

void saver_put(struct saver *s, struct buf *text) {
    buf_clear(&s->waiting);
    s->waiting = *text;
    *text = (struct buf)BUF_INIT(text->max);
    s->is_waiting = true;
    if (!s->busy) saver_start(s);
}

bool saver_is_busy(const struct saver *s) {
    return s->busy;
}

struct saver *saver_new(uv_loop_t *loop, const char *path,
                        void (*on_saved)(void *ctx, const struct error *error), void *ctx) {
    struct saver *s = xcalloc(1, sizeof *s);
    s->loop = loop;
    s->path = xstrdup(path);
    s->on_saved = on_saved;
    s->ctx = ctx;
    s->work.data = s;
    return s;
}

void saver_free(struct saver *s) {
    if (!s) return;
    buf_clear(&s->writing);
    buf_clear(&s->waiting);
    free(s->path);
    free(s);
}
