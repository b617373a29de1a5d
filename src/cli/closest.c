/* SPDX-License-Identifier: MIT */
#include "cli/closest.h"

#include <string.h>

enum { MAX_WORD = 63, MAX_SHOWN = 3 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment, three rows of the table at a time. */
size_t closest_distance(const char *a, const char *b) {
    size_t rows[3][MAX_WORD + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t alen = strnlen(a, MAX_WORD), blen = strnlen(b, MAX_WORD);
    for (size_t j = 0; j <= blen; j++) last[j] = before[j] = j;
    for (size_t i = 1; i <= alen; i++) {
        now[0] = i;
        for (size_t j = 1; j <= blen; j++) {
            size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(change, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], before[j - 2] + 1);
            }
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[blen];
}

/* A word that begins like the name, or has at most a third of it wrong. */
static bool is_close(const char *word, const char *name, size_t distance) {
    size_t len = strlen(word);
    return (len >= 2 && strncmp(word, name, len) == 0) || distance <= (len + 2) / 3;
}

void closest_add(const char *word, const char *const *names, size_t count, struct buf *out) {
    const char *found[MAX_SHOWN];
    size_t found_count = 0;
    for (size_t distance = 0; distance <= MAX_WORD && found_count < MAX_SHOWN; distance++) {
        for (size_t i = 0; i < count && found_count < MAX_SHOWN; i++) {
            if (closest_distance(word, names[i]) != distance) continue;
            if (is_close(word, names[i], distance)) found[found_count++] = names[i];
        }
    }
    for (size_t i = 0; i < found_count; i++) {
        const char *between = i == 0 ? "" : i + 1 == found_count ? " or " : ", ";
        buf_addf(out, "%s'%s'", between, found[i]);
    }
}
