/* SPDX-License-Identifier: MIT */
/* pictures.h - pictures for the tests, as messages carry them. */
#ifndef DOZE_TEST_ENGINE_PICTURES_H
#define DOZE_TEST_ENGINE_PICTURES_H

#include <stddef.h>

/* "data:image/bmp;base64,…" of a BMP whose pixels follow from the seed; caller frees. */
char *picture_url_of(int width, int height, unsigned seed);

/* The same of any bytes. */
char *picture_url_of_bytes(const void *bytes, size_t len);

#endif
