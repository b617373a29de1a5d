/* SPDX-License-Identifier: MIT */
/*
 * sequences.h - which slot has sequence 0 of a narrow context, the only one that it computes
 * and writes (context.h). The sequences of all slots share its cells as in a wide context; to
 * compute another one, it swaps numbers with sequence 0.
 */
#ifndef DOZE_ENGINE_SEQUENCES_H
#define DOZE_ENGINE_SEQUENCES_H

#include <stdbool.h>

#include "engine/engine.h"

/* Let the slot's sequence be computed and written. */
void sequences_focus(struct engine *engine, struct slot *slot);

/* May one more request run? alone: none runs yet. False: those that run have to end first,
 * because there is no memory for two contexts at a time. */
bool sequences_admit(struct engine *engine, bool alone);

#endif
