/* SPDX-License-Identifier: MIT */
#include "api/sampling_fields.h"

#include <string.h>

#include "api/sampling_range.h"
#include "base/json.h"

enum { STOP_MAX_STRINGS = 16 };

static bool numbers_translate(struct translation *t) {
    for (size_t i = 0; i < sampling_range_count; i++) {
        const struct sampling_range *range = &sampling_ranges[i];
        double value = 0;
        if (range->whole || !translation_field(t, range->name)) continue;
        if (!json_read_double(t->in, range->name, range->min, range->max, &value, t->err)) {
            return false;
        }
        yyjson_mut_obj_add_real(t->doc, t->out, range->name, value);
    }
    return true;
}

/* Other servers switch it off with -1; the neutral value is 0. */
static bool top_k_translate(struct translation *t) {
    const struct sampling_range *range = sampling_range_find("top_k");
    int64_t k = 0;
    if (!translation_field(t, "top_k")) return true;
    if (!json_read_int(t->in, "top_k", (int64_t)range->min, (int64_t)range->max, &k, t->err))
        return false;
    yyjson_mut_obj_add_int(t->doc, t->out, "top_k", k < 0 ? 0 : k);
    return true;
}

/* -1 means any seed to other servers: leave it out. */
static bool seed_translate(struct translation *t) {
    int64_t seed = -1;
    if (!json_read_int(t->in, "seed", INT64_MIN, INT64_MAX, &seed, t->err)) return false;
    if (seed != -1) yyjson_mut_obj_add_int(t->doc, t->out, "seed", seed);
    return true;
}

static bool stop_add(struct translation *t, yyjson_mut_val *list, yyjson_val *text) {
    const char *str = yyjson_get_str(text);
    if (!str || strlen(str) != yyjson_get_len(text)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "stop",
                               "'stop' must be a string or an array of strings.");
    }
    /* Some clients send an empty string, which would stop every answer at once. */
    if (*str) yyjson_mut_arr_add_strcpy(t->doc, list, str);
    return true;
}

static bool stop_translate(struct translation *t) {
    yyjson_val *stop = translation_field(t, "stop"), *item;
    if (!stop) return true;
    yyjson_mut_val *list = yyjson_mut_arr(t->doc);
    if (!yyjson_is_arr(stop) && !stop_add(t, list, stop)) return false;
    size_t i, count;
    yyjson_arr_foreach(stop, i, count, item) {
        if (!stop_add(t, list, item)) return false;
    }
    if (yyjson_mut_arr_size(list) > STOP_MAX_STRINGS) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "stop",
                               "'stop' may have at most %d strings.", STOP_MAX_STRINGS);
    }
    if (yyjson_mut_arr_size(list)) yyjson_mut_obj_add_val(t->doc, t->out, "stop", list);
    return true;
}

static bool mirostat_translate(struct translation *t) {
    int64_t version = 0;
    if (!json_read_int(t->in, "mirostat", 0, 2, &version, t->err)) return false;
    if (version > 0) yyjson_mut_obj_add_int(t->doc, t->out, "mirostat", version);
    return true;
}

bool sampling_fields_translate(struct translation *t) {
    return numbers_translate(t) && top_k_translate(t) && seed_translate(t) &&
           stop_translate(t) && mirostat_translate(t);
}
