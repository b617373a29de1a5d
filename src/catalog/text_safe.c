/* SPDX-License-Identifier: MIT */
#include "catalog/text_safe.h"

#include "base/utf8.h"
#include "base/xalloc.h"

char *text_safe(const char *bytes, size_t len) {
    while (len > 0 && bytes[len - 1] == ' ') len--;
    while (len > 0 && bytes[0] == ' ') bytes++, len--;
    char *text = xstrndup(bytes, len);
    utf8_mend_line(text);
    return text;
}
