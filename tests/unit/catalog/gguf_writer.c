/* SPDX-License-Identifier: MIT */
#include "gguf_writer.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

enum { ALIGNMENT = 32, TYPE_F16 = 1 };

void put_u32(struct buf *out, uint32_t n) {
    n = htole32(n);
    (void)buf_add(out, &n, sizeof n);
}

void put_u64(struct buf *out, uint64_t n) {
    n = htole64(n);
    (void)buf_add(out, &n, sizeof n);
}

void put_string(struct buf *out, const char *text) {
    put_u64(out, strlen(text));
    (void)buf_add_str(out, text);
}

void put_header(struct buf *out, uint64_t tensors, uint64_t pairs) {
    (void)buf_add_str(out, "GGUF");
    put_u32(out, 3);
    put_u64(out, tensors);
    put_u64(out, pairs);
}

void put_text_pair(struct buf *out, const char *key, const char *text) {
    put_string(out, key);
    put_u32(out, W_STRING);
    put_string(out, text);
}

void put_u32_pair(struct buf *out, const char *key, uint32_t n) {
    put_string(out, key);
    put_u32(out, W_UINT32);
    put_u32(out, n);
}

void put_vocabulary(struct buf *out, uint32_t count) {
    put_string(out, "tokenizer.ggml.tokens");
    put_u32(out, W_ARRAY);
    put_u32(out, W_STRING);
    put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) put_string(out, "token");
}

void put_tensor(struct buf *out, const char *name, uint64_t columns, uint64_t rows,
                uint32_t type, uint64_t offset) {
    put_string(out, name);
    put_u32(out, 2);
    put_u64(out, columns);
    put_u64(out, rows);
    put_u32(out, type);
    put_u64(out, offset);
}

void put_data(struct buf *out, size_t len) {
    size_t pad = (ALIGNMENT - out->len % ALIGNMENT) % ALIGNMENT;
    char *room = buf_reserve(out, pad + len);
    memset(room, 0, pad + len);
    out->len += pad + len;
}

static void put_arch_pair(struct buf *out, const char *architecture, const char *key,
                          uint32_t n) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s.%s", architecture, key);
    put_u32_pair(out, whole, n);
}

void put_small_model(struct buf *out, const struct small_model *m) {
    const char *arch = m->architecture ? m->architecture : "llama";
    int pairs = 6 + (m->name != NULL) + (m->license != NULL) + (m->kind != NULL) +
                (m->chat_template != NULL) + (m->file_type != 0) + (m->pooling_type != 0) +
                (m->vocabulary != 0);
    put_header(out, 1, (uint64_t)pairs);
    put_text_pair(out, "general.architecture", arch);
    put_arch_pair(out, arch, "context_length", 2048);
    put_arch_pair(out, arch, "block_count", 2);
    put_arch_pair(out, arch, "embedding_length", 64);
    put_arch_pair(out, arch, "attention.head_count", 4);
    put_arch_pair(out, arch, "attention.head_count_kv", 2);
    if (m->name) put_text_pair(out, "general.name", m->name);
    if (m->license) put_text_pair(out, "general.license", m->license);
    if (m->kind) put_text_pair(out, "general.type", m->kind);
    if (m->vocabulary) put_vocabulary(out, m->vocabulary);
    if (m->chat_template) put_text_pair(out, "tokenizer.chat_template", m->chat_template);
    if (m->file_type) put_u32_pair(out, "general.file_type", m->file_type - 1);
    if (m->pooling_type) put_arch_pair(out, arch, "pooling_type", m->pooling_type);
    put_tensor(out, "token_embd.weight", 64, 100, TYPE_F16, 0);
    put_data(out, 64 * 100 * 2);
}
