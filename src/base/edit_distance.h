/* SPDX-License-Identifier: MIT */
/* edit_distance.h - how far a mistyped name is from a known one. Pure. */
#ifndef DOZE_BASE_EDIT_DISTANCE_H
#define DOZE_BASE_EDIT_DISTANCE_H

#include <stddef.h>

/* Longer texts are compared by their first bytes only. */
enum { EDIT_DISTANCE_MAX = 96 };

/* How many bytes must be inserted, deleted, changed or swapped with their neighbour to turn one
 * text into the other: the Damerau-Levenshtein distance in its restricted form, "optimal string
 * alignment", in which no byte is edited twice. */
size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
