/* SPDX-License-Identifier: MIT */
/*
 * standby.h - workers whose libraries are loaded and that wait for a model: a spare, at most
 * one, and those that are kept for a load that others have to make room for.
 *
 * They have no slot in the lifecycle, are not visible in listings, and their exit is not
 * reported. Each takes a few MB while it waits.
 */
#ifndef DOZE_SUPERVISOR_STANDBY_H
#define DOZE_SUPERVISOR_STANDBY_H

#include "supervisor/worker.h"

struct standby;

/* program: borrowed for its life, and read at each start of a worker. Starts nothing yet. */
struct standby *standby_new(uv_loop_t *loop, const struct worker_program *program);
/* Kills them all; frees once they have exited. Accepts NULL. */
void standby_free(struct standby *standby);

/* A load is coming: start a spare now, unless less than 512 MiB are free. */
void standby_want(struct standby *standby);
/* The daemon has nothing to do: start one in 500 ms, unless standby_busy is called before. */
void standby_idle(struct standby *standby);
void standby_busy(struct standby *standby);

/* Keep a worker for the slot, the spare or a new one. Nothing is kept for it yet. False with
 * ERR_IO if none can be started. */
bool standby_keep(struct standby *standby, int slot, struct error *err);
bool standby_keeps(const struct standby *standby, int slot);
/* The slot does not need it: it becomes the spare, or is killed if there is one. */
void standby_release(struct standby *standby, int slot);

/* Give the worker that is kept for the slot, else the spare, to this owner; NULL: there is
 * none. */
struct worker *standby_take(struct standby *standby, int slot, uint32_t generation,
                            const struct worker_owner *owner);

/* Kill the spare, if there is one. */
void standby_drop(struct standby *standby);

#endif
