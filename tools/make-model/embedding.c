/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "make.h"
#include "vocab.h"

/* llama.cpp's enum llama_pooling_type */
enum pooling { POOLING_MEAN = 1, POOLING_CLS = 2, POOLING_RANK = 4 };

struct bert {
    int64_t layers, embd, heads, ff, context, vocab;
};

static int64_t given_or(int64_t given, int64_t base) {
    return given ? given : base;
}

static void store(const struct bert *bert, enum pooling pooling, struct gguf_file *file) {
    gguf_set_val_u32(file->meta, "general.file_type", 1); /* mostly F16 */
    gguf_file_u32(file, "context_length", (uint32_t)bert->context);
    gguf_file_u32(file, "embedding_length", (uint32_t)bert->embd);
    gguf_file_u32(file, "feed_forward_length", (uint32_t)bert->ff);
    gguf_file_u32(file, "block_count", (uint32_t)bert->layers);
    gguf_file_u32(file, "attention.head_count", (uint32_t)bert->heads);
    gguf_file_f32(file, "attention.layer_norm_epsilon", 1e-12f);
    gguf_set_val_bool(file->meta, "bert.attention.causal", false);
    gguf_file_u32(file, "pooling_type", pooling);
}

static void add_norm(const struct bert *bert, const char *name, int i, struct gguf_file *file) {
    gguf_file_tensor(file, GGML_TYPE_F32, bert->embd, 0, (struct fill){ .value = 1 },
                     "blk.%d.%s.weight", i, name);
    gguf_file_tensor(file, GGML_TYPE_F32, bert->embd, 0, (struct fill){ 0 }, "blk.%d.%s.bias",
                     i, name);
}

static void add_matrix(const char *name, int i, int64_t columns, int64_t rows,
                       struct gguf_file *file) {
    struct fill fill = { .deviation = 1.0f / sqrtf((float)columns) };

    gguf_file_tensor(file, GGML_TYPE_F16, columns, rows, fill, "blk.%d.%s.weight", i, name);
    gguf_file_tensor(file, GGML_TYPE_F32, rows, 0, (struct fill){ 0 }, "blk.%d.%s.bias", i,
                     name);
}

static void add_layer(const struct bert *bert, int i, struct gguf_file *file) {
    int64_t embd = bert->embd;

    add_matrix("attn_q", i, embd, embd, file);
    add_matrix("attn_k", i, embd, embd, file);
    add_matrix("attn_v", i, embd, embd, file);
    add_matrix("attn_output", i, embd, embd, file);
    add_norm(bert, "attn_output_norm", i, file);
    add_matrix("ffn_up", i, embd, bert->ff, file);
    add_matrix("ffn_down", i, bert->ff, embd, file);
    add_norm(bert, "layer_output_norm", i, file);
}

/* Positions count little beside words, so that texts with the same words come out alike. */
static void add_tensors(const struct bert *bert, struct gguf_file *file) {
    int64_t embd = bert->embd;

    gguf_file_tensor(file, GGML_TYPE_F16, embd, bert->vocab, (struct fill){ .deviation = 1 },
                     "token_embd.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, embd, bert->context,
                     (struct fill){ .deviation = 0.2f }, "position_embd.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, embd, 2, (struct fill){ 0 }, "token_types.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, embd, 0, (struct fill){ .value = 1 },
                     "token_embd_norm.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, embd, 0, (struct fill){ 0 }, "token_embd_norm.bias");
    for (int i = 0; i < (int)bert->layers; i++) add_layer(bert, i, file);
}

/* Of the first token's vector, one number. */
static void add_rank_head(const struct bert *bert, struct gguf_file *file) {
    struct fill fill = { .deviation = 1.0f / sqrtf((float)bert->embd) };

    gguf_file_tensor(file, GGML_TYPE_F32, bert->embd, bert->embd, fill, "cls.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, bert->embd, 0, (struct fill){ 0 }, "cls.bias");
    gguf_file_tensor(file, GGML_TYPE_F32, bert->embd, 1, fill, "cls.output.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, 1, 0, (struct fill){ 0 }, "cls.output.bias");
}

static enum pooling pooling_of(const char *word) {
    if (word && strcmp(word, "cls") == 0) return POOLING_CLS;
    return word && strcmp(word, "rank") == 0 ? POOLING_RANK : POOLING_MEAN;
}

static bool fetch_vocab(const char *source, struct gguf_file *file, struct vocab *ret_vocab,
                        struct error *err) {
    if (source && strcmp(source, "small") != 0) {
        if (!vocab_copy(source, file, ret_vocab, err)) return false;
        gguf_set_val_u32(file->meta, "tokenizer.ggml.token_type_count", 2);
        return true;
    }
    vocab_init_wordpiece(ret_vocab);
    vocab_store_wordpiece(ret_vocab, file);
    return true;
}

bool embedding_make(const struct embedding_options *options, struct error *err) {
    struct bert bert = { .layers = given_or(options->layers, 2),
                         .embd = given_or(options->embd, 128),
                         .heads = given_or(options->heads, 4),
                         .ff = given_or(options->ff, 256),
                         .context = given_or(options->context, 512) };
    enum pooling pooling = pooling_of(options->pooling);
    struct gguf_file file;
    struct vocab vocab = { 0 };
    bool ok = false;

    if (bert.embd % bert.heads != 0)
        return error_set_param(err, ERR_INVALID_REQUEST, "embd",
                               "--embd must be a multiple of --heads");
    gguf_file_init(&file, "bert", options->name ? options->name : "doze embedding",
                   (uint64_t)options->seed);
    if (fetch_vocab(options->vocab, &file, &vocab, err)) {
        bert.vocab = (int64_t)vocab.count;
        store(&bert, pooling, &file);
        add_tensors(&bert, &file);
        if (pooling == POOLING_RANK) add_rank_head(&bert, &file);
        ok = gguf_file_write(&file, options->out, err);
    }
    vocab_clear(&vocab);
    gguf_file_clear(&file);
    return ok;
}
