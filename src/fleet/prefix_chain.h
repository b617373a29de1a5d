/* SPDX-License-Identifier: MIT */
/*
 * prefix_chain.h - chained hashes of a prompt's text, to find the node that holds its
 * beginning.
 *
 * A prompt's text is cut into blocks of 256 tokens; the hash of a block covers the hash of the
 * block before it, so one hash stands for everything up to there, and two chains that agree at
 * a block agree in all blocks before it. A node publishes the hashes at which the prompts end
 * that it holds, not the text, and not its tokens.
 *
 * The blocks are cut by bytes, not by tokens: the node that takes a request has the tokenizer
 * of no model, perhaps not even the model, and has to find the same hashes as the node that
 * holds the prompt. So tokens are an estimate here, of PREFIX_BLOCK_BYTES / PREFIX_BLOCK_TOKENS
 * bytes each.
 *
 * The hash is SHA-256 begun with the fleet's secret: without the secret nobody can try texts
 * against what is published.
 *
 * Pure: no I/O, clock, allocation.
 */
#ifndef DOZE_FLEET_PREFIX_CHAIN_H
#define DOZE_FLEET_PREFIX_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

enum {
    PREFIX_BLOCK_TOKENS = 256,
    PREFIX_BLOCK_BYTES = 4 * PREFIX_BLOCK_TOKENS,
    PREFIX_CHAIN_MAX = 1024, /* blocks, of 262,144 tokens; what comes after is not looked at */
};

struct prefix_chain {
    uint32_t count;
    uint64_t hashes[PREFIX_CHAIN_MAX]; /* the first `count`: up to the end of block 1, 2, … */
    struct sha256_ctx secret;          /* from here on private */
    struct sha256_ctx block;
    size_t filled;
};

/* Of an empty text; prefix_mark_of() adds the model. */
void prefix_chain_init(struct prefix_chain *chain, const char *secret);

/* The text goes on. Pieces of any length make the same chain as the whole; the rest that fills
 * no block has no hash. */
void prefix_chain_add(struct prefix_chain *chain, const void *text, size_t len);

/* Tokens of the longest prefix of a prompt that one of the heads ends; 0: none. heads: the last
 * hashes of the prompts that a node holds, by size; chain: the prompt's. */
uint32_t prefix_list_match(const uint64_t *heads, size_t head_count, const uint64_t *chain,
                           uint32_t count);

/* By size, as prefix_list_match() needs them. */
void prefix_list_sort(uint64_t *heads, size_t count);

#endif
