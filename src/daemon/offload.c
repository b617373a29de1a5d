/* SPDX-License-Identifier: MIT */
#include "daemon/offload.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct waiting_piece {
    struct offload_piece piece;
    struct waiting_piece *next;
};

struct offload {
    uv_loop_t *loop;
    uv_work_t work;
    struct waiting_piece *first, **last; /* the first one runs */
};

static void offload_work(uv_work_t *work) {
    const struct offload *o = work->data;
    o->first->piece.work(o->first->piece.ctx);
}

static void offload_on_done(uv_work_t *work, int status);

static void start(struct offload *o) {
    uv_queue_work(o->loop, &o->work, offload_work, offload_on_done);
}

static void offload_on_done(uv_work_t *work, int status) {
    struct offload *o = work->data;
    struct waiting_piece *done = o->first;
    (void)status; /* never cancelled */
    o->first = done->next;
    if (o->first)
        start(o);
    else
        o->last = &o->first;
    done->piece.on_done(done->piece.ctx);
    free(done);
}

void offload_run(struct offload *o, size_t bytes, const struct offload_piece *piece) {
    if (bytes < OFFLOAD_MIN) {
        piece->work(piece->ctx);
        piece->on_done(piece->ctx);
        return;
    }
    bool idle = !o->first;
    struct waiting_piece *waiting = xcalloc(1, sizeof *waiting);
    waiting->piece = *piece;
    *o->last = waiting;
    o->last = &waiting->next;
    if (idle) start(o);
}

struct offload *offload_new(uv_loop_t *loop) {
    struct offload *o = xcalloc(1, sizeof *o);
    o->loop = loop;
    o->last = &o->first;
    o->work.data = o;
    return o;
}

void offload_free(struct offload *o) {
    free(o);
}
