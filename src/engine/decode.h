/* SPDX-License-Identifier: MIT */
/* decode.h - the batches of prompts and answers. */
#ifndef DOZE_ENGINE_DECODE_H
#define DOZE_ENGINE_DECODE_H

#include <stdbool.h>

#include "engine/engine.h"

/* Decode one batch for the running jobs. False: none runs, or all are paused. */
bool decode_step(struct engine *engine);

/* Go on with the answers whose token has been judged since (constrained.h). */
void decode_settle(struct engine *engine);

/* Process the tokens that a free slot has beyond what was processed, at most a chunk. Any frame
 * aborts it; then the slot's tokens are cut to what is processed. */
void decode_ahead(struct engine *engine, struct slot *slot);

#endif
