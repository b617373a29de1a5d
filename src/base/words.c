/* SPDX-License-Identifier: MIT */
#include "base/words.h"

#include <string.h>

#include "base/buf.h"

int words_find(const char *const words[], size_t count, const char *word) {
    for (size_t i = 0; word && i < count; i++) {
        if (strcmp(words[i], word) == 0) return (int)i;
    }
    return -1;
}

bool words_refuse(const char *const words[], size_t count, const char *field,
                  struct error *err) {
    struct buf list = BUF_INIT(sizeof err->text);
    for (size_t i = 0; i < count; i++) {
        if (*words[i]) buf_addf(&list, "%s\"%s\"", list.len ? ", " : "", words[i]);
    }
    error_set_param(err, ERR_INVALID_REQUEST, field, "'%s' must be one of %s.", field,
                    buf_str(&list));
    buf_clear(&list);
    return false;
}
