/* SPDX-License-Identifier: MIT */
#include "supervisor/prefetch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/file_prefetch.h"
#include "base/xalloc.h"

struct prefetch {
    uv_work_t work;
    char *path;
    prefetch_fn on_end;
    void *ctx;
    atomic_bool unwanted;
    bool whole;   /* all of it was read; the thread's until `done` */
    bool done;    /* the thread has finished */
    bool dropped; /* the owner has stopped it */
};

static void prefetch_release(struct prefetch *prefetch) {
    if (!prefetch->done || !prefetch->dropped) return;
    free(prefetch->path);
    free(prefetch);
}

static bool is_wanted(float progress, void *ctx) {
    const struct prefetch *prefetch = ctx;
    (void)progress;
    return !atomic_load(&prefetch->unwanted);
}

static void prefetch_on_thread(uv_work_t *work) {
    struct prefetch *prefetch = work->data;
    prefetch->whole = file_prefetch(prefetch->path, is_wanted, prefetch, NULL);
}

static void prefetch_on_done(uv_work_t *work, int status) {
    struct prefetch *prefetch = work->data;
    (void)status;
    prefetch->done = true;
    if (prefetch->dropped)
        prefetch_release(prefetch);
    else if (prefetch->on_end)
        prefetch->on_end(prefetch->ctx); /* may stop, and so free, it */
}

struct prefetch *prefetch_start(uv_loop_t *loop, const char *path, prefetch_fn on_end,
                                void *ctx) {
    struct prefetch *prefetch = xcalloc(1, sizeof *prefetch);
    prefetch->on_end = on_end;
    prefetch->ctx = ctx;
    prefetch->path = xstrdup(path);
    prefetch->work.data = prefetch;
    atomic_init(&prefetch->unwanted, false);
    if (uv_queue_work(loop, &prefetch->work, prefetch_on_thread, prefetch_on_done) == 0)
        return prefetch;
    free(prefetch->path);
    free(prefetch);
    return NULL;
}

bool prefetch_done(const struct prefetch *prefetch) {
    return prefetch && prefetch->done && prefetch->whole;
}

void prefetch_stop(struct prefetch *prefetch) {
    if (!prefetch) return;
    prefetch->dropped = true;
    atomic_store(&prefetch->unwanted, true);
    (void)uv_cancel((uv_req_t *)&prefetch->work); /* prefetch_on_done comes in every case */
    prefetch_release(prefetch);
}
