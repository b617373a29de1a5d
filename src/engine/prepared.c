/* SPDX-License-Identifier: MIT */
#include "engine/prepared.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

bool prepared_add(struct buf *out, const int32_t *tokens, size_t count) {
    uint32_t length = (uint32_t)count;
    return buf_add(out, &length, sizeof length) && buf_add(out, tokens, count * sizeof *tokens);
}

static bool are_tokens(const int32_t *tokens, size_t count, int32_t vocab_size) {
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0 || tokens[i] >= vocab_size) return false;
    }
    return true;
}

bool prepared_take(struct prepared *p, int32_t vocab_size, int32_t **ret_tokens,
                   size_t *ret_count) {
    uint32_t count;
    if (p->left < sizeof count) return false;
    memcpy(&count, p->at, sizeof count);
    size_t size = count * sizeof(int32_t);
    if (p->left - sizeof count < size) return false;
    int32_t *tokens = xcalloc((size_t)count + 1, sizeof *tokens);
    memcpy(tokens, p->at + sizeof count, size);
    if (!are_tokens(tokens, count, vocab_size)) {
        free(tokens);
        return false;
    }
    p->at += sizeof count + size;
    p->left -= sizeof count + size;
    *ret_tokens = tokens;
    *ret_count = count;
    return true;
}

enum { SPAN_NUMBERS = sizeof(struct picture_span) / sizeof(int32_t) };
_Static_assert(SPAN_NUMBERS * sizeof(int32_t) == sizeof(struct picture_span), "no gaps");

bool prepared_add_spans(struct buf *out, const struct picture_spans *spans) {
    return prepared_add(out, (const int32_t *)spans->items, spans->count * SPAN_NUMBERS);
}

bool prepared_take_spans(struct prepared *p, struct picture_spans *ret) {
    int32_t *numbers;
    size_t count;
    if (!prepared_take(p, INT32_MAX, &numbers, &count)) return false;
    *ret = (struct picture_spans){ .items = (struct picture_span *)(void *)numbers,
                                   .count = count / SPAN_NUMBERS };
    return count % SPAN_NUMBERS == 0;
}

size_t mask_size(size_t count) {
    return (count + 7) / 8;
}

void mask_set(unsigned char *mask, size_t bit) {
    mask[bit / 8] |= (unsigned char)(1U << bit % 8);
}

bool mask_has(const unsigned char *mask, size_t bit) {
    return mask[bit / 8] >> bit % 8 & 1;
}
