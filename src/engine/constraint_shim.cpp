/* SPDX-License-Identifier: MIT */
/* constraint_shim.cpp - which tokens an answer may have: the second half of plan_shim.h. */
#include <cmath>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common.h"
#include "engine/guidance.h"
#include "engine/plan_shim.h"
#include "engine/shim_error.h"
#include "reasoning-budget.h"

extern "C" {
#include "engine/prepared.h"
}

struct sampler_deleter {
    void operator()(llama_sampler *s) const { llama_sampler_free(s); }
};
struct guidance_deleter {
    void operator()(guidance *g) const { guidance_free(g); }
};
using sampler_ptr = std::unique_ptr<llama_sampler, sampler_deleter>;

struct constraint {
    sampler_ptr grammar; /* NULL: anything goes */
    bool lazy = false;
    std::unique_ptr<guidance, guidance_deleter> guide; /* NULL: there is no schema */
    sampler_ptr
        thinking; /* knows when the model thinks, and ends that; NULL: does not matter */
    std::vector<llama_token_data> candidates;
};

static std::string text_of(yyjson_val *val) {
    const char *text = yyjson_get_str(val);
    return text ? std::string(text, yyjson_get_len(val)) : std::string();
}

static llama_tokens tokens_of(yyjson_val *array) {
    llama_tokens tokens;
    size_t i, count;
    yyjson_val *val;
    yyjson_arr_foreach(array, i, count, val) tokens.push_back(yyjson_get_int(val));
    return tokens;
}

static void accept_all(llama_sampler *sampler, const llama_tokens &tokens) {
    for (llama_token token : tokens) llama_sampler_accept(sampler, token);
}

static llama_sampler *lazy_grammar(const struct llama_vocab *vocab, const std::string &grammar,
                                   yyjson_val *rules) {
    std::vector<std::string> patterns;
    std::vector<const char *> raw;
    size_t i, count;
    yyjson_val *val;
    yyjson_arr_foreach(yyjson_obj_get(rules, "patterns"), i, count, val)
        patterns.push_back(text_of(val));
    for (const auto &pattern : patterns) raw.push_back(pattern.c_str());
    const auto tokens = tokens_of(yyjson_obj_get(rules, "tokens"));
    return llama_sampler_init_grammar_lazy_patterns(vocab, grammar.c_str(), "root", raw.data(),
                                                    raw.size(), tokens.data(), tokens.size());
}

static void make_grammar(struct constraint *c, const struct llama_vocab *vocab,
                         yyjson_val *rules) {
    const std::string grammar = text_of(yyjson_obj_get(rules, "grammar"));
    if (grammar.empty()) return;
    c->lazy = yyjson_get_bool(yyjson_obj_get(rules, "lazy"));
    c->grammar.reset(c->lazy ? lazy_grammar(vocab, grammar, rules)
                             : llama_sampler_init_grammar(vocab, grammar.c_str(), "root"));
    if (!c->grammar) throw std::invalid_argument("it is not valid GBNF");
    accept_all(c->grammar.get(), tokens_of(yyjson_obj_get(rules, "begun")));
}

static bool make_guide(struct constraint *c, const struct llama_vocab *vocab, yyjson_val *rules,
                       struct error *err) {
    const std::string grammar = text_of(yyjson_obj_get(rules, "guidance"));
    if (grammar.empty()) return true;
    c->guide.reset(guidance_new(vocab, grammar.c_str(), err));
    return c->guide != nullptr;
}

static void make_thinking(struct constraint *c, const struct llama_vocab *vocab,
                          yyjson_val *rules) {
    if (!rules) return;
    std::vector<llama_tokens> ends;
    size_t i, count;
    yyjson_val *val;
    yyjson_arr_foreach(yyjson_obj_get(rules, "ends"), i, count, val)
        ends.push_back(tokens_of(val));
    c->thinking.reset(
        common_reasoning_budget_init(vocab, { tokens_of(yyjson_obj_get(rules, "start")) }, ends,
                                     tokens_of(yyjson_obj_get(rules, "ending")),
                                     yyjson_get_int(yyjson_obj_get(rules, "budget"))));
    accept_all(c->thinking.get(), tokens_of(yyjson_obj_get(rules, "begun")));
}

struct constraint *constraint_new(const struct llama_vocab *vocab, yyjson_val *rules,
                                  struct error *err) {
    try {
        auto c = std::make_unique<constraint>();
        make_grammar(c.get(), vocab, rules);
        if (!make_guide(c.get(), vocab, rules, err)) return nullptr;
        make_thinking(c.get(), vocab, yyjson_obj_get(rules, "thinking"));
        c->candidates.resize((size_t)llama_vocab_n_tokens(vocab));
        return c.release();
    } catch (const std::exception &e) {
        shim_error(
            err, ERR_INVALID_REQUEST,
            "The answer's grammar, of the schema, the tools or the request itself, cannot "
            "be used",
            e);
        return nullptr;
    }
}

void constraint_free(struct constraint *constraint) {
    delete constraint;
}

static bool grammar_awake(const struct constraint *c) {
    if (!c->grammar) return false;
    if (!c->thinking || !c->lazy) return true;
    const auto state = common_reasoning_budget_get_state(c->thinking.get());
    return state == REASONING_BUDGET_IDLE || state == REASONING_BUDGET_DONE;
}

static void guide_apply(struct guidance *guide, llama_token_data_array *all) {
    const unsigned char *mask = all->size > 1 ? guidance_mask(guide) : nullptr;
    for (size_t i = 0; i < all->size; i++) {
        auto &one = all->data[i];
        const bool allowed = all->size > 1 ? mask && mask_has(mask, (size_t)one.id)
                                           : guidance_allows(guide, one.id);
        if (!allowed) one.logit = -INFINITY;
    }
}

/* Tokens that are not allowed get the logit -INFINITY. */
static void apply(const struct constraint *c, llama_token_data_array *candidates) {
    if (c->thinking) llama_sampler_apply(c->thinking.get(), candidates);
    if (grammar_awake(c)) llama_sampler_apply(c->grammar.get(), candidates);
    if (c->guide) guide_apply(c->guide.get(), candidates);
}

static bool is_allowed(const struct constraint *c, llama_token token) {
    llama_token_data one = { token, 1, 0 };
    llama_token_data_array array = { &one, 1, -1, false };
    apply(c, &array);
    return array.data[0].logit != -INFINITY;
}

static void accept(struct constraint *c, llama_token token) {
    const bool awake = grammar_awake(c); /* before the token changes it */
    if (c->thinking) {
        llama_sampler_accept(c->thinking.get(), token);
        /* The end tag may itself be a trigger: let the grammar see it. */
        const auto *end = common_reasoning_budget_get_end_match(c->thinking.get());
        if (!awake && end && grammar_awake(c)) accept_all(c->grammar.get(), *end);
    }
    if (awake) llama_sampler_accept(c->grammar.get(), token);
    if (c->guide) guidance_accept(c->guide.get(), token);
}

bool constraint_accept(struct constraint *constraint, llama_token token) {
    try {
        if (!is_allowed(constraint, token)) return false; /* libllama aborts on a wrong one */
        accept(constraint, token);
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

void constraint_mask(struct constraint *c, unsigned char *mask) {
    auto &all = c->candidates;
    for (size_t i = 0; i < all.size(); i++) all[i] = { (llama_token)i, 1, 0 };
    llama_token_data_array array = { all.data(), all.size(), -1, false };
    try {
        apply(c, &array);
    } catch (const std::exception &) {
        return;
    }
    for (size_t i = 0; i < array.size; i++) {
        const auto &one = array.data[i];
        if (one.logit != -INFINITY) mask[one.id / 8] |= (unsigned char)(1U << one.id % 8);
    }
}
