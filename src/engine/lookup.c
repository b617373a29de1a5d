/* SPDX-License-Identifier: MIT */
#include "engine/lookup.h"

#include <string.h>

/* The index of what followed the last earlier occurrence of the last LOOKUP_KEY tokens; 0:
 * there is none. */
static size_t find_follower(const int32_t *tokens, size_t count) {
    if (count <= LOOKUP_KEY) return 0;
    const int32_t *key = tokens + count - LOOKUP_KEY;
    size_t least = count > LOOKUP_BACK + LOOKUP_KEY ? count - LOOKUP_BACK : LOOKUP_KEY;
    for (size_t at = count - 1; at >= least; at--) {
        if (memcmp(tokens + at - LOOKUP_KEY, key, LOOKUP_KEY * sizeof *key) == 0) return at;
    }
    return 0;
}

bool lookup_may(struct lookup *l) {
    if (l->rest == 0) return true;
    l->rest--;
    return false;
}

size_t lookup_draft(const struct lookup *l, const int32_t *tokens, size_t count, size_t most,
                    int32_t *ret_draft) {
    size_t wanted = l->next > 0 ? l->next : LOOKUP_FIRST;
    if (wanted > most) wanted = most;
    size_t from = wanted == 0 ? 0 : find_follower(tokens, count);
    if (from == 0) return 0;
    for (size_t i = 0; i < wanted; i++) {
        /* A repetition continues with the guess itself. */
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

/* Old results lose their weight. */
static void age(struct lookup *l) {
    if (l->steps < LOOKUP_REMEMBERED) return;
    l->steps /= 2;
    l->said /= 2;
}

static void begin_rest(struct lookup *l) {
    l->rest = l->next_rest > 0 ? l->next_rest : LOOKUP_REST;
    l->next_rest = 4 * l->rest < LOOKUP_MOST_REST ? 4 * l->rest : LOOKUP_MOST_REST;
    l->rests++;
    l->steps = l->said = l->next = 0;
}

static void judge(struct lookup *l, double cost, size_t trial) {
    l->steps++;
    l->said += l->right + 1;
    if (cost <= 0 || l->steps < trial) return;
    if ((double)l->said < cost * (double)l->steps)
        begin_rest(l);
    else if (l->steps >= 2 * trial)
        l->next_rest = 0;
}

void lookup_end(struct lookup *l, double cost, size_t trial) {
    bool all = l->right == l->length;
    l->open = 0;
    l->next = all ? 2 * l->length : l->right;
    if (l->next > LOOKUP_MOST) l->next = LOOKUP_MOST;
    if (l->next < LOOKUP_FIRST) l->next = LOOKUP_FIRST;
    judge(l, cost, trial);
    age(l);
}
