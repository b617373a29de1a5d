/* SPDX-License-Identifier: MIT */
/* name_set.h - names that a client sends, of which there may be as many as a body has room for:
 * looking one up takes few steps however many there are. */
#ifndef DOZE_API_NAME_SET_H
#define DOZE_API_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

/* Begins zeroed. */
struct name_set {
    const char **names; /* borrowed */
    size_t count, room;
    bool sorted;
};

/* NULL is no name. */
void name_set_add(struct name_set *set, const char *name);
/* NULL is not in it. Sorts after an addition: add all before. */
bool name_set_has(struct name_set *set, const char *name);
void name_set_clear(struct name_set *set);

#endif
