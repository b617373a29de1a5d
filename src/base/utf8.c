/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

/* Bytes of a character that begins with this byte; 0: none does. */
static size_t len_by_first(unsigned char first) {
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* After some first bytes the second has a narrower range: it excludes overlong forms,
 * surrogates and what lies past U+10FFFF. */
static bool second_fits(unsigned char first, unsigned char second) {
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* How many of the bytes can belong to one character; *ret_need: how many it needs. 0: none can.
 * len > 0. */
static size_t fit(const char *bytes, size_t len, size_t *ret_need) {
    const unsigned char *s = (const unsigned char *)bytes;
    size_t need = len_by_first(s[0]), n = 1;
    *ret_need = need;
    if (need < 2 || len < 2) return need ? 1 : 0;
    if (!second_fits(s[0], s[1])) return 1;
    for (n = 2; n < need && n < len && (s[n] & 0xc0) == 0x80;) n++;
    return n;
}

size_t utf8_len(const char *bytes, size_t len) {
    size_t need;
    return fit(bytes, len, &need) == need ? need : 0;
}

bool utf8_is_valid(const char *bytes, size_t len) {
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_len(bytes + i, len - i);
        if (step == 0) return false;
    }
    return true;
}

size_t utf8_whole(const char *text, size_t len) {
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        size_t need;
        if (fit(text + len - back, back, &need) == back && back < need) return len - back;
        if (need > 0) return len; /* a first byte: nothing before it is unfinished */
    }
    return len;
}

void utf8_mend(char *text) {
    size_t len = strlen(text);
    for (size_t i = 0, step; i < len; i += step ? step : 1) {
        step = utf8_len(text + i, len - i);
        if (step == 0) text[i] = '?';
    }
}

static bool is_control(const char *bytes) {
    unsigned char first = (unsigned char)bytes[0], second = (unsigned char)bytes[1];
    return first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
}

void utf8_mend_line(char *text) {
    utf8_mend(text);
    size_t len = strlen(text);
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_len(text + i, len - i);
        if (is_control(text + i)) memset(text + i, '?', step);
    }
}

bool utf8_repair(struct buf *out, const char *text, size_t len) {
    for (size_t i = 0, step; i < len; i += step ? step : 1) {
        size_t need;
        step = fit(text + i, len - i, &need);
        bool whole = step > 0 && step == need;
        if (!buf_add(out, whole ? text + i : "\xef\xbf\xbd", whole ? step : 3)) return false;
    }
    return true;
}
