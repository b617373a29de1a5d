/* SPDX-License-Identifier: MIT */
/* keyset.h - a growing set of 64-bit keys other than 0. Aborts when memory is out. */
#ifndef DOZE_TESTS_KEYSET_H
#define DOZE_TESTS_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keyset {
    uint64_t *keys;
    size_t size, count; /* size: a power of two, or 0 */
};

bool keyset_has(const struct keyset *set, uint64_t key);
bool keyset_add(struct keyset *set, uint64_t key); /* false if it was there */
void keyset_clear(struct keyset *set);

#endif
