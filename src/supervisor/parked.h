/* SPDX-License-Identifier: MIT */
/*
 * parked.h - the parked workers (park_rules.h) as processes.
 *
 * Like those of standby.h they have no slot in the lifecycle. Their memory is counted, and
 * their ends are reported.
 */
#ifndef DOZE_SUPERVISOR_PARKED_H
#define DOZE_SUPERVISOR_PARKED_H

#include "api/service.h"
#include "supervisor/park_rules.h"
#include "supervisor/worker.h"

struct parked;

struct parked_owner {
    /* The worker in this place ends; its facts are valid for the call. */
    void (*on_end)(void *ctx, int place, enum parked_reason reason);
    /* Its memory is back and its place free. unloading: as given to parked_give_up. */
    void (*on_gone)(void *ctx, call_id unloading);
    void *ctx;
};

struct parked *parked_new(const struct parked_owner *owner);
/* Kills them all without reports; frees once they have exited. Accepts NULL. */
void parked_free(struct parked *parked);

const struct parked_facts *parked_places(const struct parked *parked);
int parked_pid(const struct parked *parked, int place);
/* Their private memory, bytes. */
nbytes parked_private_bytes(const struct parked *parked);
/* Does one that this call gave up still leave? */
bool parked_unloads(const struct parked *parked, call_id unloading);

/* The worker has said PARKED: take it into a free place. Copies the key. */
void parked_add(struct parked *parked, int place, struct worker *worker,
                const struct parked_facts *facts);

/* Remove the worker and give it to this owner. */
struct worker *parked_take(struct parked *parked, int place, int slot, uint32_t generation,
                           const struct worker_owner *owner);

/* Tell one to end that was not told yet. unloading: the call that waits until it is gone; 0:
 * none. */
void parked_give_up(struct parked *parked, int place, enum parked_reason reason,
                    call_id unloading);

#endif
