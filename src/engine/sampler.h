/* SPDX-License-Identifier: MIT */
/* sampler.h - choosing the next token of one answer from the model's logits. */
#ifndef DOZE_ENGINE_SAMPLER_H
#define DOZE_ENGINE_SAMPLER_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/request.h"

/* One entry per token of the vocabulary, shared by all answers. */
struct candidates {
    llama_token_data *data;
    size_t count;
};

void candidates_init(struct candidates *candidates, int32_t vocab_size);
void candidates_clear(struct candidates *candidates);

/* Bias and penalties over the last 64 tokens; then temperature 0 takes the likeliest token;
 * else top_k, typical_p, top_p, min_p, xtc, temperature and a draw, in this order, or
 * temperature and mirostat. history: tokens the penalties begin with. Give it back with
 * llama_sampler_free(). */
struct llama_sampler *sampler_new(const struct sampling *sampling,
                                  const struct llama_vocab *vocab, const llama_token *history,
                                  size_t history_count);

/* logits: one per token of the vocabulary. */
llama_token sampler_pick(struct llama_sampler *sampler, struct candidates *candidates,
                         const float *logits);
/* One of the tokens of the mask (prepared.h); LLAMA_TOKEN_NULL if there is none. */
llama_token sampler_pick_of(struct llama_sampler *sampler, struct candidates *candidates,
                            const float *logits, const unsigned char *mask);

#endif
