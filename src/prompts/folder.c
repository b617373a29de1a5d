/* SPDX-License-Identifier: MIT */
#include "prompts/folder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "prompts/entry.h"

enum { LONGEST = 200 }; /* of 255 that file systems allow */

static bool plain(const char *key, size_t i) {
    unsigned char c = (unsigned char)key[i];
    if (c >= 'a' && c <= 'z') return true;
    if (c >= 'A' && c <= 'Z') return true;
    if (c >= '0' && c <= '9') return true;
    return c == '-' || c == '_' || (c == '.' && i > 0);
}

void folder_from_key(const char *key, struct buf *out) {
    struct buf name = BUF_INIT(LONGEST);
    for (size_t i = 0; key[i]; i++) {
        if (plain(key, i)) {
            (void)buf_add(&name, key + i, 1);
        } else {
            (void)buf_addf(&name, "%%%02X", (unsigned)(unsigned char)key[i]);
        }
    }
    if (!*key) (void)buf_add_str(&name, "%");
    (void)buf_add_str(out, buf_str(&name));
    if (name.overflowed) {
        (void)buf_addf(out, "%%%016llx", (unsigned long long)entry_sum(key, strlen(key)));
    }
    buf_clear(&name);
}

void folder_to_key(const char *folder, struct buf *out) {
    struct buf key = BUF_INIT(LONGEST + 32);
    const char *at = folder;
    for (; *at; at++) {
        if (*at != '%') {
            (void)buf_add(&key, at, 1);
            continue;
        }
        if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2])) break;
        char hex[] = { at[1], at[2], '\0' };
        char byte = (char)strtol(hex, NULL, 16);
        (void)buf_add(&key, &byte, 1);
        at += 2;
    }
    (void)buf_add_str(out, *at || key.overflowed ? folder : buf_str(&key));
    buf_clear(&key);
}
