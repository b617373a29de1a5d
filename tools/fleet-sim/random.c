/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "sim.h"

/* SplitMix64. */
uint64_t random_next(struct random *r) {
    uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t random_mix(uint64_t a, uint64_t b) {
    struct random r = { a * UINT64_C(0xd1342543de82ef95) + b };
    return random_next(&r);
}

double random_unit(struct random *r) {
    return (double)(random_next(r) >> 11) / 0x1p53;
}

uint32_t random_below(struct random *r, uint32_t n) {
    return (uint32_t)(random_unit(r) * n);
}

double random_exponential(struct random *r, double mean) {
    return -mean * log(1 - random_unit(r));
}

double random_lognormal(struct random *r, double median, double sigma) {
    double radius = sqrt(-2 * log(1 - random_unit(r)));
    return median * exp(sigma * radius * cos(2 * 3.14159265358979 * random_unit(r)));
}
