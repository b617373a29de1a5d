/* SPDX-License-Identifier: MIT */
/*
 * random.h - the same numbers from the same seed on every machine.
 */
#ifndef DOZE_TOOLS_RANDOM_H
#define DOZE_TOOLS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* A generator of its own for every triple. */
struct random random_seeded(uint64_t seed, uint64_t a, uint64_t b);

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(struct random *rng);

/* n values, near to normally distributed around 0 with the given standard deviation. */
void random_normal_fill(struct random *rng, float deviation, float *out, size_t n);

#endif
