/* SPDX-License-Identifier: MIT */
/* fuzz_gguf.c - any bytes as a GGUF file: read or refused, never past the end. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "catalog/gguf_meta.h"

struct bytes {
    const uint8_t *data;
    size_t size;
};

static bool read_bytes(void *ctx, uint64_t offset, void *to, size_t len) {
    const struct bytes *all = ctx;
    assert(offset <= all->size && len <= all->size - offset);
    memcpy(to, all->data + offset, len);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes all = { data, size };
    struct gguf_source source = { read_bytes, &all, size };
    struct gguf_meta meta;
    struct error err = { 0 };
    bool ok = gguf_meta_read(&source, &meta, &err);
    assert(ok || (err.code != ERR_NONE && err.text[0] != '\0'));
    assert(memchr(meta.name, 0, sizeof meta.name) && meta.main_type);
    assert(meta.context_length >= 0 && meta.layers >= 0 && meta.kv_heads >= 0);
    assert(!ok || meta.tensor_bytes == 0 || size > 24);
    return 0;
}
