/* SPDX-License-Identifier: MIT */
#include "catalog/text_safe.h"

#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"

char *text_safe(const char *bytes, size_t len) {
    while (len > 0 && bytes[len - 1] == ' ') len--;
    while (len > 0 && bytes[0] == ' ') bytes++, len--;
    char *text = xstrndup(bytes, len);
    utf8_mend_line(text);
    return text;
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
