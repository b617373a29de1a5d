/* SPDX-License-Identifier: MIT */
#include "cli/closest.h"

#include <string.h>

#include "base/edit_distance.h"

enum { MAX_SHOWN = 3 };

/* The word is the beginning of the name, or at most a third of its letters are wrong. */
static bool is_close(const char *word, const char *name, size_t distance) {
    size_t len = strlen(word);
    return (len >= 2 && strncmp(word, name, len) == 0) || distance <= (len + 2) / 3;
}

void closest_add(const char *word, const char *const *names, size_t count, struct buf *out) {
    const char *found[MAX_SHOWN];
    size_t found_count = 0;
    for (size_t distance = 0; distance <= EDIT_DISTANCE_MAX && found_count < MAX_SHOWN;
         distance++) {
        for (size_t i = 0; i < count && found_count < MAX_SHOWN; i++) {
            if (edit_distance(word, strlen(word), names[i], strlen(names[i])) != distance)
                continue;
            if (is_close(word, names[i], distance)) found[found_count++] = names[i];
        }
    }
    for (size_t i = 0; i < found_count; i++) {
        const char *between = i == 0 ? "" : i + 1 == found_count ? " or " : ", ";
        buf_addf(out, "%s'%s'", between, found[i]);
    }
}
