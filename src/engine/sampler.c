/* SPDX-License-Identifier: MIT */
#include "engine/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/prepared.h"

enum { PENALTY_TOKENS = 64, MIROSTAT_TOKENS = 100 /* of the estimate, as in the paper */ };

void candidates_init(struct candidates *candidates, int32_t vocab_size) {
    candidates->count = (size_t)vocab_size;
    candidates->data = xcalloc(candidates->count, sizeof *candidates->data);
}

void candidates_clear(struct candidates *candidates) {
    free(candidates->data);
    *candidates = (struct candidates){ 0 };
}

/* The request's biases and the tokens that the model's author wants never to be said. */
static void add_biases(struct llama_sampler *chain, const struct sampling *s,
                       const struct llama_vocab *vocab) {
    int32_t mute_count = 0;
    const llama_token *mute = llama_vocab_get_suppress_tokens(vocab, &mute_count);
    size_t count = s->bias_count + (size_t)mute_count;
    if (count == 0) return;
    llama_logit_bias *all = xcalloc(count, sizeof *all);
    for (size_t i = 0; i < s->bias_count; i++) {
        all[i] = (llama_logit_bias){ .token = s->biases[i].token, .bias = s->biases[i].bias };
    }
    for (int32_t i = 0; i < mute_count; i++) {
        all[s->bias_count + (size_t)i] = (llama_logit_bias){ .token = mute[i],
                                                             .bias = -INFINITY };
    }
    llama_sampler_chain_add(
        chain, llama_sampler_init_logit_bias(llama_vocab_n_tokens(vocab), (int32_t)count, all));
    free(all); /* it was copied */
}

/* What is unlikely goes; the order is llama.cpp's own. */
static void add_cuts(struct llama_sampler *chain, const struct sampling *s, uint32_t seed) {
    if (s->top_k > 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_top_k((int32_t)s->top_k));
    }
    if (s->typical_p < 1) {
        llama_sampler_chain_add(chain, llama_sampler_init_typical((float)s->typical_p, 1));
    }
    if (s->top_p < 1) {
        llama_sampler_chain_add(chain, llama_sampler_init_top_p((float)s->top_p, 1));
    }
    if (s->min_p > 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_min_p((float)s->min_p, 1));
    }
    if (s->xtc_probability > 0) {
        llama_sampler_chain_add(chain,
                                llama_sampler_init_xtc((float)s->xtc_probability,
                                                       (float)s->xtc_threshold, 1, seed));
    }
}

/* It cuts by itself, draws, and learns from what it drew. */
static void add_mirostat(struct llama_sampler *chain, const struct sampling *s,
                         const struct llama_vocab *vocab, uint32_t seed) {
    float tau = (float)s->mirostat_tau, eta = (float)s->mirostat_eta;
    llama_sampler_chain_add(chain, llama_sampler_init_temp((float)s->temperature));
    llama_sampler_chain_add(
        chain, s->mirostat == 1 ? llama_sampler_init_mirostat(llama_vocab_n_tokens(vocab), seed,
                                                              tau, eta, MIROSTAT_TOKENS)
                                : llama_sampler_init_mirostat_v2(seed, tau, eta));
}

static void add_choice(struct llama_sampler *chain, const struct sampling *s,
                       const struct llama_vocab *vocab) {
    uint32_t seed = s->seeded ? s->seed : LLAMA_DEFAULT_SEED;
    if (s->temperature <= 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_greedy());
    } else if (s->mirostat > 0) {
        add_mirostat(chain, s, vocab, seed);
    } else {
        add_cuts(chain, s, seed);
        llama_sampler_chain_add(chain, llama_sampler_init_temp((float)s->temperature));
        llama_sampler_chain_add(chain, llama_sampler_init_dist(seed));
    }
}

struct llama_sampler *sampler_new(const struct sampling *s, const struct llama_vocab *vocab,
                                  const llama_token *history, size_t history_count) {
    struct llama_sampler_chain_params params = llama_sampler_chain_default_params();
    params.no_perf = true;
    struct llama_sampler *chain = llama_sampler_chain_init(params);
    add_biases(chain, s, vocab);
    if (s->repeat_penalty != 1 || s->frequency_penalty != 0 || s->presence_penalty != 0) {
        llama_sampler_chain_add(
            chain, llama_sampler_init_penalties(
                       llama_vocab_n_tokens(vocab), PENALTY_TOKENS, (float)s->repeat_penalty,
                       (float)s->frequency_penalty, (float)s->presence_penalty));
    }
    add_choice(chain, s, vocab);
    size_t from = history_count > PENALTY_TOKENS ? history_count - PENALTY_TOKENS : 0;
    for (size_t i = from; i < history_count; i++) {
        if (history[i] >= 0) llama_sampler_accept(chain, history[i]); /* else it is no word */
    }
    return chain;
}

static llama_token_data_array fill(struct candidates *c, const float *logits) {
    for (size_t i = 0; i < c->count; i++) {
        c->data[i] = (llama_token_data){ .id = (llama_token)i, .logit = logits[i] };
    }
    return (llama_token_data_array){ .data = c->data, .size = c->count, .selected = -1 };
}

static llama_token draw(struct llama_sampler *sampler, llama_token_data_array *array) {
    llama_sampler_apply(sampler, array);
    return array->data[array->selected < 0 ? 0 : array->selected].id;
}

llama_token sampler_pick(struct llama_sampler *sampler, struct candidates *candidates,
                         const float *logits) {
    llama_token_data_array array = fill(candidates, logits);
    return draw(sampler, &array);
}

llama_token sampler_pick_of(struct llama_sampler *sampler, struct candidates *candidates,
                            const float *logits, const unsigned char *mask) {
    llama_token_data_array array = fill(candidates, logits);
    size_t allowed = 0;
    for (size_t i = 0; i < array.size; i++) {
        if (mask_has(mask, i))
            allowed++;
        else
            array.data[i].logit = -INFINITY;
    }
    if (allowed == 0) return LLAMA_TOKEN_NULL;
    llama_token token = draw(sampler, &array);
    return mask_has(mask, (size_t)token) ? token : LLAMA_TOKEN_NULL;
}
