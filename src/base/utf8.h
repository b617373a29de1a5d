/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - text whose bytes come from elsewhere: files, clients, token pieces. Pure.
 *
 * A character is a well-formed sequence of Unicode 15, table 3-7: no overlong forms, no
 * surrogates, nothing past U+10FFFF.
 */
#ifndef DOZE_BASE_UTF8_H
#define DOZE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Length of the character that the bytes begin with; 0: they begin with none. len > 0. */
size_t utf8_len(const char *bytes, size_t len);

/* Are the bytes a sequence of whole characters? U+0000 is one. */
bool utf8_is_valid(const char *bytes, size_t len);

/* Length of the text without an unfinished character at its end: len, or up to 3 less. Bytes
 * that can never become a character are not held back. */
size_t utf8_whole(const char *text, size_t len);

/* Replace each byte that is not part of a character by '?'. */
void utf8_mend(char *text);

/* As utf8_mend, and replace the bytes of control characters too: U+0000 to U+001F, U+007F to
 * U+009F. The result is one line and cannot control a terminal. */
void utf8_mend_line(char *text);

/* Append the text with one U+FFFD for each longest run of bytes that begins a character but
 * does not end it, and for each other stray byte. False if the buffer is full. */
bool utf8_repair(struct buf *out, const char *text, size_t len);

#endif
