/* SPDX-License-Identifier: MIT */
/* fuzz_picture.c - any bytes as a picture's file, and as what stands in an image_url: it is
 * decoded whole, or refused in a sentence. */
#include <assert.h>
#include <nettle/base64.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/picture.h"

static const char head[] = "data:image/png;base64,";
enum { HEAD = sizeof head - 1 };

static void decode(const char *url, size_t len) {
    struct picture picture = { 0 };
    struct error err = { 0 };
    if (!picture_decode(url, len, 1, &picture, &err)) {
        assert(err.text[0] && err.code != ERR_NONE);
        return;
    }
    size_t pixels = (size_t)picture.width * picture.height;
    assert(pixels > 0 && pixels <= PICTURE_MAX_PIXELS);
    volatile unsigned char last = picture.rgb[3 * pixels - 1];
    (void)last;
    picture_clear(&picture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t len = HEAD + BASE64_ENCODE_RAW_LENGTH(size);
    char *url = xcalloc(len + 1, 1);
    memcpy(url, head, HEAD);
    base64_encode_raw(url + HEAD, size, data);
    decode(url, len);
    free(url);
    decode((const char *)data, size);
    return 0;
}
