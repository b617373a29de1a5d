/* SPDX-License-Identifier: MIT */
/*
 * gguf_file.h - the header of a GGUF file on disk: the I/O half of gguf_meta.h.
 */
#ifndef DOZE_CATALOG_GGUF_FILE_H
#define DOZE_CATALOG_GGUF_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/adapter_facts.h"
#include "catalog/gguf_meta.h"

/* As gguf_meta_visit without a visitor; also ERR_IO if the path cannot be opened or is not a
 * regular file. */
bool gguf_file_read(const char *path, struct gguf_meta *ret_meta, struct error *err);
/* As gguf_meta_visit. */
bool gguf_file_visit(const char *path, const struct gguf_visitor *visitor,
                     struct gguf_meta *ret_meta, struct error *err);
/* As adapter_facts_read; and if it is for the model's architecture, as adapter_facts_fit of the
 * model's first file. */
bool gguf_file_read_adapter(const char *path, const char *model_path, const char *architecture,
                            struct adapter_facts *ret_facts, struct error *err)
    __attribute__((warn_unused_result));

#endif
