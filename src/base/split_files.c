/* SPDX-License-Identifier: MIT */
#include "base/split_files.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

enum { MAX_FILES = 1000, DIGITS = 5 };

enum { SUFFIX_LEN = sizeof "-00001-of-00003.gguf" - 1, COUNT_AT = 1 + DIGITS + 4 };

static bool read_digits(const char *text, unsigned *ret) {
    unsigned n = 0;
    for (int i = 0; i < DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        n = n * 10 + (unsigned)(text[i] - '0');
    }
    *ret = n;
    return true;
}

bool split_name_parse(const char *path, struct split_name *ret_name) {
    size_t len = strlen(path);
    if (len < SUFFIX_LEN) return false;
    const char *suffix = path + len - SUFFIX_LEN;
    struct split_name name = { .stem_len = len - SUFFIX_LEN };
    bool ok = suffix[0] == '-' && read_digits(suffix + 1, &name.part) &&
              ascii_equal(suffix + 1 + DIGITS, 4, "-of-", 4) &&
              read_digits(suffix + COUNT_AT, &name.count) &&
              ascii_equal(suffix + COUNT_AT + DIGITS, 5, ".gguf", 5);
    if (!ok || name.part < 1 || name.part > name.count) return false;
    *ret_name = name;
    return true;
}

unsigned split_files_count(const char *path) {
    struct split_name name;
    if (!split_name_parse(path, &name) || name.stem_len == 0) return 1;
    return name.part == 1 && name.count <= MAX_FILES ? name.count : 1;
}

void split_files_path(const char *path, unsigned index, char *out, size_t size) {
    struct split_name name;
    if (index == 1 || !split_name_parse(path, &name)) {
        snprintf(out, size, "%s", path);
        return;
    }
    snprintf(out, size, "%.*s-%05u%s", (int)name.stem_len, path, index,
             path + name.stem_len + 1 + DIGITS);
}
