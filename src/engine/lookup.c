/* SPDX-License-Identifier: MIT */
#include "engine/lookup.h"

#include <string.h>

/* The index of what followed the last LOOKUP_KEY tokens when they stood there before, the last
 * time; 0: they did not. */
static size_t find_follower(const int32_t *tokens, size_t count) {
    if (count <= LOOKUP_KEY) return 0;
    const int32_t *key = tokens + count - LOOKUP_KEY;
    size_t least = count > LOOKUP_BACK + LOOKUP_KEY ? count - LOOKUP_BACK : LOOKUP_KEY;
    for (size_t at = count - 1; at >= least; at--) {
        if (memcmp(tokens + at - LOOKUP_KEY, key, LOOKUP_KEY * sizeof *key) == 0) return at;
    }
    return 0;
}

size_t lookup_draft(const struct lookup *l, const int32_t *tokens, size_t count, size_t most,
                    int32_t *ret_draft) {
    size_t wanted = l->next > 0 ? l->next : LOOKUP_FIRST;
    if (wanted > most) wanted = most;
    size_t from = l->off || wanted == 0 ? 0 : find_follower(tokens, count);
    if (from == 0) return 0;
    for (size_t i = 0; i < wanted; i++) {
        /* What repeats itself continues with the guess. */
        size_t at = from + i;
        int32_t token = at < count ? tokens[at] : ret_draft[at - count];
        if (token < 0) return i;
        ret_draft[i] = token;
    }
    return wanted;
}

void lookup_begin(struct lookup *l, size_t length) {
    l->length = l->open = length;
    l->right = 0;
    l->drafted += length;
}

void lookup_accept(struct lookup *l) {
    l->right++;
    l->accepted++;
    l->open--;
}

void lookup_end(struct lookup *l) {
    bool all = l->right == l->length;
    l->open = 0;
    l->next = all ? 2 * l->length : l->right;
    if (l->next > LOOKUP_MOST) l->next = LOOKUP_MOST;
    if (l->next < LOOKUP_FIRST) l->next = LOOKUP_FIRST;
    l->tried += l->length;
    l->hit += l->right;
    if (l->tried >= LOOKUP_TRIAL && 2 * l->hit < l->tried) l->off = true;
    if (l->tried < LOOKUP_REMEMBERED) return;
    l->tried /= 2;
    l->hit /= 2;
}
