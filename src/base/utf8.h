/* SPDX-License-Identifier: MIT */
/* utf8.h - texts whose bytes come from elsewhere, or were cut in the middle. Pure. */
#ifndef DOZE_BASE_UTF8_H
#define DOZE_BASE_UTF8_H

#include <stddef.h>

/* Length of the character at the front of the bytes, of which there is at least one; 0: they
 * begin with none (Unicode 15, table 3-7: no overlong forms, surrogates, or characters past
 * U+10FFFF). */
size_t utf8_len(const char *bytes, size_t len);

/* Replace each byte that is no part of a character by '?'. */
void utf8_mend(char *text);

/* As utf8_mend, and so is each byte of a control character (of both sets, the line's end too):
 * what strangers say stays one line and drives no terminal. */
void utf8_mend_line(char *text);

#endif
