/* SPDX-License-Identifier: MIT */
#include "engine/draft.h"

#include "engine/cells.h"
#include "engine/constrained.h"
#include "engine/drafter.h"

/* Tokens for which an answer goes without guesses at first, because the answers before it
 * did. */
enum { MOST_AT_FIRST = 256 };

/* The batch already has other slots' guesses. */
static size_t drafted_by_all(const struct engine *e) {
    size_t sum = 0;
    for (int i = 0; i < e->context.parallel; i++) sum += e->slots[i].drafted;
    return sum;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static struct lookup *kind_of(const struct slot *s) {
    return s->by_model ? &s->job->drafts : &s->job->lookup;
}

/* Guesses for which there is room in answer and context. */
static size_t room_for(const struct engine *e, const struct slot *s) {
    const struct job *job = s->job;
    int64_t unsaid = job->request.sampling.max_tokens - job->completion_tokens - 1;
    if (job->request.sampling.max_tokens < 0) unsaid = LOAD_MAX_DRAFT;
    if (unsaid <= 0) return 0;
    size_t count = s->tokens.count + 1, length = (size_t)e->context.length;
    if (count >= length) return 0;
    return least(least((size_t)unsaid, LOAD_MAX_DRAFT), length - count);
}

/* After guesses that did not pay, a draft model reads only short texts for another trial. */
static bool may_try(struct engine *e, const struct slot *s) {
    struct lookup *l = &s->job->drafts;
    size_t said = (size_t)s->job->completion_tokens;
    if (!lookup_may(l)) return false;
    if (l->next_rest == 0 || l->steps > 0) return true;
    if (pace_may_read(&e->pace, e->answers, drafter_lacks(&e->drafter, s), said)) return true;
    l->rest = LOOKUP_REST;
    return false;
}

/* The draft model may have been made for shorter texts. */
static size_t wanted_of_model(struct engine *e, const struct slot *s, size_t room) {
    const struct drafter *d = &e->drafter;
    size_t count = s->tokens.count + 1, length = (size_t)d->context.length;
    if (!d->model.weights || count >= length || !may_try(e, s)) return 0;
    return least(least(room, d->most), length - count);
}

void draft_begin_step(struct engine *engine, struct slot *slot, bool goes_on) {
    struct job *job = slot->job;
    const struct tokens *tokens = &slot->tokens;
    slot->guessed = slot->wanted = 0;
    slot->by_model = slot->asked = false;
    if (!goes_on || constrained_is(job) || job->completion_tokens == 0) return;
    size_t room = room_for(engine, slot);
    if (room > 0 && engine->context.lookups && lookup_may(&job->lookup))
        slot->guessed = lookup_draft(&job->lookup, tokens->data, tokens->count, room,
                                     slot->draft);
    if (slot->guessed > 0) return;
    slot->wanted = wanted_of_model(engine, slot, room);
    slot->by_model = slot->wanted > 0;
}

/* Each slot may need one token of the batch for its answer. */
void draft_add(struct engine *engine, struct slot *slot) {
    int64_t left = (int64_t)engine->context.chunk - engine->batch.n_tokens -
                   engine->context.parallel;
    if (left <= 0 || slot->guessed == 0) return;
    size_t count = least(slot->guessed, (size_t)left);
    size_t held = slot->tokens.count + drafted_by_all(engine) + count;
    if (cells_suffice(engine, slot, held)) slot->drafted = count;
}

/* A draft model that finds nothing likely takes time, too. */
static bool is_tried(const struct slot *s) {
    return s->drafted > 0 || (s->by_model && s->asked);
}

void draft_begin(struct slot *slot) {
    if (is_tried(slot)) lookup_begin(kind_of(slot), slot->drafted);
}

bool draft_accept(struct slot *slot, const struct job *job, size_t index) {
    if (slot->job != job || slot->tokens.count != slot->processed + 1) return false;
    if (slot->tokens.data[slot->processed] != slot->draft[index]) return false;
    slot->processed++;
    lookup_accept(kind_of(slot));
    return true;
}

/* The next answer begins as this one has ended: with guesses, or without for a while. */
static void note_rest(struct drafter *d, const struct lookup *l, size_t trial) {
    if (l->rest > 0)
        d->rest = l->rest < MOST_AT_FIRST ? l->rest : MOST_AT_FIRST;
    else if (l->steps >= trial)
        d->rest = 0;
}

void draft_end(struct engine *engine, struct slot *slot, const struct job *job) {
    bool made = slot->by_model;
    if (slot->drafted > 0) slot_restore(engine, slot);
    if (!is_tried(slot) || slot->job != job) return;
    struct lookup *l = kind_of(slot);
    lookup_end(l, pace_cost(&engine->pace, engine->answers, made ? PACE_MADE : PACE_FOUND),
               engine->draft_trial);
    if (made) note_rest(&engine->drafter, l, engine->draft_trial);
}

/* ---- what a step takes ---- */

static enum pace_kind kind_of_step(const struct engine *e) {
    enum pace_kind kind = PACE_PLAIN;
    for (int i = 0; i < e->context.parallel; i++) {
        const struct slot *s = &e->slots[i];
        if (s->by_model && s->asked) return PACE_MADE;
        if (s->drafted > 0) kind = PACE_FOUND;
    }
    return kind;
}

void draft_note_step(struct engine *engine, int64_t us) {
    if (engine->answers == 0 || engine->drafter.reads) return;
    pace_note(&engine->pace, engine->answers, kind_of_step(engine), us);
}
