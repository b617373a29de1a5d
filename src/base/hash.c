/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

uint64_t hash_add(uint64_t hash, const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}
