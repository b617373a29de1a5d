/* SPDX-License-Identifier: MIT */
/*
 * sequences.h - which slot's sequence a narrow context has as number 0, the only one that it
 * computes and writes (context.h). The sequences of all slots share its cells as those of a
 * wide one do; to let another one compute is to give two of them each other's number.
 */
#ifndef DOZE_ENGINE_SEQUENCES_H
#define DOZE_ENGINE_SEQUENCES_H

#include <stdbool.h>

#include "engine/engine.h"

/* The slot's sequence can be computed and written from now on. */
void sequences_focus(struct engine *engine, struct slot *slot);

/* One more request may run; alone: none does yet. False: those that run have to end first, as
 * there is no memory for a moment with two contexts. */
bool sequences_admit(struct engine *engine, bool alone);

#endif
