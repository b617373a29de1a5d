/* SPDX-License-Identifier: MIT */
/*
 * picture_eval.h - encodes a picture when its prompt reaches it, and makes the batches that
 * decode it, between those of text.
 */
#ifndef DOZE_ENGINE_PICTURE_EVAL_H
#define DOZE_ENGINE_PICTURE_EVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

/* Is the next token of the slot's prompt a picture's? */
bool picture_eval_is_due(const struct slot *slot);

/* Tokens of text before the prompt's next picture, at most `count`. */
size_t picture_eval_until_next(const struct slot *slot, size_t count);

/* Encode the piece that is due, unless that has been done. False: given up, because its
 * request or the process is to end; or it failed (*ret_failed), and *err says why. */
bool picture_eval_encode(struct engine *engine, struct slot *slot, bool *ret_failed,
                         struct error *err) __attribute__((warn_unused_result));

/* The piece's next tokens, at most a chunk, as a batch; borrows the engine's. */
struct llama_batch picture_eval_batch(struct engine *engine, struct slot *slot);

/* Free what the pieces that the slot has processed have left. */
void picture_eval_release(struct slot *slot);

#endif
