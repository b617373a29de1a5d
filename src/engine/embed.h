/* SPDX-License-Identifier: MIT */
/* embed.h - the batches of a model made for embeddings or for ranking, which has no slots. */
#ifndef DOZE_ENGINE_EMBED_H
#define DOZE_ENGINE_EMBED_H

#include <stdbool.h>

#include "engine/engine.h"

/* Compute one batch for the first job of the queue. False: the queue is empty, or all jobs are
 * paused. */
bool embed_step(struct engine *engine);

#endif
