/* SPDX-License-Identifier: MIT */
/* duration.h - spans of time as people write and read them. Pure. */
#ifndef DOZE_BASE_DURATION_H
#define DOZE_BASE_DURATION_H

#include <stdbool.h>

#include "base/msec.h"

/* The longest span that doze accepts: ten years of 365 days. */
#define DURATION_MAX ((msec)10 * 365 * 86400 * 1000)

/* Read a span: seconds ("90", "1.5"), or numbers with units ("5m", "1h30m", "500ms", "2d"). The
 * units are d, h, m, s, ms, us (also written with a micro sign) and ns. No sign, no space, no
 * exponent; every number has a unit unless it is the only one. Rounded up to a millisecond, so
 * that nothing ends before its time. False for anything else and for more than DURATION_MAX. */
bool duration_parse(const char *text, msec *ret_span);

enum { DURATION_TEXT = 24 };

/* The two largest units: "4m12s", "1h", "2d3h", "850ms". Rounded down to seconds, below one
 * second to milliseconds. A negative span is "0s", MSEC_NEVER is "none". */
void duration_format(msec span, char text[DURATION_TEXT]);

#endif
