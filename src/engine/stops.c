/* SPDX-License-Identifier: MIT */
#include "engine/stops.h"

#include <string.h>

/* Where the text first matches the word, or ends inside a match; *ret_whole tells which. */
static size_t match_start(const char *word, const char *text, size_t len, int *ret_whole) {
    size_t word_len = strlen(word);
    for (size_t at = 0; at < len; at++) {
        const char *hit = memchr(text + at, word[0], len - at);
        if (!hit) break;
        at = (size_t)(hit - text);
        size_t rest = len - at;
        *ret_whole = rest >= word_len;
        if (memcmp(hit, word, *ret_whole ? word_len : rest) == 0) return at;
    }
    *ret_whole = 0;
    return len;
}

struct stops_found stops_scan(const struct stops *stops, const char *text, size_t len) {
    struct stops_found found = { .safe = len, .word = -1 };
    size_t open = len; /* earliest begin of what may become a match */
    for (size_t i = 0; i < stops->count; i++) {
        int whole = 0;
        size_t at = match_start(stops->words[i], text, len, &whole);
        if (whole && (found.word < 0 || at < found.safe)) {
            found = (struct stops_found){ .safe = at, .word = (int)i };
        } else if (!whole && at < open) {
            open = at;
        }
    }
    /* A longer word that began earlier may still match; it would win, so wait for it. */
    if (open < found.safe) found = (struct stops_found){ .safe = open, .word = -1 };
    return found;
}
