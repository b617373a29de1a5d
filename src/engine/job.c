/* SPDX-License-Identifier: MIT */
#include "engine/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/engine.h"

static const unsigned PROMPT_MARKS = TOKENS_ADD_SPECIAL | TOKENS_PARSE_SPECIAL;

/* In the words by which clients know that they have to shorten a conversation: LiteLLM and
 * LangChain look for the first half, Claude Code for the second. */
static bool fits(const struct engine *e, size_t count, const char *what, struct error *err) {
    size_t limit = (size_t)e->context.length;
    if (count < limit || (e->model.embeds && count == limit)) return true;
    return error_set(err, ERR_CONTEXT_LENGTH,
                     "This model's maximum context length is %zu tokens, but the %s is too "
                     "long: %zu tokens. Shorten it, or load the model with a larger context "
                     "length.",
                     limit, what, count);
}

/* A prompt without a token begins where any text may begin. */
static bool not_empty(const struct engine *e, struct tokens *tokens, const char *field,
                      struct error *err) {
    if (tokens->count > 0) return true;
    llama_token first = llama_vocab_bos(e->model.vocab);
    if (first == LLAMA_TOKEN_NULL) first = llama_vocab_eos(e->model.vocab);
    if (first == LLAMA_TOKEN_NULL) {
        return error_set_param(err, ERR_INVALID_REQUEST, field, "'%s' is empty.", field);
    }
    tokens_add(tokens, first);
    return true;
}

static bool input_tokens(const struct engine *e, const struct input *input, struct tokens *ret,
                         struct error *err) {
    if (input->tokens) {
        tokens_append(ret, input->tokens, input->count);
        return true;
    }
    return tokens_from_text(ret, e->model.vocab, input->text, input->len, PROMPT_MARKS, err);
}

bool job_read_input(struct engine *engine, const struct input *input, struct tokens *ret,
                    struct error *err) {
    tokens_cut(ret, 0);
    return input_tokens(engine, input, ret, err) && not_empty(engine, ret, "input", err) &&
           fits(engine, ret->count, "input", err);
}

/* Fill-in-the-middle: prefix and suffix between the model's own markers, the answer follows. */
static bool infill_tokens(const struct engine *e, const struct input *prompt,
                          const char *suffix, struct tokens *ret, struct error *err) {
    const struct llama_vocab *vocab = e->model.vocab;
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

struct chat *job_new_chat(struct engine *engine, const struct request_chat *c,
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
                                .reasoning_ending = engine->model.reasoning_ending,
                                .add_generation_prompt = c->add_generation_prompt };
    if (engine->model.embeds) {
        error_set(err, ERR_NOT_SUPPORTED,
                  "This model makes embeddings and cannot chat; use a language model.");
        return NULL;
    }
    return chat_new(engine->model.templates, &input, err);
}

bool job_chat_tokens(const struct engine *engine, const struct chat *chat, struct tokens *ret,
                     struct error *err) {
    size_t len = 0;
    const char *prompt = chat_prompt(chat, &len);
    return tokens_from_text(ret, engine->model.vocab, prompt, len, PROMPT_MARKS, err);
}

static bool chat_tokens(struct engine *e, struct job *job, struct error *err) {
    job->chat = job_new_chat(e, &job->request.chat, err);
    return job->chat && job_chat_tokens(e, job->chat, &job->prompt, err);
}

static void cut_prompt(const struct engine *e, struct job *job) {
    size_t length = (size_t)e->context.length;
    enum overflow overflow = job->request.overflow;
    if (overflow == OVERFLOW_STOP || job->prompt.count < length) return;
    job->prompt.count = overflow_cut(overflow, job->prompt.data, job->prompt.count,
                                     overflow_room(length));
}

static bool read_prompt(struct engine *e, struct job *job, struct error *err) {
    const struct request *r = &job->request;
    if (e->model.embeds) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "This model makes embeddings and cannot write; use a language model.");
    }
    bool ok = r->op == REQUEST_CHAT ? chat_tokens(e, job, err)
              : r->suffix           ? infill_tokens(e, r->inputs, r->suffix, &job->prompt, err)
                                    : input_tokens(e, r->inputs, &job->prompt, err);
    if (ok) cut_prompt(e, job);
    return ok && not_empty(e, &job->prompt, "prompt", err) &&
           fits(e, job->prompt.count, "prompt", err);
}

static bool read_inputs(struct engine *e, struct job *job, struct error *err) {
    struct tokens tokens = { 0 };
    bool ok = true;
    for (size_t i = 0; ok && i < job->request.input_count; i++) {
        ok = job_read_input(e, &job->request.inputs[i], &tokens, err);
        job->prompt_tokens += tokens.count;
    }
    tokens_clear(&tokens);
    return ok;
}

struct job *job_new(struct engine *engine, uint64_t id, struct request *request,
                    struct error *err) {
    struct job *job = xcalloc(1, sizeof *job);
    job->id = id;
    job->received = clock_boottime_usec();
    job->vocab = engine->model.vocab;
    job->request = *request;
    *request = (struct request){ 0 };
    bool embedding = job->request.op == REQUEST_EMBEDDING;
    if (!(embedding ? read_inputs(engine, job, err) : read_prompt(engine, job, err))) {
        job_free(job);
        return NULL;
    }
    output_init(&job->output, &engine->link, id, job->chat, &job->request.sampling.stops);
    if (embedding) return job;
    job->prompt_tokens = job->prompt.count;
    job->sampler = sampler_new(&job->request.sampling, engine->model.vocab, job->prompt.data,
                               job->prompt.count);
    return job;
}

void job_free(struct job *job) {
    if (job->sampler) llama_sampler_free(job->sampler);
    output_clear(&job->output);
    if (job->chat) chat_free(job->chat);
    tokens_clear(&job->prompt);
    request_clear(&job->request);
    free(job);
}

void job_queue_init(struct job_queue *queue) {
    queue->first = NULL;
    queue->end = &queue->first;
}

void job_queue_add(struct job_queue *queue, struct job *job) {
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
}

struct job **job_queue_find(struct job_queue *queue, uint64_t request) {
    struct job **at = &queue->first;
    while (*at && (*at)->id != request) at = &(*at)->next;
    return at;
}

struct job *job_queue_take(struct job_queue *queue, struct job **at) {
    struct job *job = *at;
    *at = job->next;
    if (queue->end == &job->next) queue->end = at;
    job->next = NULL;
    return job;
}
