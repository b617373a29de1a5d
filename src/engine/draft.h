/* SPDX-License-Identifier: MIT */
/*
 * draft.h - guessed tokens behind the last one of an answer, in one batch: found in its
 * conversation (lookup.h) or, where nothing is found, made by a draft model (drafter.h).
 *
 * The answer's own sampler draws from the result of each token in turn, so an answer is what it
 * would be without guesses, but for the last bits that another shape of batch moves. What was
 * guessed wrong is dropped from the sequence; models that cannot drop it have no guesses, nor
 * have answers that must match a grammar.
 */
#ifndef DOZE_ENGINE_DRAFT_H
#define DOZE_ENGINE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

/* Before the batch is filled. goes_on: the slot's answer needs one token: guess what comes
 * behind it, as far as there is room in context and answer, or say what is wanted of the draft
 * model. */
void draft_begin_step(struct engine *engine, struct slot *slot, bool goes_on);

/* The slot's last token has been put into the batch: how many of its guesses go there too. */
void draft_add(struct engine *engine, struct slot *slot);

/* Its batch has been computed. */
void draft_begin(struct slot *slot);
/* Is guess `index` the next token of the answer? Then it is processed. */
bool draft_accept(struct slot *slot, const struct job *job, size_t index);
/* Drop what was not accepted. The slot's job may have ended. */
void draft_end(struct engine *engine, struct slot *slot, const struct job *job);

/* This step, which was for answers only, took `us` microseconds; before its results are taken.
 */
void draft_note_step(struct engine *engine, int64_t us);

#endif
