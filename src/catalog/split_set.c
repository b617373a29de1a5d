/* SPDX-License-Identifier: MIT */
#include "catalog/split_set.h"

#include <string.h>

#include "catalog/text_safe.h"

enum { DIGITS = 5, SUFFIX_LEN = 1 + DIGITS + 4 + DIGITS + 5 }; /* -00001-of-00003.gguf */

static bool digits(const char *text, unsigned *ret) {
    unsigned n = 0;
    for (int i = 0; i < DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        n = n * 10 + (unsigned)(text[i] - '0');
    }
    *ret = n;
    return true;
}

bool split_name_parse(const char *name, struct split_name *ret_split) {
    size_t len = strlen(name);
    if (len < SUFFIX_LEN || !text_ends_with(name, len, ".gguf")) return false;
    const char *suffix = name + len - SUFFIX_LEN;
    unsigned part, count;
    if (suffix[0] != '-' || !digits(suffix + 1, &part)) return false;
    if (!text_equal(suffix + 1 + DIGITS, 4, "-of-", 4)) return false;
    if (!digits(suffix + 5 + DIGITS, &count) || part < 1 || part > count) return false;
    *ret_split = (struct split_name){ len - SUFFIX_LEN, part, count };
    return true;
}
