/* SPDX-License-Identifier: MIT */
/* pick.h - lets a person on a terminal pick one of several names. */
#ifndef DOZE_CLI_PICK_H
#define DOZE_CLI_PICK_H

#include <stddef.h>

#include "base/buf.h"
#include "base/msec.h"

struct pick_item {
    const char *name;
    nbytes size; /* shown beside it; 0: unknown */
};

enum pick {
    PICK_ONE,
    PICK_NONE, /* there is nothing to pick, or the person picked nothing */
    PICK_MANY, /* several, and no terminal to ask on */
};

/* The only item, or the one that is picked by its number, its name or a part of it that no
 * other name has. Letter case does not matter. An empty line picks nothing. */
enum pick pick_item(const struct pick_item *items, size_t count, size_t *ret_index);

/* Append as many names as the buffer holds: "a, b and others". */
void pick_add_names(const struct pick_item *items, size_t count, struct buf *out);

#endif
