/* SPDX-License-Identifier: MIT */
#include "supervisor/known_rules.h"

#include "base/hash.h"

uint64_t known_rules_hash(const void *bytes, size_t len) {
    uint64_t hash = hash_add(HASH_BEGIN, bytes, len);
    return hash ? hash : 1;
}

bool known_rules_has(const struct known_rules *known, uint64_t hash) {
    for (int i = 0; i < KNOWN_RULES_MAX; i++) {
        if (known->hashes[i] == hash) return true;
    }
    return false;
}

void known_rules_add(struct known_rules *known, uint64_t hash) {
    if (known_rules_has(known, hash)) return;
    known->hashes[known->count++ % KNOWN_RULES_MAX] = hash;
}
