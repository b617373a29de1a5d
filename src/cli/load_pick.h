/* SPDX-License-Identifier: MIT */
/* load_pick.h - which model did the person mean? Part of a key is enough, as with `lms
 * load`. */
#ifndef DOZE_CLI_LOAD_PICK_H
#define DOZE_CLI_LOAD_PICK_H

#include <stdbool.h>

#include "cli/inventory.h"

enum pick {
    PICK_ONE,  /* *ret_key */
    PICK_NONE, /* nothing fits, or the person chose nothing */
    PICK_MANY, /* several fit and nobody can be asked: *err names them */
};

/* Choose among the models whose key contains `part` (letter case does not matter; NULL: all).
 * One: it. Several: the first if first_will_do, else ask on the terminal. The key is the
 * inventory's. */
enum pick load_pick(const struct inventory *inv, const char *part, bool first_will_do,
                    const char **ret_key, struct error *err);

#endif
