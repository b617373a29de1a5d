/* SPDX-License-Identifier: MIT */
/*
 * picture_spans.h - where a prompt has pictures. Pure.
 *
 * A picture is many tokens that no vocabulary has. In the list of a prompt's tokens numbers
 * below zero stand for them, made of the picture's hash: so a slot or the store recognizes a
 * prompt with the same pictures, as it does one with the same words. Code that looks tokens up
 * in the vocabulary must skip them, and nothing may be cut inside a picture.
 */
#ifndef DOZE_ENGINE_PICTURE_SPANS_H
#define DOZE_ENGINE_PICTURE_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICTURE_HASH_SIZE = 32 };

/* One piece of a picture; large ones come in several, with text in between. */
struct picture_span {
    int32_t start, count; /* tokens */
    int32_t picture;      /* of the request, from 0 */
    int32_t part;         /* of the picture, from 0 */
};

struct picture_spans {
    struct picture_span *items; /* in order */
    size_t count;
};

void picture_spans_add(struct picture_spans *spans, struct picture_span span);
void picture_spans_clear(struct picture_spans *spans);

/* Are they in order and inside a prompt of `tokens` tokens, of a request with `pictures`
 * pictures? */
bool picture_spans_fit(const struct picture_spans *spans, size_t tokens, size_t pictures);

/* The piece that has the token; NULL: it is of a text. */
const struct picture_span *picture_spans_at(const struct picture_spans *spans, size_t token);

/* How many of the `count` tokens from `from` on are text before the next picture. */
size_t picture_spans_text(const struct picture_spans *spans, size_t from, size_t count);

/* The longest beginning with at most `count` tokens that ends in no picture. */
size_t picture_spans_floor(const struct picture_spans *spans, size_t count);

/* Write the numbers that stand for the piece over its tokens. */
void picture_span_mark(const struct picture_span *span,
                       const unsigned char hash[PICTURE_HASH_SIZE], int32_t *tokens);

#endif
