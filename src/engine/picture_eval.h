/* SPDX-License-Identifier: MIT */
/*
 * picture_eval.h - the pictures of running prompts: each is encoded when its prompt reaches it, and
 * decoded between the batches of text.
 */
#ifndef DOZE_ENGINE_PICTURE_EVAL_H
#define DOZE_ENGINE_PICTURE_EVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

/* Is the next token of the slot's prompt a picture's? */
bool sight_is_due(const struct slot *slot);

/* How many of the next `count` tokens are text. */
size_t sight_text(const struct slot *slot, size_t count);

/* Encode the piece that is due, unless that has been done. False: given up, because its
 * request or the process is to end; or it failed (*ret_failed), and *err says why. */
bool sight_look(struct engine *engine, struct slot *slot, bool *ret_failed, struct error *err)
    __attribute__((warn_unused_result));

/* The piece's next tokens, at most a chunk, as a batch; borrows the engine's. */
struct llama_batch sight_batch(struct engine *engine, struct slot *slot);

/* The slot has processed more: free what a finished piece has left. */
void sight_processed(struct slot *slot);

#endif
