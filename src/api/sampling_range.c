/* SPDX-License-Identifier: MIT */
#include "api/sampling_range.h"

#include <stdint.h>
#include <string.h>

/* OpenAI's ranges where it has the field; for temperature more, as local servers allow. */
const struct sampling_range sampling_ranges[] = {
    { "temperature", 0, 5, false },
    { "top_p", 0, 1, false },
    { "min_p", 0, 1, false },
    { "typical_p", 0, 1, false },
    { "xtc_probability", 0, 1, false },
    { "xtc_threshold", 0, 1, false },
    { "mirostat_tau", 0, 100, false },
    { "mirostat_eta", 0, 1, false },
    { "repeat_penalty", 0.01, 10, false },
    { "presence_penalty", -2, 2, false },
    { "frequency_penalty", -2, 2, false },
    { "top_k", -1, INT32_MAX, true },
    { "max_tokens", -1, INT32_MAX, true },
};
const size_t sampling_range_count = sizeof sampling_ranges / sizeof sampling_ranges[0];

const struct sampling_range *sampling_range_find(const char *name) {
    for (size_t i = 0; i < sampling_range_count; i++) {
        if (strcmp(sampling_ranges[i].name, name) == 0) return &sampling_ranges[i];
    }
    return NULL;
}

bool sampling_range_admits(const struct sampling_range *range, yyjson_val *number,
                           struct error *err) {
    double value = yyjson_get_num(number);
    if (range->whole && !yyjson_is_int(number)) {
        return error_set_param(err, ERR_INVALID_REQUEST, range->name,
                               "'%s' must be an integer, not %g.", range->name, value);
    }
    if (value >= range->min && value <= range->max) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, range->name,
                           "'%s' must be between %.10g and %.10g, not %g.", range->name,
                           range->min, range->max, value);
}
