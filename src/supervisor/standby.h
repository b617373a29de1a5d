/* SPDX-License-Identifier: MIT */
/*
 * standby.h - a spare worker: its libraries are loaded, it waits for a model.
 *
 * No instance and no slot of the lifecycle: nobody sees it, and its end is no event for
 * anybody. It takes some MB and nothing else while it waits. At most one at a time.
 */
#ifndef DOZE_SUPERVISOR_STANDBY_H
#define DOZE_SUPERVISOR_STANDBY_H

#include "supervisor/worker.h"

struct standby;

/* program: of the worker; borrowed for its life. Starts nothing yet. */
struct standby *standby_new(uv_loop_t *loop, const char *program);
/* Kills the spare; everything is freed once that is gone. Accepts NULL. */
void standby_free(struct standby *standby);

/* A load is coming: have a spare now, if memory is not short. */
void standby_want(struct standby *standby);
/* The daemon has nothing to do: have one in a moment, unless standby_busy is called before. */
void standby_idle(struct standby *standby);
void standby_busy(struct standby *standby);

/* The spare becomes this worker of that owner; NULL: there is none. */
struct worker *standby_take(struct standby *standby, int slot, uint32_t generation,
                            const struct worker_owner *owner);

/* Kill the spare, if there is one. */
void standby_drop(struct standby *standby);

#endif
