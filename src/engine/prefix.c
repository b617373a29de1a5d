/* SPDX-License-Identifier: MIT */
#include "engine/prefix.h"

size_t prefix_common(const int32_t *a, size_t a_count, const int32_t *b, size_t b_count) {
    size_t n = 0;
    while (n < a_count && n < b_count && a[n] == b[n]) n++;
    return n;
}

/* A repeated prompt: if its cells were copied behind those of others, sums would be made in
 * another order, and the answer could be another. */
static bool is_whole_in(const struct prefix_slot *slot, size_t common, int32_t last) {
    return slot->count > common && slot->tokens[common] == last;
}

enum fitness {
    FIT_OTHER, /* another conversation */
    FIT_KEY,   /* the client's own one, which has begun again */
    FIT_EMPTY,
    FIT_GOES_ON, /* its conversation goes on or begins again */
};

static enum fitness fitness(const struct prefix_slot *slot, size_t common, bool whole,
                            uint64_t key) {
    if (slot->count == 0) return FIT_EMPTY;
    if (whole || common * 2 >= slot->count) return FIT_GOES_ON;
    return key != 0 && slot->key == key ? FIT_KEY : FIT_OTHER;
}

struct prefix_choice prefix_choose(const struct prefix_slot *slots, int slot_count,
                                   const struct prefix_prompt *prompt, bool can_share) {
    struct prefix_choice choice = { .slot = -1, .donor = -1 };
    int best_fit = -1;
    size_t own = 0, most = 0;
    int donor = -1;
    for (int i = 0; i < slot_count; i++) {
        const struct prefix_slot *s = &slots[i];
        size_t common = prefix_common(s->tokens, s->count, prompt->tokens, prompt->count - 1);
        if (common > most) {
            most = common;
            donor = i;
        }
        if (!s->free) continue;
        bool whole = common == prompt->count - 1 &&
                     is_whole_in(s, common, prompt->tokens[common]);
        int fit = (int)fitness(s, common, whole, prompt->key);
        const struct prefix_slot *old = choice.slot < 0 ? NULL : &slots[choice.slot];
        bool better = fit > best_fit ||
                      (fit == best_fit && fit == FIT_GOES_ON && common > own) ||
                      (fit == best_fit && (fit < FIT_GOES_ON || common == own) && old &&
                       s->last_used < old->last_used);
        if (!better) continue;
        best_fit = fit;
        own = common;
        choice.slot = i;
    }
    if (choice.slot < 0) return choice;
    bool share = can_share && most > own;
    choice.count = share ? most : own;
    choice.donor = share ? donor : own > 0 ? choice.slot : -1;
    return choice;
}
