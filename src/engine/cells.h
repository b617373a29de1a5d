/* SPDX-License-Identifier: MIT */
/*
 * cells.h - the context grows with what its sequences hold, and shrinks again when idle.
 *
 * A context's memory and the time to make it grow with its cells, used or not, and a request
 * may have more tokens than most ever need. So a context starts small. When prompts or answers
 * need more, a larger one replaces it between two batches: it is made on the same model, the
 * state of every sequence is copied over, and the old one is freed. The limit is context.most
 * cells.
 *
 * Needed cells are counted as if sequences shared none, because copied sequences share none.
 */
#ifndef DOZE_ENGINE_CELLS_H
#define DOZE_ENGINE_CELLS_H

#include "engine/engine.h"

/* There is room for `count` tokens in the slot as it is. */
bool cells_suffice(const struct engine *engine, const struct slot *slot, size_t count);

enum cells_answer { CELLS_YES, CELLS_WAIT, CELLS_NO };

/* Grow so that the slot can hold `count` tokens. spare: tokens of other sequences that are
 * only remembered and can be given up, so that no other model has to leave. WAIT: the daemon
 * has been asked, see growth.h. NO: there is no memory for it. */
enum cells_answer cells_reserve(struct engine *engine, const struct slot *slot, size_t count,
                                size_t spare);

/* Tokens that the slot could hold in the memory that is free, after a request for `count` was
 * refused. */
size_t cells_left(const struct engine *engine, const struct slot *slot, size_t count);

/* Is there memory for a second copy of the context? */
bool cells_fit_twice(const struct engine *engine);

/* Milliseconds until an idle worker gives cells back; -1: it has none to give. */
int cells_due(const struct engine *engine, int64_t idle_since);

/* Shrink the context to the cells that are used. */
void cells_shrink(struct engine *engine);

/* The cells of a context that takes this many bytes less; 0: it cannot be resized. */
size_t cells_without(const struct engine *engine, uint64_t bytes);

/* Shrink to this many cells, or to those that are used. */
void cells_shrink_to(struct engine *engine, size_t cells);

#endif
