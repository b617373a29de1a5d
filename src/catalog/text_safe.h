/* SPDX-License-Identifier: MIT */
/* text_safe.h - names of files and folders, which may be any bytes, as readable text. Pure. */
#ifndef DOZE_CATALOG_TEXT_SAFE_H
#define DOZE_CATALOG_TEXT_SAFE_H

#include <stddef.h>

/* A copy in which bytes that are not UTF-8, and control characters, are '?'; without blanks at
 * either end. Caller frees. */
char *text_safe(const char *bytes, size_t len);

#endif
