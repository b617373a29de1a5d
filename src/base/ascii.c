/* SPDX-License-Identifier: MIT */
#include "base/ascii.h"

#include <string.h>

char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ascii_equal(const char *a, size_t a_len, const char *b, size_t b_len) {
    if (a_len != b_len) return false;
    for (size_t i = 0; i < a_len; i++) {
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    }
    return true;
}

bool ascii_ends_with(const char *text, size_t len, const char *tail) {
    size_t tail_len = strlen(tail);
    return tail_len <= len && ascii_equal(text + len - tail_len, tail_len, tail, tail_len);
}
