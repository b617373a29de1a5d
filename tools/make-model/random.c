/* SPDX-License-Identifier: MIT */
#include "random.h"

uint64_t random_next(struct random *rng) {
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct random random_seeded(uint64_t seed, uint64_t a, uint64_t b) {
    struct random rng = { .state = seed };

    rng.state = random_next(&rng) ^ (a * 0xd1342543de82ef95u);
    rng.state = random_next(&rng) ^ (b * 0xaf251af3b0f025b5u);
    (void)random_next(&rng);
    return rng;
}

/* The sum of eight bytes: mean 8 * 127.5, variance 8 * (256^2 - 1) / 12. */
static float normal_from(uint64_t bits) {
    const float mean = 1020.0f, deviation = 209.0227f;
    uint32_t sum = 0;

    for (int i = 0; i < 8; i++) sum += (uint32_t)(bits >> (8 * i)) & 0xff;
    return ((float)sum - mean) / deviation;
}

void random_normal_fill(struct random *rng, float deviation, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = deviation * normal_from(random_next(rng));
}
