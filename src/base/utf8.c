/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

size_t utf8_len(const char *bytes, size_t len) {
    const unsigned char *s = (const unsigned char *)bytes;
    if (s[0] < 0x80) return 1;
    size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || need > len) return 0;
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    bool bad = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
               (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return bad ? 0 : need;
}

void utf8_mend(char *text) {
    size_t len = strlen(text);
    for (size_t i = 0, step; i < len; i += step ? step : 1) {
        step = utf8_len(text + i, len - i);
        if (step == 0) text[i] = '?';
    }
}

/* U+0000 to U+001F, U+007F to U+009F. */
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
