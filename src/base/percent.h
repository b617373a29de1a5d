/* SPDX-License-Identifier: MIT */
/* percent.h - percent-encoding (RFC 3986, section 2.1). Pure. */
#ifndef DOZE_BASE_PERCENT_H
#define DOZE_BASE_PERCENT_H

#include <stdbool.h>

#include "base/buf.h"

/* The unreserved characters of RFC 3986 that are not letters or digits. */
#define PERCENT_UNRESERVED "-._~"

/* Append the text. ASCII letters, digits and the characters in `plain` stay as they are, other
 * bytes become %XX. False if the buffer is full. */
bool percent_encode(struct buf *out, const char *text, const char *plain);

/* Decode in place. False if a % is not followed by two hexadecimal digits, or stands for NUL;
 * the text is undefined then. */
bool percent_decode(char *text);

#endif
