/* SPDX-License-Identifier: MIT */
/*
 * floor - loads a model and makes the first token of an answer, by plain calls of libllama:
 * what no server on this library can undercut. The benchmarks measure it from spawn to its line
 * of output.
 *
 *   floor MODEL THREADS PROMPT
 *
 * PROMPT is text as it comes out of a chat template, control tokens by their names.
 * The weights are mapped, not repacked; the context has room for the prompt and no more. Prints
 * one line of JSON: what each step took, in milliseconds. Exit code: 0 done, 1 failed, 2 usage.
 */
#include <llama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "engine/backends.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, MAX_THREADS = 1024, SPECIAL_ROOM = 2 };

struct prompt {
    llama_token *tokens;
    int32_t count;
};

static double now_ms(void) {
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void on_log(enum ggml_log_level level, const char *text, void *ctx) {
    (void)ctx;
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

static bool complain(const char *what) {
    fprintf(stderr, "floor: %s\n", what);
    return false;
}

static struct llama_model *load_model(const char *path) {
    struct llama_model_params params = llama_model_default_params();

    params.use_extra_bufts = false;
    return llama_model_load_from_file(path, params);
}

/* ret->tokens: the caller frees, also when this fails. */
static bool tokenize(const struct llama_model *model, const char *text, struct prompt *ret) {
    const int32_t length = (int32_t)strlen(text), room = length + SPECIAL_ROOM;

    ret->tokens = xcalloc((size_t)room, sizeof *ret->tokens);
    ret->count = llama_tokenize(llama_model_get_vocab(model), text, length, ret->tokens, room,
                                true, true);
    return ret->count > 0;
}

static struct llama_context *new_context(struct llama_model *model, int32_t tokens,
                                         int32_t threads) {
    struct llama_context_params params = llama_context_default_params();

    params.n_ctx = (uint32_t)tokens + 1;
    params.n_threads = params.n_threads_batch = threads;
    return llama_init_from_model(model, params);
}

/* Processes the whole prompt; the likeliest token after it, negative if that fails. */
static llama_token first_token(struct llama_context *context, const struct prompt *prompt) {
    const int32_t batch = (int32_t)llama_n_batch(context);
    const struct llama_vocab *vocab = llama_model_get_vocab(llama_get_model(context));
    const float *logits;
    llama_token best = 0;

    for (int32_t at = 0; at < prompt->count; at += batch) {
        int32_t count = prompt->count - at < batch ? prompt->count - at : batch;

        if (llama_decode(context, llama_batch_get_one(prompt->tokens + at, count)) != 0)
            return -1;
    }
    logits = llama_get_logits_ith(context, -1);
    for (llama_token i = 1; i < llama_vocab_n_tokens(vocab); i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

static bool run(const char *path, int32_t threads, const char *text) {
    double start = now_ms(), libraries, loaded, ready, answered;
    struct llama_model *model;
    struct llama_context *context;
    struct prompt prompt = { 0 };
    llama_token token;

    llama_log_set(on_log, NULL);
    backends_load();
    libraries = now_ms();
    model = load_model(path);
    if (!model) return complain("cannot load the model");
    loaded = now_ms();
    if (!tokenize(model, text, &prompt)) return complain("cannot tokenize the prompt");
    context = new_context(model, prompt.count, threads);
    if (!context) return complain("cannot make a context");
    ready = now_ms();
    token = first_token(context, &prompt);
    if (token < 0) return complain("decoding failed");
    answered = now_ms();
    printf("{\"libraries_ms\":%.2f,\"model_ms\":%.2f,\"context_ms\":%.2f,\"prompt_ms\":%.2f,"
           "\"prompt_tokens\":%d,\"token\":%d}\n",
           libraries - start, loaded - libraries, ready - loaded, answered - ready,
           prompt.count, token);
    (void)fflush(stdout);
    free(prompt.tokens);
    llama_free(context);
    llama_model_free(model);
    return true;
}

int main(int argc, char **argv) {
    long threads = argc == 4 ? strtol(argv[2], NULL, 10) : 0;

    if (threads < 1 || threads > MAX_THREADS) {
        fputs("usage: floor MODEL THREADS PROMPT\n", stderr);
        return EXIT_USAGE;
    }
    return run(argv[1], (int32_t)threads, argv[3]) ? 0 : EXIT_FAILED;
}
