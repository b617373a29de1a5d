/* SPDX-License-Identifier: MIT */
#include "engine/draft.h"

#include "engine/cells.h"
#include "engine/constrained.h"
#include "engine/drafter.h"

/* Others' guesses stand in the batch already. */
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

/* The draft model may have been made for shorter texts. */
static size_t wanted_of_model(const struct drafter *d, const struct slot *s, size_t room) {
    size_t count = s->tokens.count + 1, length = (size_t)d->context.length;
    if (!d->model.weights || s->job->drafts.off || count >= length) return 0;
    return least(least(room, d->most), length - count);
}

void draft_begin_step(struct engine *engine, struct slot *slot, bool goes_on) {
    const struct job *job = slot->job;
    const struct tokens *tokens = &slot->tokens;
    slot->guessed = slot->wanted = 0;
    slot->by_model = false;
    if (!goes_on || constrained_is(job) || job->completion_tokens == 0) return;
    size_t room = room_for(engine, slot);
    if (room > 0 && engine->context.lookups)
        slot->guessed = lookup_draft(&job->lookup, tokens->data, tokens->count, room,
                                     slot->draft);
    if (slot->guessed > 0) return;
    slot->wanted = wanted_of_model(&engine->drafter, slot, room);
    slot->by_model = slot->wanted > 0;
}

/* Of the batch each slot may need one token for its own. */
void draft_add(struct engine *engine, struct slot *slot) {
    int64_t left = (int64_t)engine->context.chunk - engine->batch.n_tokens -
                   engine->context.parallel;
    if (left <= 0 || slot->guessed == 0) return;
    size_t count = least(slot->guessed, (size_t)left);
    size_t held = slot->tokens.count + drafted_by_all(engine) + count;
    if (cells_suffice(engine, slot, held)) slot->drafted = count;
}

void draft_begin(struct slot *slot) {
    if (slot->drafted > 0) lookup_begin(kind_of(slot), slot->drafted);
}

bool draft_accept(struct slot *slot, const struct job *job, size_t index) {
    if (slot->job != job || slot->tokens.count != slot->processed + 1) return false;
    if (slot->tokens.data[slot->processed] != slot->draft[index]) return false;
    slot->processed++;
    lookup_accept(kind_of(slot));
    return true;
}

void draft_end(struct engine *engine, struct slot *slot, const struct job *job) {
    slot_restore(engine, slot);
    if (slot->job == job) lookup_end(kind_of(slot));
}
