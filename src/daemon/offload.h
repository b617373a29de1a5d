/* SPDX-License-Identifier: MIT */
/*
 * offload.h - work on large requests, on a pool thread, so that others are served meanwhile.
 *
 * One piece after the other, in the order of the calls: each may take much memory, and the
 * threads of the pool are everybody's. The loop runs until the last piece is done.
 */
#ifndef DOZE_DAEMON_OFFLOAD_H
#define DOZE_DAEMON_OFFLOAD_H

#include <stddef.h>
#include <uv.h>

enum { OFFLOAD_MIN = 1 << 20 }; /* bytes: what is smaller does not hold the loop */

struct offload;

struct offload_piece {
    void (*work)(void *ctx);    /* on the thread: touches nothing of the loop's but ctx */
    void (*on_done)(void *ctx); /* from the loop */
    void *ctx;
};

struct offload *offload_new(uv_loop_t *loop);
/* After the loop has ended. Accepts NULL. */
void offload_free(struct offload *offload);

/* Work on this many bytes. If they are few, both functions are called before it returns. */
void offload_run(struct offload *offload, size_t bytes, const struct offload_piece *piece);

#endif
