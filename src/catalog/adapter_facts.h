/* SPDX-License-Identifier: MIT */
/*
 * adapter_facts.h - what the header of a GGUF file says of the LoRA adapter in it. Pure, and
 * safe with hostile files, as gguf_meta.h is.
 */
#ifndef DOZE_CATALOG_ADAPTER_FACTS_H
#define DOZE_CATALOG_ADAPTER_FACTS_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/gguf_cursor.h"

/* One of the two narrow matrices for a tensor of the model. */
struct adapter_matrix {
    uint64_t name; /* hash of the model's tensor's name */
    uint64_t size; /* that the tensor must have in this direction */
    bool rows;     /* which: rows or columns */
};

struct adapter_facts {
    char architecture[64];           /* of the models that it is for */
    struct adapter_matrix *matrices; /* by name */
    size_t count;
};

void adapter_facts_clear(struct adapter_facts *facts);

/* Fails unless it is an adapter that the engine can apply, with ERR_LOAD_FAILED or ERR_IO and a
 * sentence about "the file". The caller clears the facts, also after a failure. */
bool adapter_facts_read(const struct gguf_source *source, struct adapter_facts *ret_facts,
                        struct error *err) __attribute__((warn_unused_result));

/* False if a tensor of the model has another shape than a matrix of the adapter is for, with
 * ERR_LOAD_FAILED and a sentence about "it". Tensors that the model's file does not have may be
 * in another part of it; only who loads it knows. */
bool adapter_facts_fit(const struct adapter_facts *facts, const struct gguf_source *model,
                       struct error *err) __attribute__((warn_unused_result));

#endif
