/* SPDX-License-Identifier: MIT */
#include "base/split_files.h"

#include <stdio.h>
#include <string.h>

enum { MAX_FILES = 1000 };

int split_files_count(const char *path, size_t *ret_stem) {
    size_t len = strlen(path);
    int first = 0, count = 0, used = 0;
    static const char sample[] = "-00001-of-00003.gguf";
    *ret_stem = 0;
    if (len < sizeof sample) return 1;
    const char *tail = path + len - (sizeof sample - 1);
    if (sscanf(tail, "-%5d-of-%5d.gguf%n", &first, &count, &used) < 2) return 1;
    if (first != 1 || used != (int)sizeof sample - 1 || count < 2 || count > MAX_FILES)
        return 1;
    *ret_stem = (size_t)(tail - path);
    return count;
}

void split_files_path(const char *path, size_t stem, int index, int count, char *out,
                      size_t size) {
    if (count == 1) {
        snprintf(out, size, "%s", path);
    } else {
        snprintf(out, size, "%.*s-%05d-of-%05d.gguf", (int)stem, path, index, count);
    }
}
