/* SPDX-License-Identifier: MIT */
/*
 * A vision encoder as clip.cpp reads it, as small as it can be: a layer or two, pictures of 64
 * x 64 pixels in patches of 8 x 8. What comes out depends on the picture and has the deviation
 * of the embeddings of random_model.c.
 */
#include <math.h>
#include <string.h>

#include "gguf_file.h"
#include "make.h"

enum { SIDE = 64, PATCH = 8, PATCHES = (SIDE / PATCH) * (SIDE / PATCH), COLORS = 3 };
enum { EMBD = 32, FF = 64, HEADS = 4, LAYERS = 2, DEFAULT_TEXT_EMBD = 128, MERGE = 2 };

static void store(struct gguf_file *file, const char *kind, int64_t text_embd) {
    static const float half[COLORS] = { 0.5f, 0.5f, 0.5f };

    gguf_set_val_str(file->meta, "general.type", "mmproj");
    gguf_set_val_str(file->meta, "clip.projector_type", kind);
    gguf_set_val_bool(file->meta, "clip.has_vision_encoder", true);
    gguf_set_val_bool(file->meta, "clip.use_gelu", true);
    gguf_file_u32(file, "vision.image_size", SIDE);
    gguf_file_u32(file, "vision.patch_size", PATCH);
    gguf_file_u32(file, "vision.embedding_length", EMBD);
    gguf_file_u32(file, "vision.feed_forward_length", FF);
    gguf_file_u32(file, "vision.block_count", LAYERS);
    gguf_file_u32(file, "vision.attention.head_count", HEADS);
    gguf_file_u32(file, "vision.projection_dim", (uint32_t)text_embd);
    gguf_file_f32(file, "vision.attention.layer_norm_epsilon", 1e-6f);
    gguf_file_u32(file, "vision.projector.scale_factor", MERGE);
    gguf_set_arr_data(file->meta, "clip.vision.image_mean", GGUF_TYPE_FLOAT32, half, COLORS);
    gguf_set_arr_data(file->meta, "clip.vision.image_std", GGUF_TYPE_FLOAT32, half, COLORS);
}

static struct fill shared(int64_t inputs) {
    return (struct fill){ .deviation = 1.0f / sqrtf((float)inputs) };
}

static void add_matrix(struct gguf_file *file, const char *name, int layer, int64_t columns,
                       int64_t rows) {
    gguf_file_tensor(file, GGML_TYPE_F32, columns, rows, shared(columns), "v.blk.%d.%s.weight",
                     layer, name);
    gguf_file_tensor(file, GGML_TYPE_F32, rows, 0, (struct fill){ 0 }, "v.blk.%d.%s.bias",
                     layer, name);
}

static void add_norm(struct gguf_file *file, const char *name, int layer) {
    gguf_file_tensor(file, GGML_TYPE_F32, EMBD, 0, (struct fill){ .value = 1 },
                     "v.blk.%d.%s.weight", layer, name);
    gguf_file_tensor(file, GGML_TYPE_F32, EMBD, 0, (struct fill){ 0 }, "v.blk.%d.%s.bias",
                     layer, name);
}

static void add_layer(struct gguf_file *file, int layer) {
    static const char *const square[] = { "attn_q", "attn_k", "attn_v", "attn_out" };

    for (size_t i = 0; i < sizeof square / sizeof *square; i++)
        add_matrix(file, square[i], layer, EMBD, EMBD);
    add_matrix(file, "ffn_up", layer, EMBD, FF);
    add_matrix(file, "ffn_down", layer, FF, EMBD);
    add_norm(file, "ln1", layer);
    add_norm(file, "ln2", layer);
}

/* From the encoder's columns to those of the model. */
static void add_bridge(struct gguf_file *file, const char *kind, int64_t text_embd) {
    if (strcmp(kind, "gemma3") == 0) { /* turned by 90 degrees */
        gguf_file_tensor(file, GGML_TYPE_F32, text_embd, EMBD, shared(EMBD),
                         "mm.input_projection.weight");
        gguf_file_tensor(file, GGML_TYPE_F32, EMBD, 0, (struct fill){ .value = 1 },
                         "mm.soft_emb_norm.weight");
        return;
    }
    gguf_file_tensor(file, GGML_TYPE_F32, EMBD, text_embd, shared(EMBD), "mm.0.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, text_embd, 0, (struct fill){ 0 }, "mm.0.bias");
    gguf_file_tensor(file, GGML_TYPE_F32, text_embd, text_embd, shared(text_embd / 4),
                     "mm.2.weight");
    gguf_file_tensor(file, GGML_TYPE_F32, text_embd, 0, (struct fill){ 0 }, "mm.2.bias");
}

bool projector_make(const struct projector_options *options, struct error *err) {
    const char *kind = options->kind ? options->kind : "mlp";
    int64_t text_embd = options->embd ? options->embd : DEFAULT_TEXT_EMBD;
    struct gguf_file file;

    gguf_file_init(&file, "clip", "doze projector", (uint64_t)options->seed);
    store(&file, kind, text_embd);
    gguf_file_kernel(&file, PATCH, COLORS, EMBD, shared(PATCH * PATCH), "v.patch_embd.weight");
    gguf_file_tensor(&file, GGML_TYPE_F32, EMBD, PATCHES, (struct fill){ .deviation = 0.5f },
                     "v.position_embd.weight");
    for (int i = 0; i < LAYERS; i++) add_layer(&file, i);
    add_bridge(&file, kind, text_embd);
    bool ok = gguf_file_write(&file, options->out, err);
    gguf_file_clear(&file);
    return ok;
}
