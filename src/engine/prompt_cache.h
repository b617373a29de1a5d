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
 * A request with cache_prompt false neither reads nor stores anything.
 */
#ifndef DOZE_ENGINE_PROMPT_CACHE_H
#define DOZE_ENGINE_PROMPT_CACHE_H

#include "engine/engine.h"

/* Begin with the store that LOAD describes; without one nothing is kept. */
void prompt_cache_open(struct engine *engine, const struct load_message *request);
void prompt_cache_close(struct engine *engine);
/* Free its memory, the index included, until the next use. */
void prompt_cache_rest(struct engine *engine);

/* How many of the slot's first tokens can be kept for a prompt with `common` tokens in
 * common. */
size_t prompt_cache_usable(const struct engine *engine, const struct slot *slot, size_t common);

/* The slot is about to lose all but its first `kept` tokens: store a copy if that is worth
 * it. */
void prompt_cache_put_aside(struct engine *engine, struct slot *slot, size_t kept);

/* Can the slot's sequence go to the store's memory in about a millisecond, and come back? */
bool prompt_cache_takes(const struct engine *engine, const struct slot *slot);

/* Move what is in memory to the disk or, if that is off, drop it. */
void prompt_cache_leave_memory(struct engine *engine);

/* The longest beginning of the prompt that slots or store hold, and whether they then continue
 * differently (parts) or end. */
struct prompt_kin {
    size_t common;
    bool parts;
};
struct prompt_kin prompt_cache_kin(struct engine *engine, const struct tokens *prompt);

/* A stored sequence that begins as a prompt does. */
struct cached_prompt {
    struct store_match match;
    const unsigned char *body; /* borrowed from the store */
    enum cache_source source;  /* CACHE_MEMORY or CACHE_DISK */
    int64_t since;             /* us: its reading has begun */
};

/* The stored sequence that saves most of the prompt, if it saves more than the `have` tokens
 * that a slot offers, and is read sooner than they are processed. If true, give it back with
 * prompt_cache_return() before anything else is asked of the store. */
bool prompt_cache_find(struct engine *engine, const struct tokens *prompt, size_t have,
                       struct cached_prompt *ret);
void prompt_cache_return(struct engine *engine, const struct cached_prompt *cached);

/* Load it into the slot's sequence; the context must have room for all tokens of its entry. How
 * many tokens the sequence holds; 0: it failed, and the sequence is empty. */
size_t prompt_cache_load(struct engine *engine, struct slot *slot,
                         const struct cached_prompt *cached);

/* Cut the slot's sequence to `count` tokens, which prompt_cache_usable() gave. How many it
 * holds. */
size_t prompt_cache_cut(struct engine *engine, struct slot *slot, size_t count);

/* The slot's prompt is in place: set where its processing halts for checkpoints. */
void prompt_cache_set_marks(struct engine *engine, struct slot *slot);
/* How many of `count` tokens may be processed before the next mark. */
size_t prompt_cache_until_mark(const struct slot *slot, size_t count);
/* The slot has processed more: take the checkpoint if this is the place. */
void prompt_cache_processed(struct engine *engine, struct slot *slot);

/* Milliseconds until an idle worker has something to save; -1: nothing. */
int prompt_cache_due(const struct engine *engine);
/* Save one sequence. */
void prompt_cache_save_idle(struct engine *engine);
/* Empty the store and delete its files. What slots hold, those of running answers too, will
 * not be stored and serves no other prompt. */
void prompt_cache_forget(struct engine *engine);
/* Save everything that can be saved in time, after STOP. */
void prompt_cache_save_all(struct engine *engine);

#endif
