/* SPDX-License-Identifier: MIT */
/*
 * picture.h - decodes a picture as clients send it into pixels. Pure, but allocates.
 *
 * The bytes are hostile: call it where a crash and a deadline cost one request only
 * (preparers.h), and elsewhere only with what has been decoded there before.
 */
#ifndef DOZE_ENGINE_PICTURE_H
#define DOZE_ENGINE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/picture_spans.h"

enum { PICTURE_MAX_BYTES = 48 << 20, PICTURE_MAX_PIXELS = 64 << 20, PICTURE_MAX_SIDE = 32768 };

struct picture {
    uint32_t width, height;
    unsigned char *rgb; /* three bytes a pixel, row after row */
};

/* url: "data:image/png;base64,…", or the base64 alone; PNG, JPEG, GIF or BMP. number: of the
 * picture in the conversation, from 1, for the error. ERR_INVALID_REQUEST: it is not a
 * picture, or too large, which is found before its pixels are decoded; ERR_NOT_SUPPORTED: a
 * web address. */
bool picture_decode(const char *url, size_t len, size_t number, struct picture *ret,
                    struct error *err) __attribute__((warn_unused_result));

/* Accepts a zeroed one. */
void picture_clear(struct picture *picture);

/* SHA-256 of what was sent. */
void picture_hash(const char *url, size_t len, unsigned char ret[PICTURE_HASH_SIZE]);

#endif
