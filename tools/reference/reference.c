/* SPDX-License-Identifier: MIT */
/*
 * reference.c - what the engine's library says by itself, for comparison: a plain context for
 * each prompt, nothing kept, nothing shared, the likeliest token each time.
 *
 *   reference MODEL.gguf generate COUNT <prompts.json    a line of JSON for each prompt:
 *       {"prompt_tokens":n,"pieces":["…"],"gaps":[x,…]}   gap: of the two likeliest logits
 *   reference MODEL.gguf embed <texts.json               {"embedding":[x,…]}
 *
 * Standard input is an array of strings. Pieces are bytes that may be a part of a character, so
 * they are written in hexadecimal.
 */
#include <llama.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "engine/backends.h"

enum { CONTEXT = 4096, THREADS = 2, PIECE_MAX = 512 };

static struct llama_model *model;
static const struct llama_vocab *vocab;

static void die(const char *what) {
    (void)fprintf(stderr, "reference: %s\n", what);
    exit(1);
}

static void keep_quiet(enum ggml_log_level level, const char *text, void *ctx) {
    (void)level, (void)text, (void)ctx;
}

static struct llama_context *context_new(bool embeddings) {
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = CONTEXT;
    params.n_batch = CONTEXT;
    params.n_threads = params.n_threads_batch = THREADS;
    params.embeddings = embeddings;
    if (embeddings) params.n_ubatch = CONTEXT;
    struct llama_context *context = llama_init_from_model(model, params);
    if (!context) die("no context");
    return context;
}

static int32_t tokenize(const char *text, llama_token *ret) {
    int32_t count = llama_tokenize(vocab, text, (int32_t)strlen(text), ret, CONTEXT, true,
                                   true);
    if (count <= 0) die("the prompt does not fit");
    return count;
}

/* ---- generate ---- */

static llama_token likeliest(const float *logits, double *ret_gap) {
    int32_t best = 0, count = llama_vocab_n_tokens(vocab);
    float second = -INFINITY;
    for (int32_t i = 1; i < count; i++) {
        if (logits[i] > logits[best]) {
            second = logits[best];
            best = i;
        } else if (logits[i] > second) {
            second = logits[i];
        }
    }
    *ret_gap = (double)(logits[best] - second);
    return best;
}

static void add_piece(yyjson_mut_doc *doc, yyjson_mut_val *list, llama_token token) {
    char piece[PIECE_MAX], hex[2 * PIECE_MAX + 1] = "";
    int32_t len = llama_token_to_piece(vocab, token, piece, sizeof piece, 0, false);
    for (int32_t i = 0; i < len; i++)
        (void)snprintf(hex + (size_t)i * 2, 3, "%02x", (unsigned char)piece[i]);
    yyjson_mut_arr_add_strcpy(doc, list, hex);
}

static void print(yyjson_mut_doc *doc) {
    char *line = yyjson_mut_write(doc, 0, NULL);
    if (!line) die("no memory");
    puts(line);
    free(line);
    yyjson_mut_doc_free(doc);
}

static void generate(const char *prompt, int count) {
    static llama_token tokens[CONTEXT];
    struct llama_context *context = context_new(false);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    int32_t len = tokenize(prompt, tokens);
    yyjson_mut_obj_add_int(doc, root, "prompt_tokens", len);
    yyjson_mut_val *pieces = yyjson_mut_obj_add_arr(doc, root, "pieces");
    yyjson_mut_val *gaps = yyjson_mut_obj_add_arr(doc, root, "gaps");
    for (int i = 0; i < count; i++) {
        double gap;
        if (llama_decode(context, llama_batch_get_one(tokens, len)) != 0) die("cannot decode");
        tokens[0] = likeliest(llama_get_logits_ith(context, -1), &gap);
        len = 1;
        if (llama_vocab_is_eog(vocab, tokens[0])) break;
        add_piece(doc, pieces, tokens[0]);
        yyjson_mut_arr_add_real(doc, gaps, gap);
    }
    print(doc);
    llama_free(context);
}

/* ---- embed ---- */

static void embed(const char *text) {
    static llama_token tokens[CONTEXT];
    struct llama_context *context = context_new(true);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    int32_t len = tokenize(text, tokens);
    if (llama_encode(context, llama_batch_get_one(tokens, len)) != 0) die("cannot encode");
    const float *values = llama_get_embeddings_seq(context, 0);
    if (!values) die("no embedding");
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "embedding");
    for (int32_t i = 0; i < llama_model_n_embd(model); i++)
        yyjson_mut_arr_add_real(doc, list, (double)values[i]);
    print(doc);
    llama_free(context);
}

/* ---- the program ---- */

static yyjson_doc *read_input(void) {
    yyjson_doc *doc = yyjson_read_fp(stdin, 0, NULL, NULL);
    if (!yyjson_is_arr(yyjson_doc_get_root(doc))) die("standard input is not an array");
    return doc;
}

int main(int argc, char **argv) {
    size_t i, count;
    yyjson_val *text;
    bool embeds = argc == 3 && strcmp(argv[2], "embed") == 0;
    bool generates = argc == 4 && strcmp(argv[2], "generate") == 0;
    if (!embeds && !generates) die("usage: reference MODEL generate COUNT | MODEL embed");
    llama_log_set(keep_quiet, NULL);
    backends_load();
    model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model) die("the model cannot be loaded");
    vocab = llama_model_get_vocab(model);
    yyjson_doc *input = read_input();
    yyjson_arr_foreach(yyjson_doc_get_root(input), i, count, text) {
        if (embeds) embed(yyjson_get_str(text));
        if (generates) generate(yyjson_get_str(text), (int)strtol(argv[3], NULL, 10));
    }
    yyjson_doc_free(input);
    llama_model_free(model);
    return 0;
}
