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
void prompt_cache_open(struct engine *engine, const struct load_request *request);
void prompt_cache_close(struct engine *engine);

/* The slot's own first tokens that can be kept for a prompt with `common` tokens in common. */
size_t prompt_cache_usable(const struct engine *engine, const struct slot *slot, size_t common);

/* The slot is about to lose all but its first `kept` tokens: copy it if it is worth keeping. */
void prompt_cache_aside(struct engine *engine, struct slot *slot, size_t kept);

/* Restore more of the slot's job's prompt than the `have` tokens that a slot offers. So many
 * tokens are in the sequence afterwards, and *ret_source says where they came from; 0: nothing
 * better was found and nothing has been changed, or a restore failed and the sequence is empty
 * (*ret_emptied). */
size_t prompt_cache_restore(struct engine *engine, struct slot *slot, size_t have,
                            const char **ret_source, bool *ret_emptied);

/* Cut the slot's sequence to `count` tokens, which prompt_cache_usable gave. How many it holds. */
size_t prompt_cache_cut(struct engine *engine, struct slot *slot, size_t count);

/* The slot's prompt is in place: where its processing has to halt for checkpoints. */
void prompt_cache_set_marks(struct engine *engine, struct slot *slot);
/* So many of `count` tokens may be processed before the next mark. */
size_t prompt_cache_until_mark(const struct slot *slot, size_t count);
/* The slot has processed more: take the checkpoint if this is the place. */
void prompt_cache_processed(struct engine *engine, struct slot *slot);

/* ms until there is something to save for an idle worker; -1: nothing. */
int prompt_cache_due(const struct engine *engine);
/* Save one sequence. */
void prompt_cache_idle(struct engine *engine);
/* STOP came: save everything that can be saved in time. */
void prompt_cache_all(struct engine *engine);

#endif
