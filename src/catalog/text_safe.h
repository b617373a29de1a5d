/* SPDX-License-Identifier: MIT */
/*
 * text_safe.h - names from files and folders, which may hold any bytes, as text for people.
 * Pure.
 */
#ifndef DOZE_CATALOG_TEXT_SAFE_H
#define DOZE_CATALOG_TEXT_SAFE_H

#include <stdbool.h>
#include <stddef.h>

/* A copy that is UTF-8 without control characters, the others becoming '?'; without blanks at
 * either end. Caller frees. */
char *text_safe(const char *bytes, size_t len);

/* Compare ASCII letters without their case. */
bool text_equal(const char *a, size_t a_len, const char *b, size_t b_len);
bool text_ends_with(const char *text, size_t len, const char *tail);

char ascii_lower(char c);

#endif
