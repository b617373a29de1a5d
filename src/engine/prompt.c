/* SPDX-License-Identifier: MIT */
#include "engine/prompt.h"

#include <string.h>

#include "engine/prompt_length.h"

static const unsigned PROMPT_MARKS = TOKENS_ADD_SPECIAL | TOKENS_PARSE_SPECIAL;

static bool fits(const struct prompt_limits *l, size_t count, const char *what,
                 struct error *err) {
    if (count < l->length || (l->model->embeds && count == l->length)) return true;
    return prompt_length_refuse(l->length, what, false, count, err);
}

/* ---- what can be known without the tokens ---- */

/* Bytes of text that one token stands for at most, or more; 0: there is no such bound, as some
 * tokenizers drop white space or take any word for the unknown one. */
static size_t longest_token(const struct model *model) {
    enum llama_vocab_type type = llama_vocab_type(model->vocab);
    if (type != LLAMA_VOCAB_TYPE_BPE && type != LLAMA_VOCAB_TYPE_SPM) return 0;
    size_t longest = 1;
    for (int32_t i = 0; i < model->vocab_size; i++) {
        const char *text = llama_vocab_get_text(model->vocab, i);
        size_t len = text ? strlen(text) : 0;
        if (len > longest) longest = len;
    }
    return longest;
}

/* Only a long text is worth a look at the whole vocabulary. */
static bool may_fit(const struct prompt_limits *l, size_t bytes, const char *what,
                    struct error *err) {
    if (bytes / 8 <= l->length) return true;
    const struct prompt_bound bound = { l->length, longest_token(l->model) };
    return prompt_length_text_may_fit(&bound, bytes, what, err);
}

/* ---- tokens ---- */

/* An empty prompt begins with BOS, else with EOS. */
static bool not_empty(const struct prompt_limits *l, struct tokens *tokens, const char *field,
                      struct error *err) {
    if (tokens->count > 0) return true;
    llama_token first = llama_vocab_bos(l->model->vocab);
    if (first == LLAMA_TOKEN_NULL) first = llama_vocab_eos(l->model->vocab);
    if (first == LLAMA_TOKEN_NULL) {
        return error_set_param(err, ERR_INVALID_REQUEST, field, "'%s' is empty.", field);
    }
    tokens_add(tokens, first);
    return true;
}

static bool input_tokens(const struct prompt_limits *l, const struct input *input,
                         struct tokens *ret, struct error *err) {
    if (input->tokens) {
        tokens_append(ret, input->tokens, input->count);
        return true;
    }
    return tokens_from_text(ret, l->model->vocab, input->text, input->len, PROMPT_MARKS, err);
}

/* Cut the end of a text, but keep the marker that its tokenizer puts there. */
static void cut_end(const struct prompt_limits *l, struct tokens *tokens) {
    size_t room = l->model->embeds ? l->length : l->length - 1;
    const struct llama_vocab *vocab = l->model->vocab;
    if (tokens->count <= room) return;
    llama_token last = tokens->data[tokens->count - 1];
    tokens->count = room;
    if (llama_vocab_get_add_eos(vocab) || llama_vocab_get_add_sep(vocab))
        tokens->data[room - 1] = last;
}

bool prompt_read_input(const struct prompt_limits *l, const struct input *input, bool truncate,
                       struct tokens *ret, struct error *err) {
    tokens_cut(ret, 0);
    if (!truncate && !may_fit(l, input->tokens ? 0 : input->len, "input", err)) return false;
    if (!input_tokens(l, input, ret, err) || !not_empty(l, ret, "input", err)) return false;
    if (truncate) cut_end(l, ret);
    return fits(l, ret->count, "input", err);
}

/* Fill-in-the-middle: prefix and suffix between the model's own markers, the answer follows. */
static bool infill_tokens(const struct prompt_limits *l, const struct input *prompt,
                          const char *suffix, struct tokens *ret, struct error *err) {
    const struct llama_vocab *vocab = l->model->vocab;
    llama_token pre = llama_vocab_fim_pre(vocab), suf = llama_vocab_fim_suf(vocab);
    llama_token mid = llama_vocab_fim_mid(vocab);
    if (pre == LLAMA_TOKEN_NULL || suf == LLAMA_TOKEN_NULL || mid == LLAMA_TOKEN_NULL) {
        return error_set_param(
            err, ERR_NOT_SUPPORTED, "suffix",
            "This model cannot fill in the middle; leave 'suffix' out, or use a "
            "model made for code completion.");
    }
    if (llama_vocab_get_add_bos(vocab)) tokens_add(ret, llama_vocab_bos(vocab));
    tokens_add(ret, pre);
    if (prompt->tokens) {
        tokens_append(ret, prompt->tokens, prompt->count);
    } else if (!tokens_from_text(ret, vocab, prompt->text, prompt->len, TOKENS_PLAIN, err)) {
        return false;
    }
    tokens_add(ret, suf);
    if (!tokens_from_text(ret, vocab, suffix, strlen(suffix), TOKENS_PLAIN, err)) return false;
    tokens_add(ret, mid);
    return true;
}

struct plan *prompt_plan(const struct prompt_limits *l, const struct request_chat *c,
                         struct error *err) {
    struct chat_input input = { .messages = c->messages,
                                .tools = c->tools,
                                .tool_choice = c->tool_choice,
                                .tool_name = c->tool_name,
                                .schema = c->schema,
                                .kwargs = c->kwargs,
                                .grammar = c->grammar,
                                .chat_template = c->chat_template,
                                .reasoning_effort = c->reasoning_effort,
                                .parallel_tool_calls = c->parallel_tool_calls,
                                .reasoning_budget = (int)c->reasoning_budget,
                                .reasoning_ending = l->model->reasoning_ending,
                                .add_generation_prompt = c->add_generation_prompt,
                                .continue_final_message = c->continue_final_message };
    if (l->model->embeds) {
        error_set(err, ERR_NOT_SUPPORTED,
                  "This model makes embeddings and cannot chat; use a language model.");
        return NULL;
    }
    yyjson_doc *marked = l->pictures ? picture_prompt_messages(l->pictures) : NULL;
    if (marked) input.messages = yyjson_doc_get_root(marked);
    struct plan *plan = plan_new(l->model->templates, &input, err);
    yyjson_doc_free(marked);
    return plan;
}

bool prompt_of_plan(const struct prompt_limits *l, const struct plan *plan, struct tokens *ret,
                    struct error *err) {
    size_t len = 0;
    const char *prompt = plan_prompt(plan, &len);
    if (l->pictures) return picture_prompt_tokens(l->pictures, l->model, prompt, len, ret, err);
    return tokens_from_text(ret, l->model->vocab, prompt, len, PROMPT_MARKS, err);
}

static void cut(const struct prompt_limits *l, enum overflow overflow, struct tokens *tokens) {
    if (overflow == OVERFLOW_STOP || tokens->count < l->length) return;
    tokens->count = overflow_cut(overflow, tokens->data, tokens->count,
                                 overflow_room(l->length));
}

/* Bytes of text that have to become tokens. */
static size_t text_bytes(const struct request *r, const struct plan *plan) {
    size_t len = 0;
    if (plan)
        (void)plan_prompt(plan, &len);
    else if (!r->inputs->tokens)
        len = r->inputs->len;
    return r->suffix ? len + strlen(r->suffix) : len;
}

bool prompt_read(const struct prompt_limits *l, const struct request *r,
                 const struct plan *plan, struct tokens *ret, struct error *err) {
    if (l->model->embeds) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "This model makes embeddings and cannot write; use a language model.");
    }
    if (r->overflow == OVERFLOW_STOP && !may_fit(l, text_bytes(r, plan), "prompt", err))
        return false;
    bool ok = plan        ? prompt_of_plan(l, plan, ret, err)
              : r->suffix ? infill_tokens(l, r->inputs, r->suffix, ret, err)
                          : input_tokens(l, r->inputs, ret, err);
    if (ok) cut(l, r->overflow, ret);
    return ok && not_empty(l, ret, "prompt", err) && fits(l, ret->count, "prompt", err);
}
