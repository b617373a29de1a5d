/* SPDX-License-Identifier: MIT */
#include "engine/request_sampling.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

struct sampling sampling_defaults(void) {
    return (struct sampling){ .max_tokens = -1,
                              .temperature = 0.8,
                              .top_p = 0.95,
                              .min_p = 0.05,
                              .typical_p = 1,
                              .xtc_threshold = 0.1,
                              .mirostat_tau = 5,
                              .mirostat_eta = 0.1,
                              .repeat_penalty = 1.0,
                              .top_k = 40,
                              .logprobs = -1,
                              .cache_prompt = true };
}

/* libllama takes 32 bits, and all ones mean "random". Other bits of a longer seed are folded
 * in, so that different seeds stay different. -1 is many clients' word for random. */
static bool read_seed(struct sampling *s, yyjson_val *root, struct error *err) {
    int64_t seed = -1;
    if (!json_read_int(root, "seed", INT64_MIN, INT64_MAX, &seed, err)) return false;
    if (seed == -1) return true;
    uint64_t bits = (uint64_t)seed;
    s->seed = (uint32_t)bits ^ (uint32_t)(bits >> 32);
    if (s->seed == UINT32_MAX) s->seed = 0;
    s->seeded = true;
    return true;
}

static bool stop_invalid(struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, "stop",
                           "'stop' must be at most %d strings of 1 to %d bytes without U+0000.",
                           REQUEST_MAX_STOPS, REQUEST_MAX_STOP_LEN);
}

static bool read_stops(struct sampling *s, yyjson_val *root, struct error *err) {
    yyjson_val *list = NULL;
    if (!json_read_array(root, "stop", &list, err)) return false;
    size_t count = yyjson_arr_size(list);
    if (count > REQUEST_MAX_STOPS) return stop_invalid(err);
    s->stops.words = xcalloc(count + 1, sizeof *s->stops.words);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *v; (v = yyjson_arr_iter_next(&iter));) {
        size_t len = yyjson_get_len(v);
        if (!yyjson_is_str(v) || len > REQUEST_MAX_STOP_LEN) return stop_invalid(err);
        if (len != strlen(yyjson_get_str(v))) return stop_invalid(err);
        if (len > 0) s->stops.words[s->stops.count++] = yyjson_get_str(v);
    }
    return true;
}

static bool read_biases(struct sampling *s, yyjson_val *root, int32_t vocab_size,
                        struct error *err) {
    yyjson_val *map = NULL;
    if (!json_read_object(root, "logit_bias", &map, err)) return false;
    if (yyjson_obj_size(map) > REQUEST_MAX_BIASES) {
        return error_set_param(err, ERR_INVALID_REQUEST, "logit_bias",
                               "'logit_bias' may name at most %d tokens, not %zu.",
                               REQUEST_MAX_BIASES, yyjson_obj_size(map));
    }
    s->biases = xcalloc(yyjson_obj_size(map) + 1, sizeof *s->biases);
    yyjson_obj_iter iter = yyjson_obj_iter_with(map);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        yyjson_val *val = yyjson_obj_iter_get_val(key);
        char *end = NULL;
        errno = 0;
        long token = strtol(yyjson_get_str(key), &end, 10);
        if (errno || end == yyjson_get_str(key) || *end || token < 0 || token >= vocab_size ||
            !yyjson_is_num(val) || fabs(yyjson_get_num(val)) > 1e6) {
            return error_set_param(
                err, ERR_INVALID_REQUEST, "logit_bias",
                "'logit_bias' must map token numbers from 0 to %d to numbers.", vocab_size - 1);
        }
        s->biases[s->bias_count++] = (struct token_bias){ .token = (int32_t)token,
                                                          .bias = (float)yyjson_get_num(val) };
    }
    return true;
}

static bool read_rare_samplers(struct sampling *s, yyjson_val *root, struct error *err) {
    return json_read_double(root, "typical_p", 0, 1, &s->typical_p, err) &&
           json_read_double(root, "xtc_probability", 0, 1, &s->xtc_probability, err) &&
           json_read_double(root, "xtc_threshold", 0, 1, &s->xtc_threshold, err) &&
           json_read_int(root, "mirostat", 0, 2, &s->mirostat, err) &&
           json_read_double(root, "mirostat_tau", 0, 100, &s->mirostat_tau, err) &&
           json_read_double(root, "mirostat_eta", 0, 1, &s->mirostat_eta, err);
}

bool request_read_sampling(struct sampling *s, yyjson_val *root, int32_t vocab_size,
                           struct error *err) {
    return json_read_int(root, "max_tokens", 0, INT32_MAX, &s->max_tokens, err) &&
           json_read_double(root, "temperature", 0, 100, &s->temperature, err) &&
           json_read_double(root, "top_p", 0, 1, &s->top_p, err) &&
           json_read_double(root, "min_p", 0, 1, &s->min_p, err) &&
           json_read_double(root, "repeat_penalty", 0.01, 100, &s->repeat_penalty, err) &&
           json_read_double(root, "presence_penalty", -100, 100, &s->presence_penalty, err) &&
           json_read_double(root, "frequency_penalty", -100, 100, &s->frequency_penalty, err) &&
           json_read_int(root, "top_k", 0, INT32_MAX, &s->top_k, err) &&
           json_read_int(root, "logprobs", 0, REQUEST_MAX_LOGPROBS, &s->logprobs, err) &&
           json_read_bool(root, "cache_prompt", &s->cache_prompt, err) &&
           read_rare_samplers(s, root, err) && read_seed(s, root, err) &&
           read_stops(s, root, err) && read_biases(s, root, vocab_size, err);
}
