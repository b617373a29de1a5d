/* SPDX-License-Identifier: MIT */
/* prefix_heads.h - the prompts that a simulated node holds: a set with an order of age. */
#ifndef DOZE_TOOLS_PREFIX_HEADS_H
#define DOZE_TOOLS_PREFIX_HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "fleet/prefix_chain.h"

enum { PREFIX_HEADS_MAX = 4096 };

/* The prompts that one node holds, by the last hash of each, newest first: a set of at most
 * PREFIX_HEADS_MAX, of which the oldest is dropped for a new one. Zeroed is empty. */
struct prefix_head {
    uint64_t hash;
    uint16_t older, newer, next; /* in the order of age, in the bucket; 0: none */
};
struct prefix_heads {
    uint32_t count;
    uint16_t newest, oldest, spare;
    uint16_t used; /* entries that were ever used: 1 to `used` */
    uint16_t buckets[PREFIX_HEADS_MAX];
    struct prefix_head entries[PREFIX_HEADS_MAX + 1]; /* from 1 on; 0 stands for none */
};

/* The hash is the newest one now, whether it was there or not. */
void prefix_heads_add(struct prefix_heads *heads, uint64_t hash);

/* What is not held any longer; nothing if it is not there. */
void prefix_heads_remove(struct prefix_heads *heads, uint64_t hash);

bool prefix_heads_has(const struct prefix_heads *heads, uint64_t hash);

/* The newest ones, at most `max`, newest first; returns how many. */
uint32_t prefix_heads_list(const struct prefix_heads *heads, uint64_t *ret_hashes,
                           uint32_t max);

/* Tokens of the longest prefix of the prompt that one of the heads ends; 0: none. */
uint32_t prefix_heads_match(const struct prefix_heads *heads, const struct prefix_chain *chain);

#endif
