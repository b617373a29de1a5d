/* SPDX-License-Identifier: MIT */
#include "prompts/folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "base/xalloc.h"
#include "prompts/entry.h"

enum { LONGEST = 200 }; /* of 255 that file systems allow */

void folder_from_key(const char *key, struct buf *out) {
    struct buf name = BUF_INIT(LONGEST);
    if (!*key) (void)buf_add_str(&name, "%");
    if (*key == '.') (void)buf_add_str(&name, "%2E"); /* a name must not begin with a dot */
    (void)percent_encode(&name, *key == '.' ? key + 1 : key, "-._");
    (void)buf_add_str(out, buf_str(&name));
    if (name.overflowed) {
        (void)buf_addf(out, "%%%016llx", (unsigned long long)entry_sum(key, strlen(key)));
    }
    buf_clear(&name);
}

void folder_to_key(const char *folder, struct buf *out) {
    char *key = xstrdup(folder);
    (void)buf_add_str(out, percent_decode(key) ? key : folder);
    free(key);
}
