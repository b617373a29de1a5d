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

struct adapter_facts {
    char architecture[64]; /* of the models that it is for */
};

/* Fails unless it is an adapter that the engine can apply, with ERR_LOAD_FAILED or ERR_IO and a
 * sentence about "the file". */
bool adapter_facts_read(const struct gguf_source *source, struct adapter_facts *ret_facts,
                        struct error *err) __attribute__((warn_unused_result));

#endif
