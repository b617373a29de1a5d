/* SPDX-License-Identifier: MIT */
/*
 * lending.h - memory that this machine lends to other nodes: a worker for each loan, which
 * serves ggml's RPC on a socket of the caller's and holds no more than was agreed
 * (engine/lent.h). The whole of it counts as used (memory.c) until the worker is gone.
 */
#ifndef DOZE_SUPERVISOR_LENDING_H
#define DOZE_SUPERVISOR_LENDING_H

#include "base/error.h"
#include "base/msec.h"

struct lending;
struct supervisor;

struct lending_events {
    void (*on_ready)(void *ctx); /* the worker serves */
    /* The lending has ended, not by lending_end, and must not be used again. `why` is a
     * sentence. */
    void (*on_end)(void *ctx, const struct error *why);
    void *ctx;
};

/* Start one. The worker has the socket; the caller keeps fd. ERR_NO_MEMORY: that much is not
 * available. Calls no event before it returns. */
struct lending *supervisor_lend(struct supervisor *sup, nbytes bytes, int fd,
                                struct lending_events events, struct error *err);

/* The borrower is gone: no more events come. Accepts NULL. */
void lending_end(struct lending *lending);

/* Bytes that could be lent besides those that are. */
nbytes supervisor_lendable(const struct supervisor *sup);

#endif
