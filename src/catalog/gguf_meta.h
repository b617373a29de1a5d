/* SPDX-License-Identifier: MIT */
/*
 * gguf_meta.h - what the catalog reads from the header of a GGUF file.
 *
 * Reads versions 2 and 3, little endian: magic, key-value pairs and tensor index, never the
 * weights. Pure, and safe with hostile files: every count is checked against the bytes present
 * before anything is stored, and what is stored has a fixed maximum.
 * The format is described at the top of ggml's gguf.h.
 */
#ifndef DOZE_CATALOG_GGUF_META_H
#define DOZE_CATALOG_GGUF_META_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/msec.h"
#include "catalog/gguf_cursor.h"

/* Numbers that the file does not have are 0, or -1 where noted; strings are "". */
struct gguf_meta {
    char architecture[64];
    char name[192];       /* general.name; may be cut off, may not be UTF-8 */
    char license[64];     /* general.license: "apache-2.0", as its author writes it */
    char kind[32];        /* general.type: "model", "adapter", "mmproj", "imatrix", ... */
    char tokenizer[16];   /* tokenizer.ggml.model: "gpt2" (BPE), "llama" (SentencePiece), ... */
    int64_t file_type;    /* -1: absent */
    int64_t pooling_type; /* -1: absent; 0 none, 1 mean, 2 cls, 3 last, 4 rank */
    int64_t context_length, layers, embedding_length;
    int64_t heads;    /* where layers differ: the largest */
    int64_t kv_heads; /* where layers differ: the mean, rounded up */
    int64_t key_length, value_length;
    int64_t position_sections; /* not 0: a position is several numbers (M-RoPE) */
    uint64_t longest_token;    /* bytes, as it is written in the file */
    uint64_t vocabulary;       /* tokens */
    uint64_t vocabulary_print; /* equal for the same beginning of it */
    uint64_t parameters;       /* elements of all tensors */
    nbytes tensor_bytes;
    const char *main_type; /* the tensor type that holds most elements; "" without tensors */
    bool has_chat_template, tool_use, reasoning;
    bool infill; /* has marks for a text with a gap */
};

/* A pair of the header. */
struct gguf_value {
    enum { GGUF_INTEGER, GGUF_REAL, GGUF_BOOL, GGUF_TEXT, GGUF_ARRAY } kind;
    int64_t integer;  /* of GGUF_BOOL: 0 or 1 */
    double real;      /* may be no number */
    bool single;      /* of GGUF_REAL: it has 32 bits, not 64 */
    const char *text; /* may be cut off, may not be UTF-8; ends with NUL */
    size_t len;
};
/* One entry of the tensor index. */
struct gguf_tensor {
    const char *name; /* may be cut off, may not be UTF-8 */
    uint64_t columns; /* the size of the first dimension */
    uint64_t rows;    /* ... of the second; 1 if there is none */
};
struct gguf_visitor {
    /* Every pair in the file's order; arrays without what they hold. Borrowed for the call, as
     * tensors are. NULL: nobody looks. */
    void (*on_pair)(void *ctx, const char *key, const struct gguf_value *value);
    void (*on_tensor)(void *ctx, const struct gguf_tensor *tensor);
    void *ctx;
};

/* The visitor sees every pair and tensor; NULL: nobody does. On failure the error says what is
 * wrong with the file, and *ret_meta has what was read until then, so that a truncated file
 * still has its name and architecture. Fails with ERR_LOAD_FAILED (the file is bad) or
 * ERR_IO. */
bool gguf_meta_visit(const struct gguf_source *source, const struct gguf_visitor *visitor,
                     struct gguf_meta *ret_meta, struct error *err);

#endif
