/* SPDX-License-Identifier: MIT */
/*
 * prompt_cache.h - sequences between the context and the prompt store: put aside before a slot
 * is taken, saved when the worker is idle or stops, restored before a prompt is processed.
 *
 * Sequences of dense models can be cut anywhere. Recurrent and hybrid models remember by a
 * state that cannot go back, and of a sliding window only the last part is saved. For these a
 * checkpoint (that part of the state) is taken at places where a later prompt is likely to
 * part: shortly before the prompt's end, and where this prompt parted from another.
 *
 * A request with cache_prompt false neither reads nor leaves anything.
 */
#ifndef DOZE_ENGINE_PROMPT_CACHE_H
#define DOZE_ENGINE_PROMPT_CACHE_H

#include "engine/engine.h"

/* Begin with the store that LOAD describes; without one nothing is kept. */
void keep_open(struct engine *engine, const struct load_request *request);
void keep_close(struct engine *engine);

/* The slot's own first tokens that can be kept for a prompt with `common` tokens in common. */
size_t keep_usable(const struct engine *engine, const struct slot *slot, size_t common);

/* The slot is about to lose all but its first `kept` tokens: put it aside if it is worth it. */
void keep_aside(struct engine *engine, struct slot *slot, size_t kept);

/* Restore more of the slot's job's prompt than the `have` tokens that a slot offers. So many
 * tokens are in the sequence afterwards, and *ret_source says where they came from; 0: nothing
 * better was found and nothing has been changed, or a restore failed and the sequence is empty
 * (*ret_emptied). */
size_t keep_restore(struct engine *engine, struct slot *slot, size_t have,
                    const char **ret_source, bool *ret_emptied);

/* Cut the slot's sequence to `count` tokens, which keep_usable gave. How many it holds. */
size_t keep_cut(struct engine *engine, struct slot *slot, size_t count);

/* The slot's prompt is in place: where its processing has to halt for checkpoints. */
void keep_set_marks(struct engine *engine, struct slot *slot);
/* So many of `count` tokens may be processed before the next mark. */
size_t keep_until_mark(const struct slot *slot, size_t count);
/* The slot has processed more: take the checkpoint if this is the place. */
void keep_processed(struct engine *engine, struct slot *slot);

/* ms until there is something to save for an idle worker; -1: nothing. */
int keep_due(const struct engine *engine);
/* Save one sequence. */
void keep_idle(struct engine *engine);
/* STOP came: save everything that can be saved in time. */
void keep_all(struct engine *engine);

#endif
