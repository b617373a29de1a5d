/* SPDX-License-Identifier: MIT */
/* ascii.h - compares names without regard to the case of ASCII letters. Pure. */
#ifndef DOZE_BASE_ASCII_H
#define DOZE_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

char ascii_lower(char c);
bool ascii_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/* True also if the text is the tail and nothing else. */
bool ascii_ends_with(const char *text, size_t len, const char *tail);

#endif
