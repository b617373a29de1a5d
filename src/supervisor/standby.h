/* SPDX-License-Identifier: MIT */
/*
 * standby.h - workers that have loaded their libraries and wait for a model: at most one
 * spare, and those kept for loads that wait for room.
 *
 * They have no slot in the lifecycle, are not visible in listings, and their exit is not
 * reported. Each takes a few MB while it waits.
 */
#ifndef DOZE_SUPERVISOR_STANDBY_H
#define DOZE_SUPERVISOR_STANDBY_H

#include "supervisor/worker.h"

struct standby;

/* program: borrowed for its life, and read at each start of a worker. Starts no worker. */
struct standby *standby_new(uv_loop_t *loop, const struct worker_program *program);
/* Kills them all; frees once they have exited. Accepts NULL. */
void standby_free(struct standby *standby);

/* A load is coming: start a spare now, unless less than 512 MiB are free. */
void standby_want(struct standby *standby);
/* The daemon has nothing to do: start one in 500 ms, unless standby_busy is called before. */
void standby_idle(struct standby *standby);
void standby_busy(struct standby *standby);

/* Keep a worker for the slot, which has none: the spare or a new one. False with ERR_IO if
 * none can be started. */
bool standby_keep(struct standby *standby, int slot, struct error *err);
bool standby_keeps(const struct standby *standby, int slot);
/* Release the slot's worker: it becomes the spare, or is killed if there is one. */
void standby_release(struct standby *standby, int slot);

/* Give the worker that is kept for the slot, else the spare, to this owner; NULL: there is
 * none. */
struct worker *standby_take(struct standby *standby, int slot, uint32_t generation,
                            const struct worker_owner *owner);

/* Kill the spare, if there is one. */
void standby_drop(struct standby *standby);

#endif
