/* SPDX-License-Identifier: MIT */
#include "supervisor/prefetch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/file_prefetch.h"
#include "base/xalloc.h"

struct read_ahead {
    uv_work_t work;
    char *path;
    atomic_bool unwanted;
    bool done;    /* the thread is through with it */
    bool dropped; /* the owner is through with it */
};

static void release(struct read_ahead *ahead) {
    if (!ahead->done || !ahead->dropped) return;
    free(ahead->path);
    free(ahead);
}

static bool goes_on(float progress, void *ctx) {
    const struct read_ahead *ahead = ctx;
    (void)progress;
    return !atomic_load(&ahead->unwanted);
}

static void on_thread(uv_work_t *work) {
    struct read_ahead *ahead = work->data;
    (void)file_warm(ahead->path, goes_on, ahead);
}

static void on_done(uv_work_t *work, int status) {
    struct read_ahead *ahead = work->data;
    (void)status;
    ahead->done = true;
    release(ahead);
}

struct read_ahead *read_ahead_start(uv_loop_t *loop, const char *path) {
    struct read_ahead *ahead = xcalloc(1, sizeof *ahead);
    ahead->path = xstrdup(path);
    ahead->work.data = ahead;
    atomic_init(&ahead->unwanted, false);
    if (uv_queue_work(loop, &ahead->work, on_thread, on_done) == 0) return ahead;
    free(ahead->path);
    free(ahead);
    return NULL;
}

bool read_ahead_done(const struct read_ahead *ahead) {
    return ahead && ahead->done;
}

void read_ahead_stop(struct read_ahead *ahead) {
    if (!ahead) return;
    ahead->dropped = true;
    atomic_store(&ahead->unwanted, true);
    (void)uv_cancel((uv_req_t *)&ahead->work); /* on_done comes in every case */
    release(ahead);
}
