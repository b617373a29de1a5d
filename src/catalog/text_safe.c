/* SPDX-License-Identifier: MIT */
#include "catalog/text_safe.h"

#include <stdint.h>
#include <string.h>

#include "base/xalloc.h"

/* Length of the UTF-8 character at the front; 0: none (Unicode 15, table 3-7: no overlong
 * forms, surrogates, or characters past U+10FFFF). */
static size_t utf8_len(const unsigned char *s, size_t len) {
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

char *text_safe(const char *bytes, size_t len) {
    while (len > 0 && bytes[len - 1] == ' ') len--;
    while (len > 0 && bytes[0] == ' ') bytes++, len--;
    char *text = xcalloc(len + 1, 1);
    for (size_t i = 0, step; i < len; i += step) {
        const unsigned char *at = (const unsigned char *)bytes + i;
        step = utf8_len(at, len - i);
        bool keep = step > 0 && at[0] >= 0x20 && at[0] != 0x7f;
        if (step == 0) step = 1;
        if (keep) {
            memcpy(text + i, at, step);
        } else {
            text[i] = '?';
        }
    }
    return text;
}

bool text_is_utf8(const char *text) {
    size_t len = strlen(text);
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_len((const unsigned char *)text + i, len - i);
        if (step == 0) return false;
    }
    return true;
}

char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equal(const char *a, size_t a_len, const char *b, size_t b_len) {
    if (a_len != b_len) return false;
    for (size_t i = 0; i < a_len; i++) {
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    }
    return true;
}

bool text_ends_with(const char *text, size_t len, const char *tail) {
    size_t tail_len = strlen(tail);
    return tail_len <= len && text_equal(text + len - tail_len, tail_len, tail, tail_len);
}
