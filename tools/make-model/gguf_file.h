/* SPDX-License-Identifier: MIT */
/*
 * gguf_file.h - a GGUF file under construction: keys, and tensors that are computed row by row.
 *
 * Tensor data never stands in memory as a whole, so files of many gigabytes can be made. The
 * file appears under its name only when it is complete.
 */
#ifndef DOZE_TOOLS_GGUF_FILE_H
#define DOZE_TOOLS_GGUF_FILE_H

#include <ggml.h>
#include <gguf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* How the values of a tensor come about. */
struct fill {
    /* Compute one row of n values; NULL: all values are `value`. */
    void (*row)(const void *ctx, int64_t row, float *out, int64_t n);
    const void *ctx; /* borrowed until gguf_file_write returns */
    float value;
    float deviation; /* without row: not 0 means normally distributed around 0, from the seed */
};

struct gguf_file {
    struct gguf_context *meta;
    char arch[32];
    uint64_t seed;
    struct fill *fills; /* one per tensor, in the order they were added */
    size_t count;
};

/* A file of the given architecture ("llama", "qwen2", "bert") and general.name. */
void gguf_file_init(struct gguf_file *file, const char *arch, const char *name, uint64_t seed);
void gguf_file_clear(struct gguf_file *file);

/* Set "<arch>.<key>". */
void gguf_file_u32(struct gguf_file *file, const char *key, uint32_t value);
void gguf_file_f32(struct gguf_file *file, const char *key, float value);

/* Add a matrix of `rows` rows, or a vector (rows 0, always f32). The columns have to be a
 * multiple of the type's block size. */
void gguf_file_tensor(struct gguf_file *file, enum ggml_type type, int64_t columns,
                      int64_t rows, struct fill fill, const char *name, ...)
    __attribute__((format(printf, 6, 7)));

/* Add a kernel of side x side for each pair of channels, f32. */
void gguf_file_kernel(struct gguf_file *file, int64_t side, int64_t in, int64_t out,
                      struct fill fill, const char *name);

/* Write everything to path. Fails with ERR_IO. */
bool gguf_file_write(const struct gguf_file *file, const char *path, struct error *err);

#endif
