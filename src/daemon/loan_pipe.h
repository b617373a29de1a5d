/* SPDX-License-Identifier: MIT */
/*
 * loan_pipe.h - the daemon's end of the socket over which a worker's ggml speaks to the one
 * that lends it memory, or borrows it (LENT_FD).
 *
 * Bytes only; where they go is the owner's business. Loop's thread only.
 */
#ifndef DOZE_DAEMON_LOAN_PIPE_H
#define DOZE_DAEMON_LOAN_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

enum { LOAN_PIPE_FULL = 4 << 20 /* bytes that the worker has not taken: write no more */ };

struct loan_pipe;

/* From the loop. */
struct loan_pipe_events {
    void (*on_bytes)(void *ctx, const char *bytes, size_t len);
    void (*on_taken)(void *ctx); /* the worker has taken all that was written */
    void (*on_end)(void *ctx);   /* the worker has gone; once */
    void *ctx;
};

/* ret_fd: the worker's end, which the caller closes. NULL with ERR_IO. */
struct loan_pipe *loan_pipe_open(uv_loop_t *loop, struct loan_pipe_events events, int *ret_fd,
                                 struct error *err);

/* Queue the bytes; takes them, and leaves the buffer empty. */
void loan_pipe_write(struct loan_pipe *pipe, struct buf *bytes);
/* Bytes that are queued and that the worker has not taken yet. */
size_t loan_pipe_untaken(const struct loan_pipe *pipe);

/* Stop reading, and go on. */
void loan_pipe_pause(struct loan_pipe *pipe, bool paused);

/* No more events come. Accepts NULL. */
void loan_pipe_close(struct loan_pipe *pipe);

#endif
