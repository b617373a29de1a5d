/* SPDX-License-Identifier: MIT */
#include "engine/picture.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stb/stb_image.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static bool refuse(size_t number, const char *what, struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, "messages",
                           "Picture %zu of the conversation %s.", number, what);
}

/* ---- from the address to the file's bytes ---- */

/* The base64 in it. NULL: refused. */
static const char *base64_of(const char *url, size_t len, size_t number, struct error *err) {
    static const char scheme[] = "data:", mark[] = ";base64";
    if (len < sizeof scheme - 1 || strncasecmp(url, scheme, sizeof scheme - 1) != 0) {
        if (!memmem(url, len < 16 ? len : 16, "://", 3)) return url;
        (void)error_set_param(err, ERR_NOT_SUPPORTED, "messages",
                              "Picture %zu of the conversation is an address; nothing is "
                              "fetched from there. Send the picture itself, as a URL "
                              "data:image/png;base64,…",
                              number);
        return NULL;
    }
    const char *comma = memchr(url, ',', len);
    size_t head = comma ? (size_t)(comma - url) : 0;
    bool base64 = head >= sizeof mark - 1 &&
                  memcmp(comma - (sizeof mark - 1), mark, sizeof mark - 1) == 0;
    if (base64) return comma + 1;
    (void)refuse(number, "has no base64: send it as data:image/png;base64,…", err);
    return NULL;
}

struct file {
    unsigned char *data;
    size_t len;
};

static bool read_file(const char *url, size_t len, size_t number, struct file *ret,
                      struct error *err) {
    const char *text = base64_of(url, len, number, err);
    if (!text) return false;
    size_t text_len = len - (size_t)(text - url);
    size_t room = BASE64_DECODE_LENGTH(text_len);
    if (room > PICTURE_MAX_BYTES)
        return refuse(number, "is larger than 48 MiB; send a smaller one", err);
    struct base64_decode_ctx ctx;
    struct file file = { .data = xcalloc(room + 1, 1), .len = room };
    base64_decode_init(&ctx);
    if (base64_decode_update(&ctx, &file.len, file.data, text_len, text) &&
        base64_decode_final(&ctx)) {
        *ret = file;
        return true;
    }
    free(file.data);
    return refuse(number, "is not valid base64", err);
}

/* ---- pixels ---- */

static bool is_webp(const struct file *file) {
    return file->len >= 12 && memcmp(file->data, "RIFF", 4) == 0 &&
           memcmp(file->data + 8, "WEBP", 4) == 0;
}

static bool unreadable(const struct file *file, size_t number, struct error *err) {
    if (is_webp(file)) return refuse(number, "is WebP; send it as PNG or JPEG", err);
    const char *why = stbi_failure_reason();
    return error_set_param(err, ERR_INVALID_REQUEST, "messages",
                           "Picture %zu of the conversation cannot be read (%.60s); send a "
                           "whole PNG, JPEG, GIF or BMP of at most 64 million pixels.",
                           number, why ? why : "it is damaged");
}

static bool read_pixels(const struct file *file, size_t number, struct picture *ret,
                        struct error *err) {
    int width = 0, height = 0, channels = 0, len = (int)file->len;
    if (!stbi_info_from_memory(file->data, len, &width, &height, &channels))
        return unreadable(file, number, err);
    if (width <= 0 || height <= 0 || width > PICTURE_MAX_SIDE || height > PICTURE_MAX_SIDE ||
        (int64_t)width * height > PICTURE_MAX_PIXELS) {
        return refuse(number,
                      "has more than 64 million pixels, or a side of more than 32,768; send a "
                      "smaller one",
                      err);
    }
    unsigned char *rgb = stbi_load_from_memory(file->data, len, &width, &height, &channels, 3);
    if (!rgb) return unreadable(file, number, err);
    *ret = (struct picture){ .width = (uint32_t)width, .height = (uint32_t)height, .rgb = rgb };
    return true;
}

bool picture_decode(const char *url, size_t len, size_t number, struct picture *ret,
                    struct error *err) {
    struct file file = { 0 };
    if (!read_file(url, len, number, &file, err)) return false;
    bool ok = read_pixels(&file, number, ret, err);
    free(file.data);
    return ok;
}

void picture_clear(struct picture *picture) {
    stbi_image_free(picture->rgb);
    *picture = (struct picture){ 0 };
}

void picture_hash(const char *url, size_t len, unsigned char ret[PICTURE_HASH_SIZE]) {
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, len, (const uint8_t *)url);
    sha256_digest(&ctx, PICTURE_HASH_SIZE, ret);
}
