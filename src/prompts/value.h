/* SPDX-License-Identifier: MIT */
/* value.h - which entries of the prompt store are worth their place. Pure. */
#ifndef DOZE_PROMPTS_VALUE_H
#define DOZE_PROMPTS_VALUE_H

#include <stddef.h>
#include <stdint.h>

struct value_item {
    uint64_t tokens, bytes;
    int64_t used; /* Unix ms */
    void *owner;  /* the caller's */
};

/* Tokens x recency / bytes: what is saved when it is needed, by how likely that is, per byte.
 * The recency is 1 for now and halves in the first hour, then falls with one over the hours. */
double value_of(const struct value_item *item, int64_t now);

/* Sort the least valuable first. Returns how many have to go so that the rest has at most
 * `budget` bytes. */
size_t value_excess(struct value_item *items, size_t count, uint64_t budget, int64_t now);

#endif
