/* SPDX-License-Identifier: MIT */
/* gguf_writer.h - GGUF headers by hand, for tests: whole ones and broken ones. */
#ifndef DOZE_TESTS_GGUF_WRITER_H
#define DOZE_TESTS_GGUF_WRITER_H

#include <stdint.h>

#include "base/buf.h"

enum {
    W_UINT8,
    W_UINT32 = 4,
    W_INT32 = 5,
    W_FLOAT32 = 6,
    W_STRING = 8,
    W_ARRAY = 9,
    W_UINT64 = 10
};

void put_u32(struct buf *out, uint32_t n);
void put_u64(struct buf *out, uint64_t n);
void put_string(struct buf *out, const char *text);

/* Magic, version 3, counts. */
void put_header(struct buf *out, uint64_t tensors, uint64_t pairs);

void put_text_pair(struct buf *out, const char *key, const char *text);
void put_u32_pair(struct buf *out, const char *key, uint32_t n);

/* A vocabulary of count tokens "token". */
void put_vocabulary(struct buf *out, uint32_t count);

/* One entry of the index. */
void put_tensor(struct buf *out, const char *name, uint64_t columns, uint64_t rows,
                uint32_t type, uint64_t offset);

/* Zeros up to the next multiple of 32, then len more. */
void put_data(struct buf *out, size_t len);

/* The metadata of a small model; fields that are 0 or NULL are left out. */
struct small_model {
    const char *architecture, *name, *license, *kind, *chat_template;
    uint32_t file_type; /* + 1, so that 0 is "left out" */
    uint32_t pooling_type;
    uint32_t vocabulary;
};

/* A whole file: 2 layers, embedding 64, 4 heads of which 2 for KV, context 2048, and one F16
 * tensor of 64 x 100. */
void put_small_model(struct buf *out, const struct small_model *model);

#endif
