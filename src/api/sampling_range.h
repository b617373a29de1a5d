/* SPDX-License-Identifier: MIT */
/* sampling_range.h - the numbers that control the choice of tokens, and what they may be: one
 * table for the API and for the command line. Pure. */
#ifndef DOZE_API_SAMPLING_RANGE_H
#define DOZE_API_SAMPLING_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include <yyjson.h>

#include "base/error.h"

struct sampling_range {
    const char *name;
    double min, max;
    bool whole; /* an integer */
};

extern const struct sampling_range sampling_ranges[];
extern const size_t sampling_range_count;

/* NULL: the name is none of theirs. */
const struct sampling_range *sampling_range_find(const char *name);

/* May it be this number? A sentence with the range if not. */
bool sampling_range_admits(const struct sampling_range *range, yyjson_val *number,
                           struct error *err) __attribute__((warn_unused_result));

#endif
