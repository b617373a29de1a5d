/* SPDX-License-Identifier: MIT */
/* duration.h - spans of time and sizes, as people write and read them. Pure. */
#ifndef DOZE_CLI_DURATION_H
#define DOZE_CLI_DURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/msec.h"

/* A ttl: seconds ("90", "1.5"), spans with units ("5m", "1h30m", "500ms", "2d"), "none" or "-1"
 * (MSEC_NEVER). At most 10 years. False for everything else. */
bool duration_parse(const char *text, msec *ret_span);

enum { DURATION_TEXT = 24, SIZE_TEXT = 24 };

/* The two largest units that are not zero: "4m12s", "1h", "2d3h", "850ms"; "none" for
 * MSEC_NEVER. Below a second in ms, else rounded down to seconds; a negative span counts as 0
 * ("0s"). */
void duration_format(msec span, char text[DURATION_TEXT]);

/* "397.81 MB": powers of 1000, as LM Studio shows them. */
void size_format(nbytes bytes, char text[SIZE_TEXT]);

#endif
