/* SPDX-License-Identifier: MIT */
#include "prefix_heads.h"

static uint16_t *bucket_of(struct prefix_heads *heads, uint64_t hash) {
    return &heads->buckets[hash % PREFIX_HEADS_MAX];
}

static uint16_t find(const struct prefix_heads *heads, uint64_t hash) {
    uint16_t i = heads->buckets[hash % PREFIX_HEADS_MAX];

    while (i != 0 && heads->entries[i].hash != hash) i = heads->entries[i].next;
    return i;
}

static void age_unlink(struct prefix_heads *heads, uint16_t i) {
    struct prefix_head *e = &heads->entries[i];

    *(e->newer ? &heads->entries[e->newer].older : &heads->newest) = e->older;
    *(e->older ? &heads->entries[e->older].newer : &heads->oldest) = e->newer;
}

static void age_link(struct prefix_heads *heads, uint16_t i) {
    struct prefix_head *e = &heads->entries[i];

    e->newer = 0;
    e->older = heads->newest;
    *(e->older ? &heads->entries[e->older].newer : &heads->oldest) = i;
    heads->newest = i;
}

static void drop(struct prefix_heads *heads, uint16_t i) {
    struct prefix_head *e = &heads->entries[i];
    uint16_t *link = bucket_of(heads, e->hash);

    age_unlink(heads, i);
    while (*link != i) link = &heads->entries[*link].next;
    *link = e->next;
    e->next = heads->spare;
    heads->spare = i;
    heads->count--;
}

static uint16_t take_entry(struct prefix_heads *heads) {
    if (heads->count == PREFIX_HEADS_MAX) drop(heads, heads->oldest);
    uint16_t i = heads->spare;
    if (i == 0) return ++heads->used;
    heads->spare = heads->entries[i].next;
    return i;
}

void prefix_heads_add(struct prefix_heads *heads, uint64_t hash) {
    uint16_t i = find(heads, hash);

    if (i != 0) {
        age_unlink(heads, i);
    } else {
        i = take_entry(heads);
        heads->entries[i].hash = hash;
        heads->entries[i].next = *bucket_of(heads, hash);
        *bucket_of(heads, hash) = i;
        heads->count++;
    }
    age_link(heads, i);
}

void prefix_heads_remove(struct prefix_heads *heads, uint64_t hash) {
    uint16_t i = find(heads, hash);

    if (i != 0) drop(heads, i);
}

bool prefix_heads_has(const struct prefix_heads *heads, uint64_t hash) {
    return find(heads, hash) != 0;
}

uint32_t prefix_heads_list(const struct prefix_heads *heads, uint64_t *ret_hashes,
                           uint32_t max) {
    uint32_t n = 0;

    for (uint16_t i = heads->newest; i != 0 && n < max; i = heads->entries[i].older) {
        ret_hashes[n++] = heads->entries[i].hash;
    }
    return n;
}

uint32_t prefix_heads_match(const struct prefix_heads *heads,
                            const struct prefix_chain *chain) {
    uint32_t n = chain->count;

    while (n > 0 && !prefix_heads_has(heads, chain->hashes[n - 1])) n--;
    return n * PREFIX_BLOCK_TOKENS;
}
