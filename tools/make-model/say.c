/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <llama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/backends.h"

enum { CELLS = 4096, TOKENS_DEFAULT = 64 };

struct run {
    struct llama_model *model;
    struct llama_context *context;
    const struct llama_vocab *vocab;
    llama_token tokens[CELLS];
    int32_t count; /* of the prompt */
};

static char last_complaint[256];

static void on_log(enum ggml_log_level level, const char *text, void *ctx) {
    (void)ctx;
    if (level == GGML_LOG_LEVEL_ERROR && !strstr(text, "failed to load model"))
        (void)snprintf(last_complaint, sizeof last_complaint, "%.*s", (int)strcspn(text, "\n"),
                       text);
}

static bool on_progress(float progress, void *ctx) {
    (void)progress;
    (void)ctx;
    return true;
}

static void load_backends(void) {
    static bool loaded;

    if (loaded) return;
    loaded = true;
    llama_log_set(on_log, NULL);
    backends_load();
}

static void run_close(struct run *run) {
    if (run->context) llama_free(run->context);
    if (run->model) llama_model_free(run->model);
}

static bool run_open(const struct say_options *options, bool vector, struct run *run,
                     struct error *err) {
    struct llama_model_params model = llama_model_default_params();
    struct llama_context_params context = llama_context_default_params();
    int32_t trained;

    load_backends();
    model.use_extra_bufts = false;
    model.progress_callback = on_progress;
    run->model = llama_model_load_from_file(options->model, model);
    if (!run->model)
        return error_set(err, ERR_LOAD_FAILED, "cannot load %s: %s", options->model,
                         last_complaint);
    trained = llama_model_n_ctx_train(run->model);
    context.n_ctx = context.n_batch = context.n_ubatch = (uint32_t)(trained < CELLS ? trained
                                                                                    : CELLS);
    context.n_threads = context.n_threads_batch = 1; /* more would spin where cores are busy */
    context.embeddings = vector;
    run->context = llama_init_from_model(run->model, context);
    if (!run->context)
        return error_set(err, ERR_LOAD_FAILED, "no context for %s: %s", options->model,
                         last_complaint);
    run->vocab = llama_model_get_vocab(run->model);
    run->count = llama_tokenize(run->vocab, options->prompt, (int32_t)strlen(options->prompt),
                                run->tokens, (int32_t)context.n_ctx, true, true);
    if (run->count < 1)
        return error_set(err, ERR_CONTEXT_LENGTH, "the prompt is empty or does not fit");
    return true;
}

static bool run_adapt(const struct say_options *options, struct run *run, struct error *err) {
    float scale = (float)options->scale;

    if (!options->adapter) return true;
    struct llama_adapter_lora *adapter = llama_adapter_lora_init(run->model, options->adapter);
    return (adapter && llama_set_adapters_lora(run->context, &adapter, 1, &scale) == 0) ||
           error_set(err, ERR_LOAD_FAILED, "cannot apply %s: %s", options->adapter,
                     last_complaint);
}

static llama_token likeliest(struct run *run) {
    const float *logits = llama_get_logits_ith(run->context, -1);
    llama_token best = 0;

    for (llama_token i = 1; i < llama_vocab_n_tokens(run->vocab); i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

static bool talk(struct run *run, int64_t tokens, struct buf *out, bool *ret_ended,
                 struct error *err) {
    *ret_ended = false;
    for (int64_t i = 0; i < tokens; i++) {
        char piece[1024];
        int32_t len;

        if (llama_decode(run->context, llama_batch_get_one(run->tokens, run->count)) != 0)
            return error_set(err, ERR_INTERNAL, "decoding failed: %s", last_complaint);
        run->tokens[0] = likeliest(run);
        run->count = 1;
        *ret_ended = llama_vocab_is_eog(run->vocab, run->tokens[0]);
        if (*ret_ended) return true;
        len = llama_token_to_piece(run->vocab, run->tokens[0], piece, sizeof piece, 0, true);
        if (len < 0 || !buf_add(out, piece, (size_t)len))
            return error_set(err, ERR_TOO_LARGE, "a token or the text is too long");
    }
    return true;
}

bool say_text(const struct say_options *options, struct buf *out, bool *ret_ended,
              struct error *err) {
    struct run run = { 0 };
    bool ok = run_open(options, false, &run, err) && run_adapt(options, &run, err) &&
              talk(&run, options->tokens ? options->tokens : TOKENS_DEFAULT, out, ret_ended,
                   err);

    run_close(&run);
    return ok;
}

float *say_vector(const struct say_options *options, int32_t *ret_length, struct error *err) {
    struct run run = { 0 };
    const float *pooled = NULL;
    float *vector = NULL;

    if (run_open(options, true, &run, err)) {
        if (llama_decode(run.context, llama_batch_get_one(run.tokens, run.count)) == 0)
            pooled = llama_get_embeddings_seq(run.context, 0);
        if (!pooled)
            (void)error_set(err, ERR_NOT_SUPPORTED, "%s pools no vectors", options->model);
    }
    if (pooled) {
        *ret_length = llama_model_n_embd(run.model);
        vector = xcalloc((size_t)*ret_length, sizeof *vector);
        memcpy(vector, pooled, (size_t)*ret_length * sizeof *vector);
    }
    run_close(&run);
    return vector;
}
