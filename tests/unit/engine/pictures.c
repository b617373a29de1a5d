/* SPDX-License-Identifier: MIT */
#include "pictures.h"

#include <nettle/base64.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { HEAD = 54, PIXEL = 3 };

char *picture_url_of_bytes(const void *bytes, size_t len) {
    static const char head[] = "data:image/bmp;base64,";
    size_t head_len = sizeof head - 1, text_len = BASE64_ENCODE_RAW_LENGTH(len);
    char *url = xcalloc(head_len + text_len + 1, 1);
    memcpy(url, head, head_len);
    base64_encode_raw(url + head_len, len, bytes);
    return url;
}

static void put(unsigned char *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (8 * i));
}

/* The smallest header there is; stripes, so that the parts of a picture differ too. */
char *picture_url_of(int width, int height, unsigned seed) {
    size_t row = ((size_t)width * PIXEL + 3) / 4 * 4, size = HEAD + row * (size_t)height;
    unsigned char *bmp = xcalloc(size, 1);
    memcpy(bmp, "BM", 2);
    put(bmp + 2, (uint32_t)size);
    put(bmp + 10, HEAD);
    put(bmp + 14, 40);
    put(bmp + 18, (uint32_t)width);
    put(bmp + 22, (uint32_t)height);
    bmp[26] = 1;
    bmp[28] = 8 * PIXEL;
    for (size_t i = HEAD; i < size; i++)
        bmp[i] = (unsigned char)((i * (seed + 3) / 7) ^ (seed * 91 + i / row * seed));
    char *url = picture_url_of_bytes(bmp, size);
    free(bmp);
    return url;
}
