/* SPDX-License-Identifier: MIT */
/* utf8.h - token pieces are bytes and may end inside a character. Pure. */
#ifndef DOZE_ENGINE_UTF8_H
#define DOZE_ENGINE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* How many bytes from the front end on a character's end: len, or up to 3 less where the text
 * ends inside a sequence that may still become a character. Bytes that can never be one count
 * as whole. */
size_t utf8_whole(const char *text, size_t len);

/* Append the text with U+FFFD for every byte that is no part of a valid character. False if the
 * buffer's maximum would be passed. */
bool utf8_repair(struct buf *out, const char *text, size_t len);

#endif
