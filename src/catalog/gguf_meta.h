/* SPDX-License-Identifier: MIT */
/*
 * gguf_meta.h - what the catalog wants to know from the header of a GGUF file.
 *
 * Reads versions 2 and 3, little endian: magic, key-value pairs, tensor index; never the
 * weights. Pure, and made for hostile files: every count is checked against the bytes that are
 * there before anything is kept, what is kept has a fixed maximum, vocabularies are passed over
 * without being stored. The format is described at the top of ggml's gguf.h.
 */
#ifndef DOZE_CATALOG_GGUF_META_H
#define DOZE_CATALOG_GGUF_META_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/msec.h"
#include "catalog/gguf_cursor.h"

/* Numbers that the file does not say are 0, or -1 where noted; strings are "". */
struct gguf_meta {
    char architecture[64];
    char name[192];       /* general.name, as bytes: may be cut, may be other than UTF-8 */
    char kind[32];        /* general.type: "model", "adapter", "mmproj", "imatrix", ... */
    int64_t file_type;    /* -1: not said */
    int64_t pooling_type; /* -1: not said; 0 none, 1 mean, 2 cls, 3 last, 4 rank */
    int64_t context_length, layers, embedding_length;
    int64_t heads;    /* where layers differ: the largest */
    int64_t kv_heads; /* where layers differ: the mean, rounded up */
    int64_t key_length, value_length;
    uint64_t parameters; /* elements of all tensors */
    nbytes tensor_bytes;
    const char *main_type; /* the tensor type that holds most elements; "" without tensors */
    bool has_chat_template, tool_use, reasoning;
};

/* On failure the error says what is wrong with the file, and *ret_meta holds what was read
 * until then, so that a cut file still shows its name and architecture. Fails with
 * ERR_LOAD_FAILED (the file is no good) or ERR_IO. */
bool gguf_meta_read(const struct gguf_source *source, struct gguf_meta *ret_meta,
                    struct error *err);

#endif
