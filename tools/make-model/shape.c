/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include <stdio.h>
#include <string.h>

#include "ssm.h"

enum { MAX_LAYERS = 512 }; /* as --layers says */
enum { HEAD = 64 };        /* columns of a head where we choose the shape */

static bool check(bool ok, const char *option, const char *rule, struct error *err) {
    return ok || error_set_param(err, ERR_INVALID_REQUEST, option, "--%s %s", option, rule);
}

bool shape_check(const struct shape *shape, struct error *err) {
    int64_t block = ggml_blck_size(shape->type);

    return check(shape->embd % shape->heads == 0, "embd", "must be a multiple of --heads",
                 err) &&
           check(shape->embd / shape->heads % 2 == 0, "heads",
                 "must leave each head an even number of columns (embd / heads)", err) &&
           check(shape->heads % shape->kv_heads == 0, "kv-heads", "must divide --heads", err) &&
           check(shape->embd % block == 0, "embd", "must be a multiple of 32 for this --type",
                 err) &&
           check(shape->ff % block == 0, "ff", "must be a multiple of 32 for this --type", err);
}

static int64_t kv_columns(const struct shape *shape) {
    return shape->embd / shape->heads * shape->kv_heads;
}

static int64_t matrix_bytes(const struct shape *shape, int64_t columns, int64_t rows) {
    return (int64_t)ggml_row_size(shape->type, columns) * rows;
}

static int64_t layer_bytes(const struct shape *shape) {
    int64_t embd = shape->embd;

    return matrix_bytes(shape, embd, 2 * embd + 2 * kv_columns(shape)) +
           matrix_bytes(shape, embd, 2 * shape->ff) + matrix_bytes(shape, shape->ff, embd) +
           8 * embd;
}

/* Real models grow in width and depth together: about one layer for every 64 columns, and heads
 * share keys and values in groups of four. */
static void shape_of_width(struct shape *shape, int64_t embd) {
    shape->embd = embd;
    shape->heads = embd / HEAD;
    shape->kv_heads = shape->heads % 4 == 0 ? shape->heads / 4 : shape->heads;
    shape->ff = embd * 3;
}

bool shape_for_size(struct shape *shape, int64_t bytes, int64_t vocab, struct error *err) {
    shape->layers = 0;
    for (int64_t embd = HEAD; embd <= 8192; embd += HEAD) {
        struct shape wider = *shape;
        int64_t rest;

        shape_of_width(&wider, embd);
        rest = bytes - 2 * matrix_bytes(&wider, embd, vocab);
        wider.layers = (rest + layer_bytes(&wider) / 2) / layer_bytes(&wider);
        if (wider.layers < 1 || (shape->layers && wider.layers < embd / HEAD)) break;
        if (wider.layers <= MAX_LAYERS) *shape = wider;
    }
    if (!shape->layers)
        return error_set_param(err, ERR_INVALID_REQUEST, "size",
                               "--size is too small for this vocabulary (or too large); give "
                               "another size or --vocab small");
    return true;
}

/* general.file_type: llama.cpp's number for "mostly this type" (enum llama_ftype). */
static uint32_t file_type_of(enum ggml_type type) {
    if (type == GGML_TYPE_F32) return 0;
    if (type == GGML_TYPE_Q4_0) return 2;
    return type == GGML_TYPE_Q8_0 ? 7 : 1;
}

/* Layers without attention have none. */
static void store_kv_heads(const struct shape *shape, struct gguf_file *file) {
    uint32_t heads[MAX_LAYERS];
    char key[64];

    for (int i = 0; i < (int)shape->layers; i++) {
        heads[i] = ssm_is(shape, i) ? 0 : (uint32_t)shape->kv_heads;
    }
    (void)snprintf(key, sizeof key, "%s.attention.head_count_kv", shape->arch);
    if (ssm_is(shape, 0)) {
        gguf_set_arr_data(file->meta, key, GGUF_TYPE_UINT32, heads, (size_t)shape->layers);
    } else {
        gguf_set_val_u32(file->meta, key, (uint32_t)shape->kv_heads);
    }
}

void shape_store(const struct shape *shape, int64_t vocab, struct gguf_file *file) {
    gguf_set_val_u32(file->meta, "general.file_type", file_type_of(shape->type));
    gguf_file_u32(file, "vocab_size", (uint32_t)vocab);
    gguf_file_u32(file, "context_length", (uint32_t)shape->context);
    gguf_file_u32(file, "embedding_length", (uint32_t)shape->embd);
    gguf_file_u32(file, "block_count", (uint32_t)shape->layers);
    gguf_file_u32(file, "feed_forward_length", (uint32_t)shape->ff);
    gguf_file_u32(file, "attention.head_count", (uint32_t)shape->heads);
    store_kv_heads(shape, file);
    gguf_file_u32(file, "rope.dimension_count", (uint32_t)(shape->embd / shape->heads));
    gguf_file_f32(file, "rope.freq_base", 10000.0f);
    gguf_file_f32(file, "attention.layer_norm_rms_epsilon", 1e-5f);
    if (shape->window) gguf_file_u32(file, "attention.sliding_window", (uint32_t)shape->window);
    ssm_store(shape, file);
}

static bool is_arch(const struct shape *shape, const char *arch) {
    return strcmp(shape->arch, arch) == 0;
}

static void add_attention(const struct shape *shape, const struct layer_fills *fills, int i,
                          struct gguf_file *file) {
    const struct fill one = { .value = 1 }, zero = { 0 };
    int64_t embd = shape->embd, kv = kv_columns(shape), head = embd / shape->heads;
    enum ggml_type type = shape->type;

    gguf_file_tensor(file, type, embd, embd, fills->qk, "blk.%d.attn_q.weight", i);
    gguf_file_tensor(file, type, embd, kv, fills->qk, "blk.%d.attn_k.weight", i);
    gguf_file_tensor(file, type, embd, kv, fills->v, "blk.%d.attn_v.weight", i);
    if (is_arch(shape, "qwen2")) {
        gguf_file_tensor(file, type, embd, 0, zero, "blk.%d.attn_q.bias", i);
        gguf_file_tensor(file, type, kv, 0, zero, "blk.%d.attn_k.bias", i);
        gguf_file_tensor(file, type, kv, 0, zero, "blk.%d.attn_v.bias", i);
    }
    gguf_file_tensor(file, type, embd, embd, fills->out, "blk.%d.attn_output.weight", i);
    if (is_arch(shape, "gemma3")) {
        gguf_file_tensor(file, type, head, 0, one, "blk.%d.attn_q_norm.weight", i);
        gguf_file_tensor(file, type, head, 0, one, "blk.%d.attn_k_norm.weight", i);
        gguf_file_tensor(file, type, embd, 0, one, "blk.%d.post_attention_norm.weight", i);
    }
}

static void add_feed_forward(const struct shape *shape, const struct layer_fills *fills, int i,
                             struct gguf_file *file) {
    const struct fill one = { .value = 1 };
    int64_t embd = shape->embd;
    enum ggml_type type = shape->type;

    gguf_file_tensor(file, type, embd, 0, one, "blk.%d.ffn_norm.weight", i);
    gguf_file_tensor(file, type, embd, shape->ff, fills->gate_up, "blk.%d.ffn_gate.weight", i);
    gguf_file_tensor(file, type, embd, shape->ff, fills->gate_up, "blk.%d.ffn_up.weight", i);
    gguf_file_tensor(file, type, shape->ff, embd, fills->down, "blk.%d.ffn_down.weight", i);
    if (is_arch(shape, "gemma3")) {
        gguf_file_tensor(file, type, embd, 0, one, "blk.%d.post_ffw_norm.weight", i);
    }
}

static void add_layer(const struct shape *shape, const struct layer_fills *fills, int i,
                      struct gguf_file *file) {
    gguf_file_tensor(file, shape->type, shape->embd, 0, (struct fill){ .value = 1 },
                     "blk.%d.attn_norm.weight", i);
    if (ssm_is(shape, i))
        ssm_add(shape, fills, i, file);
    else
        add_attention(shape, fills, i, file);
    if (!is_arch(shape, "mamba")) add_feed_forward(shape, fills, i, file);
}

void shape_add_layers(const struct shape *shape, const struct layer_fills *fills,
                      struct gguf_file *file) {
    for (int i = 0; i < (int)shape->layers; i++) add_layer(shape, fills, i, file);
    gguf_file_tensor(file, shape->type, shape->embd, 0, (struct fill){ .value = 1 },
                     "output_norm.weight");
}
