/* SPDX-License-Identifier: MIT */
/*
 * slots.h - the sequences of the context, and the jobs that have them.
 *
 * A slot is one sequence. When its job has ended it keeps what was processed, so that a later
 * prompt with the same beginning need not be processed again.
 *
 * The daemon sends more requests than there are slots only if the clients of some do not read
 * (docs/lifecycle.md, Order, rule 3). The job of such a client then leaves its slot, which
 * keeps the sequence as if the answer had ended, and waits in engine->aside. When its client
 * reads again, it joins the queue, gets a slot as if its text so far were a prompt, and goes
 * on.
 */
#ifndef DOZE_ENGINE_SLOTS_H
#define DOZE_ENGINE_SLOTS_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/job.h"
#include "engine/lookup.h"
#include "engine/tokens.h"
#include "prompts/checkpoints.h"

struct engine;

struct slot {
    llama_seq_id seq;
    struct tokens tokens;           /* of the sequence; all of a free slot are processed */
    size_t processed;               /* how many of them are in the context's memory */
    struct job *job;                /* NULL: free */
    uint64_t last_used;             /* the engine's counter then */
    uint64_t cache_key;             /* of its conversation, as the client names it; 0: none */
    int32_t in_batch;               /* tokens in the batch that is being decoded */
    int32_t result;                 /* index of its result in the batch, or -1 */
    int32_t draft[LOAD_MAX_DRAFT];  /* guesses of what comes next, see draft.h */
    size_t guessed;                 /* how many */
    size_t drafted;                 /* of them stand behind its result in the batch */
    size_t wanted;                  /* of a draft model, see drafter.h */
    int32_t drafting;               /* index of its result in that model's batch, or -1 */
    bool by_model;                  /* the guesses are its, not found by lookup */
    bool asked;                     /* it has been asked, whatever it said */
    struct checkpoints checkpoints; /* of the part of its state that cannot be cut */
    size_t marks[2];                /* where checkpoints are due, in rising order; 0: none */
    size_t saved;                   /* tokens it had when it was last saved; 0: never */
    bool unsaved;                   /* processed more since then */
    bool held;                      /* waits for cells: not in the next batch */
    bool secret;                    /* nothing of it may be stored */
    bool turn_due; /* free, and ends with an answer: the next turn can begin (next_turn.h) */
    /* if turn_due: the answer's last token where it was not processed, else LLAMA_TOKEN_NULL */
    llama_token unprocessed;
};

/* Give free slots to waiting jobs. A job for which there is no memory fails. */
void slots_admit(struct engine *engine);

/* Make room in the context for the next token of every running answer. Answers for which there
 * is none end as if their context were full, the newest first. */
void slots_provide_next(struct engine *engine);

/* Drop what slots only remember, the oldest first, until at most `count` tokens are held. */
void slots_forget_idle(struct engine *engine, size_t count);

/* Does any request have a slot? */
bool slots_run(const struct engine *engine);

/* The slot of a running request; NULL if it has none. */
struct slot *slots_find(struct engine *engine, uint64_t request);

/* End the slot's job with its last deltas and DONE; free the slot. */
void slot_finish(struct engine *engine, struct slot *slot, enum stop_reason reason);

/* End the slot's job with ERROR; free the slot. */
void slot_fail(struct engine *engine, struct slot *slot, const struct error *err);

/* Drop some of the text, so that an answer can go on although its context is full. */
void slot_make_room(struct engine *engine, struct slot *slot);

/* Cut the sequence back to what the slot counts as processed. */
void slot_restore(struct engine *engine, struct slot *slot);

/* Begin the next input of an embedding in this slot; ends the job after the last. */
void slot_next_input(struct engine *engine, struct slot *slot);

#endif
