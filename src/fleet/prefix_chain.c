/* SPDX-License-Identifier: MIT */
#include "fleet/prefix_chain.h"

#include <stdlib.h>
#include <string.h>

void prefix_chain_init(struct prefix_chain *chain, const char *secret) {
    chain->count = 0;
    chain->filled = 0;
    sha256_init(&chain->secret);
    /* With its end: none of it can be moved into the text. */
    sha256_update(&chain->secret, strlen(secret) + 1, (const uint8_t *)secret);
    chain->block = chain->secret;
    /* Nodes of earlier releases, in the same fleet, begin the text with an empty word. */
    sha256_update(&chain->block, 1, (const uint8_t *)"");
}

/* The block is full: its hash, and the beginning of the next one. */
static void chain_link(struct prefix_chain *chain) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    uint64_t hash = 0;

    sha256_digest(&chain->block, sizeof digest, digest);
    for (size_t i = 0; i < sizeof hash; i++) hash = hash << 8 | digest[i];
    chain->hashes[chain->count++] = hash;
    chain->filled = 0;
    chain->block = chain->secret;
    sha256_update(&chain->block, sizeof digest, digest);
}

void prefix_chain_add(struct prefix_chain *chain, const void *text, size_t len) {
    const uint8_t *bytes = text;

    while (len > 0 && chain->count < PREFIX_CHAIN_MAX) {
        size_t room = PREFIX_BLOCK_BYTES - chain->filled;
        size_t piece = len < room ? len : room;
        sha256_update(&chain->block, piece, bytes);
        chain->filled += piece;
        bytes += piece;
        len -= piece;
        if (chain->filled == PREFIX_BLOCK_BYTES) chain_link(chain);
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void prefix_list_sort(uint64_t *heads, size_t count) {
    if (count > 0) qsort(heads, count, sizeof *heads, compare);
}

uint32_t prefix_list_match(const uint64_t *heads, size_t head_count, const uint64_t *chain,
                           uint32_t count) {
    uint32_t n = head_count > 0 ? count : 0;

    while (n > 0 && !bsearch(&chain[n - 1], heads, head_count, sizeof *heads, compare)) n--;
    return n * PREFIX_BLOCK_TOKENS;
}
