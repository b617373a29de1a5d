/* SPDX-License-Identifier: MIT */
/*
 * gguf_types.h - the tensor types and file types of GGUF, as ggml.h and llama.h number them.
 */
#ifndef DOZE_CATALOG_GGUF_TYPES_H
#define DOZE_CATALOG_GGUF_TYPES_H

#include <stdint.h>

struct gguf_tensor_type {
    const char *name;  /* "Q8_0" */
    uint32_t elements; /* of one block */
    uint32_t bytes;    /* of one block */
};

enum { GGUF_TENSOR_TYPE_COUNT = 43 };

/* NULL for a number that is unknown or withdrawn. */
const struct gguf_tensor_type *gguf_tensor_type_find(uint32_t number);

/* Short name of general.file_type ("Q4_K_M"); "" for a number that is unknown or withdrawn. */
const char *gguf_file_type_name(int64_t number);

#endif
