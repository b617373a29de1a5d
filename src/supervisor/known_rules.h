/* SPDX-License-Identifier: MIT */
/* known_rules.h - schemas and grammars that were checked and can be used: agents send the same
 * ones again and again. Pure. */
#ifndef DOZE_SUPERVISOR_KNOWN_RULES_H
#define DOZE_SUPERVISOR_KNOWN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KNOWN_RULES_MAX = 256 };

/* By hash: two that share one cost at most a load that fails. Start with a zeroed one. */
struct known_rules {
    uint64_t hashes[KNOWN_RULES_MAX];
    unsigned count; /* ever added; the oldest are forgotten */
};

/* Of the rules; never 0. */
uint64_t known_rules_hash(const void *bytes, size_t len);

bool known_rules_has(const struct known_rules *known, uint64_t hash);
void known_rules_add(struct known_rules *known, uint64_t hash);

#endif
