/* SPDX-License-Identifier: MIT */
/*
 * shape.h - how large a decoder model is, and its keys and tensors.
 */
#ifndef DOZE_TOOLS_SHAPE_H
#define DOZE_TOOLS_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "gguf_file.h"

struct shape {
    /* "llama", "qwen2" (biases on q, k and v), "gemma3" (sliding windows but for every sixth
     * layer), "mamba" (no attention), "jamba" (every other layer is Mamba's) */
    const char *arch;
    int64_t layers, embd, heads, kv_heads, ff;
    int64_t context; /* tokens */
    int64_t window;  /* tokens of a sliding window; 0: none, or gemma3's default */
    enum ggml_type type;
};

/* What the layers compute. */
struct layer_fills {
    struct fill qk, v, out; /* attention: queries and keys, values, output */
    struct fill gate_up, down;
};

/* Fails naming the option at fault. */
bool shape_check(const struct shape *shape, struct error *err);

/* Choose layers, embd, heads, kv_heads and ff so that a file with this vocabulary comes near to
 * `bytes`. type is taken from the shape. Fails if even the smallest shape is larger. */
bool shape_for_size(struct shape *shape, int64_t bytes, int64_t vocab, struct error *err);

/* Write the hyperparameters' keys. */
void shape_store(const struct shape *shape, int64_t vocab, struct gguf_file *file);

/* Add the tensors of all layers and the output norm; embedding and output are the caller's. */
void shape_add_layers(const struct shape *shape, const struct layer_fills *fills,
                      struct gguf_file *file);

#endif
