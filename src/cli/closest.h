/* SPDX-License-Identifier: MIT */
/* closest.h - which of some names did a mistyped word mean? Pure. */
#ifndef DOZE_CLI_CLOSEST_H
#define DOZE_CLI_CLOSEST_H

#include <stddef.h>

#include "base/buf.h"

/* How many letters have to be inserted, removed, changed or swapped with their neighbour to
 * get from one word to the other. Words longer than 63 bytes are compared by their first
 * 63. */
size_t closest_distance(const char *a, const char *b);

/* Append up to three names as "'a', 'b' or 'c'", the closest first; nothing if none is
 * close. */
void closest_add(const char *word, const char *const *names, size_t count, struct buf *out);

#endif
