/* SPDX-License-Identifier: MIT */
#include "keyset.h"

#include <stdlib.h>

/* Where the key is, or the empty place where it belongs. */
static size_t place(const struct keyset *set, uint64_t key) {
    size_t i = (size_t)key & (set->size - 1);

    while (set->keys[i] != 0 && set->keys[i] != key) i = (i + 1) & (set->size - 1);
    return i;
}

static void grow(struct keyset *set) {
    struct keyset bigger = { .size = set->size > 0 ? 2 * set->size : 1024 };

    bigger.keys = calloc(bigger.size, sizeof *bigger.keys);
    if (bigger.keys == NULL) abort();
    for (size_t i = 0; i < set->size; i++)
        if (set->keys[i] != 0) bigger.keys[place(&bigger, set->keys[i])] = set->keys[i];
    bigger.count = set->count;
    free(set->keys);
    *set = bigger;
}

bool keyset_has(const struct keyset *set, uint64_t key) {
    return set->size > 0 && set->keys[place(set, key)] == key;
}

bool keyset_add(struct keyset *set, uint64_t key) {
    if (2 * set->count >= set->size) grow(set);
    size_t i = place(set, key);

    if (set->keys[i] == key) return false;
    set->keys[i] = key;
    set->count++;
    return true;
}

void keyset_clear(struct keyset *set) {
    free(set->keys);
    *set = (struct keyset){ 0 };
}
