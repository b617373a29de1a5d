/* SPDX-License-Identifier: MIT */
/*
 * cells.h - the context grows with what its sequences hold, and shrinks again when idle.
 *
 * A context's memory and the time to make it grow with its cells, used or not, and a request
 * may have more tokens than most ever need. So a context starts small. When prompts or answers
 * need more, a larger one takes its place between two batches: made on the same model, every
 * sequence's state copied over, the old one freed. Up to context.most cells.
 *
 * Needed cells are counted as if sequences shared none: a copied sequence shares nothing any
 * more.
 */
#ifndef DOZE_ENGINE_CELLS_H
#define DOZE_ENGINE_CELLS_H

#include "engine/engine.h"

/* There is room for `count` tokens in the slot as it is. */
bool cells_suffice(const struct engine *engine, const struct slot *slot, size_t count);

enum cells_answer { CELLS_YES, CELLS_WAIT, CELLS_NO };

/* Grow so that the slot can hold `count` tokens. spare: tokens of others that are only
 * remembered and can be given up; no other model has to leave for them. WAIT: the daemon is
 * asked, see growth.h. NO: there is no memory for it. */
enum cells_answer cells_reserve(struct engine *engine, const struct slot *slot, size_t count,
                                size_t spare);

/* Tokens the slot could hold in the memory that is free, if it asks for `count` and was just
 * refused. */
size_t cells_left(const struct engine *engine, const struct slot *slot, size_t count);

/* There is memory for the context to be made once more. */
bool cells_fit_twice(const struct engine *engine);

/* Milliseconds until an idle worker has cells to give back; -1: none. */
int cells_due(const struct engine *engine, int64_t idle_since);

/* Back to the cells that are used. */
void cells_shrink(struct engine *engine);

/* The cells of a context that takes this many bytes less; 0: it cannot be resized. */
size_t cells_without(const struct engine *engine, uint64_t bytes);

/* Shrink to this many cells, or to those that are used. */
void cells_shrink_to(struct engine *engine, size_t cells);

#endif
