/* SPDX-License-Identifier: MIT */
#include "base/names.h"

#include <string.h>

const char *path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

size_t untagged_len(const char *name) {
    static const char tag[] = ":latest";
    size_t len = strlen(name), tag_len = sizeof tag - 1;
    return len > tag_len && strcmp(name + len - tag_len, tag) == 0 ? len - tag_len : len;
}
