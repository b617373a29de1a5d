/* SPDX-License-Identifier: MIT */
#include "cli/closest.h"

#include <string.h>

#include "base/edit_distance.h"

enum { MAX_SHOWN = 3 };

struct hit {
    const char *name;
    size_t distance;
};

/* Put the hit in its place; the earlier of equals stays in front, the fourth falls off. */
static void hits_add(struct hit hits[MAX_SHOWN], struct hit hit) {
    for (int i = 0; i < MAX_SHOWN; i++) {
        if (hits[i].name && hits[i].distance <= hit.distance) continue;
        struct hit moved = hits[i];
        hits[i] = hit;
        hit = moved;
        if (!hit.name) return;
    }
}

/* A name is close if it begins with the word, or at most a third of the letters are wrong. */
void closest_add(const char *word, const char *const *names, size_t count, struct buf *out) {
    struct hit hits[MAX_SHOWN] = { 0 };
    size_t len = strlen(word);
    for (size_t i = 0; i < count; i++) {
        struct hit hit = { names[i], edit_distance(word, len, names[i], strlen(names[i])) };
        bool begins = len >= 2 && strncmp(word, names[i], len) == 0;
        if (begins || hit.distance <= (len + 2) / 3) hits_add(hits, hit);
    }
    for (int i = 0; i < MAX_SHOWN && hits[i].name; i++) {
        bool last = i + 1 == MAX_SHOWN || !hits[i + 1].name;
        buf_addf(out, "%s'%s'", i == 0 ? "" : last ? " or " : ", ", hits[i].name);
    }
}
