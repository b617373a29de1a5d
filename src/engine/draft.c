/* SPDX-License-Identifier: MIT */
#include "engine/draft.h"

#include "engine/cells.h"
#include "engine/constrained.h"

/* Others' guesses stand in the batch already. */
static size_t drafted_by_all(const struct engine *e) {
    size_t sum = 0;
    for (int i = 0; i < e->context.parallel; i++) sum += e->slots[i].drafted;
    return sum;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Tokens for which there is room; of the batch each slot may need one for its own. */
static size_t room_for(const struct engine *e, const struct slot *s) {
    const struct job *job = s->job;
    int64_t left = (int64_t)e->context.chunk - e->batch.n_tokens - e->context.parallel;
    int64_t unsaid = job->request.sampling.max_tokens - job->completion_tokens - 1;
    if (job->request.sampling.max_tokens < 0) unsaid = LOOKUP_MOST;
    if (left <= 0 || unsaid <= 0) return 0;
    size_t count = s->tokens.count + 1, length = (size_t)e->context.length;
    if (count >= length) return 0;
    return least(least((size_t)left, (size_t)unsaid), least(length - count, LOOKUP_MOST));
}

void draft_make(struct engine *engine, struct slot *slot) {
    struct job *job = slot->job;
    const struct tokens *tokens = &slot->tokens;
    if (!engine->context.drafts || constrained_is(job) || job->completion_tokens == 0) return;
    size_t room = room_for(engine, slot);
    if (room == 0) return;
    size_t count = lookup_draft(&job->lookup, tokens->data, tokens->count, room, slot->draft);
    size_t held = tokens->count + drafted_by_all(engine) + count;
    if (count > 0 && cells_suffice(engine, slot, held)) slot->drafted = count;
}

void draft_begin(struct slot *slot) {
    if (slot->drafted > 0) lookup_begin(&slot->job->lookup, slot->drafted);
}

bool draft_accept(struct slot *slot, const struct job *job, size_t index) {
    if (slot->job != job || slot->tokens.count != slot->processed + 1) return false;
    if (slot->tokens.data[slot->processed] != slot->draft[index]) return false;
    slot->processed++;
    lookup_accept(&slot->job->lookup);
    return true;
}

void draft_end(struct engine *engine, struct slot *slot, const struct job *job) {
    slot_restore(engine, slot);
    if (slot->job == job) lookup_end(&slot->job->lookup);
}
