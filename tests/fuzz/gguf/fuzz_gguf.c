/* SPDX-License-Identifier: MIT */
/* fuzz_gguf.c - any bytes as a GGUF file: read or refused, never past the end. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "catalog/adapter_facts.h"
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

/* Texts end where they say. */
static void look_at(void *ctx, const char *key, const struct gguf_value *value) {
    (void)ctx;
    assert(key && (value->kind != GGUF_TEXT || value->text[value->len] == '\0'));
}

static void look_at_tensor(void *ctx, const struct gguf_tensor *tensor) {
    (void)ctx;
    assert(tensor->name && strlen(tensor->name) < 128);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes all = { data, size };
    struct gguf_source source = { read_bytes, &all, size };
    struct gguf_visitor visitor = { .on_pair = look_at, .on_tensor = look_at_tensor };
    struct gguf_meta meta, same;
    struct error err = { 0 };
    bool ok = gguf_meta_visit(&source, NULL, &meta, &err);
    assert(gguf_meta_visit(&source, &visitor, &same, &err) == ok);
    assert(same.parameters == meta.parameters && strcmp(same.name, meta.name) == 0);
    assert(same.infill == meta.infill && same.longest_token == meta.longest_token);
    assert(ok || (err.code != ERR_NONE && err.text[0] != '\0'));
    assert(memchr(meta.name, 0, sizeof meta.name) && meta.main_type);
    assert(meta.context_length >= 0 && meta.layers >= 0 && meta.kv_heads >= 0);
    assert(!ok || meta.tensor_bytes == 0 || size > 24);
    struct adapter_facts facts;
    if (adapter_facts_read(&source, &facts, &err))
        assert(ok && memchr(facts.architecture, 0, sizeof facts.architecture));
    else
        assert(err.text[0] != '\0');
    err.text[0] = '\0';
    if (!adapter_facts_fit(&facts, &source, &err)) assert(err.text[0] != '\0');
    adapter_facts_clear(&facts);
    return 0;
}
