/* SPDX-License-Identifier: MIT */
/*
 * sight.h - the pictures of running prompts: what the model sees is computed when its prompt
 * comes to it, and decoded between the batches of text.
 */
#ifndef DOZE_ENGINE_SIGHT_H
#define DOZE_ENGINE_SIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

/* The next token of the slot's prompt is a picture's. */
bool sight_is_due(const struct slot *slot);

/* How many of the next `count` tokens are text. */
size_t sight_text(const struct slot *slot, size_t count);

/* Compute what there is to see of the piece that is due, unless that has been done. False: its
 * request is to end, or the process, so that it was given up; or *ret_failed, and *err says
 * why. */
bool sight_look(struct engine *engine, struct slot *slot, bool *ret_failed, struct error *err)
    __attribute__((warn_unused_result));

/* The tokens of it that come next, at most a chunk, as a batch; borrows the engine's. */
struct llama_batch sight_batch(struct engine *engine, struct slot *slot);

/* The slot has processed more: nothing of a finished piece is needed. */
void sight_processed(struct slot *slot);

#endif
