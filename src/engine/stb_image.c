/* SPDX-License-Identifier: MIT */
/* stb_image.c - the decoder of llama.cpp's vendor folder, for what picture.h names. */
#include <stdlib.h>

#include "engine/picture.h"

/* The largest buffer that a picture needs: four channels of 16 bits, and a byte for each row. A
 * file of 100 bytes can say that one of its parts has 2^30. */
#define BUFFER_MAX ((size_t)PICTURE_MAX_PIXELS * 8 + PICTURE_MAX_SIDE)

static void *bounded_realloc(void *old, size_t size) {
    return size <= BUFFER_MAX ? realloc(old, size) : NULL;
}

#define STBI_MALLOC(size) bounded_realloc(NULL, size)
#define STBI_REALLOC(old, size) bounded_realloc(old, size)
#define STBI_FREE(old) free(old)
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_GIF
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 32768
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>
