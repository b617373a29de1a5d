/* SPDX-License-Identifier: MIT */
#include "engine/utf8.h"

/* Length a sequence with this first byte has; 0 if none begins so (RFC 3629). */
static size_t sequence_len(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return 2;
    if (first >= 0xe0 && first <= 0xef) return 3;
    if (first >= 0xf0 && first <= 0xf4) return 4;
    return 0;
}

/* The second byte's range is narrower after some first bytes: no overlong forms, no surrogates,
 * nothing past U+10FFFF. */
static bool second_ok(unsigned char first, unsigned char second) {
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* How many of the first bytes fit one sequence: *ret_need if it is complete. 0: none fits. */
static size_t sequence_fit(const unsigned char *text, size_t len, size_t *ret_need) {
    size_t need = sequence_len(text[0]);
    *ret_need = need;
    if (need < 2 || len < 2) return need ? 1 : 0;
    if (!second_ok(text[0], text[1])) return 1;
    size_t fit = 2;
    while (fit < need && fit < len && (text[fit] & 0xc0) == 0x80) fit++;
    return fit;
}

size_t utf8_whole(const char *text, size_t len) {
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        size_t need = 0;
        size_t fit = sequence_fit(bytes + len - back, back, &need);
        if (fit == back && fit < need) return len - back;
        if (sequence_len(bytes[len - back]))
            return len; /* a first byte: nothing earlier is open */
    }
    return len;
}

bool utf8_repair(struct buf *out, const char *text, size_t len) {
    const unsigned char *bytes = (const unsigned char *)text;
    bool ok = true;
    for (size_t i = 0; i < len && ok;) {
        size_t need = 0;
        size_t fit = sequence_fit(bytes + i, len - i, &need);
        if (fit && fit == need) {
            ok = buf_add(out, text + i, fit);
        } else {
            ok = buf_add(out, "\xef\xbf\xbd", 3);
        }
        i += fit ? fit : 1; /* one U+FFFD for the longest part that began well */
    }
    return ok;
}
