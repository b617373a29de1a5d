/* SPDX-License-Identifier: MIT */
/*
 * draft.h - guessed tokens behind the last one of an answer, in one batch: found in its
 * conversation (lookup.h) or, where nothing is found, made by a draft model (drafter.h).
 *
 * The answer's own sampler draws from the result of each token in turn, so an answer is what
 * it would be without guesses, apart from rounding, which depends on the shape of a batch.
 * Wrong guesses are dropped from the sequence. Models that cannot drop them get no guesses,
 * nor do answers that must match a grammar.
 */
#ifndef DOZE_ENGINE_DRAFT_H
#define DOZE_ENGINE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

/* Call it before the batch is filled. goes_on: the slot's answer needs one token. Then guess
 * what follows it, as far as context and answer have room, or set what is wanted of the draft
 * model. */
void draft_begin_step(struct engine *engine, struct slot *slot, bool goes_on);

/* The slot's last token has been put into the batch: decide how many guesses follow it there
 * (slot.drafted). */
void draft_add(struct engine *engine, struct slot *slot);

/* Its batch has been computed. */
void draft_begin(struct slot *slot);
/* Is guess `index` the next token of the answer? If so, it counts as processed. */
bool draft_accept(struct slot *slot, const struct job *job, size_t index);
/* Drop what was not accepted. The slot's job may have ended. */
void draft_end(struct engine *engine, struct slot *slot, const struct job *job);

/* A step that was for answers only took `us` microseconds. Call it before its results are
 * taken. */
void draft_note_step(struct engine *engine, int64_t us);

#endif
