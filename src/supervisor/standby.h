/* SPDX-License-Identifier: MIT */
/*
 * standby.h - a spare worker, at most one: its libraries are loaded, it waits for a model.
 *
 * It has no slot in the lifecycle, is not visible in listings, and its exit is not reported. It
 * takes a few MB while it waits.
 */
#ifndef DOZE_SUPERVISOR_STANDBY_H
#define DOZE_SUPERVISOR_STANDBY_H

#include "supervisor/worker.h"

struct standby;

/* program: of the worker; borrowed for its life. Starts nothing yet. */
struct standby *standby_new(uv_loop_t *loop, const char *program);
/* Kills the spare; frees once that has exited. Accepts NULL. */
void standby_free(struct standby *standby);

/* A load is coming: start a spare now, unless less than 512 MB are free. */
void standby_want(struct standby *standby);
/* The daemon has nothing to do: start one in 500 ms, unless standby_busy is called before. */
void standby_idle(struct standby *standby);
void standby_busy(struct standby *standby);

/* Give the spare to this owner; NULL: there is none. */
struct worker *standby_take(struct standby *standby, int slot, uint32_t generation,
                            const struct worker_owner *owner);

/* Kill the spare, if there is one. */
void standby_drop(struct standby *standby);

#endif
