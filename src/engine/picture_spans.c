/* SPDX-License-Identifier: MIT */
#include "engine/picture_spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void picture_spans_add(struct picture_spans *spans, struct picture_span span) {
    spans->items = xrealloc(spans->items, (spans->count + 1) * sizeof *spans->items);
    spans->items[spans->count++] = span;
}

void picture_spans_clear(struct picture_spans *spans) {
    free(spans->items);
    *spans = (struct picture_spans){ 0 };
}

bool picture_spans_fit(const struct picture_spans *spans, size_t tokens, size_t pictures) {
    size_t end = 0;
    for (size_t i = 0; i < spans->count; i++) {
        const struct picture_span *s = &spans->items[i];
        if (s->start < 0 || s->count <= 0 || s->picture < 0 || s->part < 0) return false;
        if ((size_t)s->start < end || (size_t)s->picture >= pictures) return false;
        end = (size_t)s->start + (size_t)s->count;
        if (end > tokens) return false;
    }
    return true;
}

const struct picture_span *picture_spans_at(const struct picture_spans *spans, size_t token) {
    for (size_t i = 0; i < spans->count; i++) {
        const struct picture_span *s = &spans->items[i];
        size_t start = (size_t)s->start;
        if (token >= start && token - start < (size_t)s->count) return s;
    }
    return NULL;
}

size_t picture_spans_text(const struct picture_spans *spans, size_t from, size_t count) {
    for (size_t i = 0; i < spans->count; i++) {
        size_t start = (size_t)spans->items[i].start,
               end = start + (size_t)spans->items[i].count;
        if (end <= from) continue;
        size_t text = start > from ? start - from : 0;
        return text < count ? text : count;
    }
    return count;
}

size_t picture_spans_floor(const struct picture_spans *spans, size_t count) {
    const struct picture_span *cut = picture_spans_at(spans, count);
    return cut ? (size_t)cut->start : count;
}

/* The finalizer of splitmix64: every bit of the input changes half of the result's. */
static uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Four tokens in a row have bits of all of the hash. -1 is libllama's word for no token. */
void picture_span_mark(const struct picture_span *span,
                       const unsigned char hash[PICTURE_HASH_SIZE], int32_t *tokens) {
    uint64_t words[PICTURE_HASH_SIZE / sizeof(uint64_t)];
    memcpy(words, hash, sizeof words);
    for (int32_t i = 0; i < span->count; i++) {
        uint64_t place = (uint64_t)(uint32_t)span->part << 32 | (uint32_t)i;
        uint64_t bits = mixed(words[i % 4] ^ mixed(place));
        int32_t token = (int32_t)(bits >> 33) - INT32_MAX - 1;
        tokens[span->start + i] = token == -1 ? -2 : token;
    }
}
