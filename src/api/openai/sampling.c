/* SPDX-License-Identifier: MIT */
/* sampling.c - the fields that control the choice of tokens, normalised. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/openai/translate.h"
#include "base/json.h"

enum { STOP_MAX_STRINGS = 16, TOP_LOGPROBS_MAX = 20, LOGIT_BIAS_MAX_TOKENS = 4096 };

struct number_field {
    const char *name;
    double min, max;
};

/* OpenAI's ranges where it has the field; for temperature more, as local servers allow. */
static const struct number_field number_fields[] = {
    { "temperature", 0, 5 },
    { "top_p", 0, 1 },
    { "min_p", 0, 1 },
    { "repeat_penalty", 0.01, 10 },
    { "presence_penalty", -2, 2 },
    { "frequency_penalty", -2, 2 },
};

static bool numbers_translate(struct translation *t) {
    for (size_t i = 0; i < sizeof number_fields / sizeof number_fields[0]; i++) {
        const struct number_field *field = &number_fields[i];
        double value = 0;
        if (!translation_field(t, field->name)) continue;
        if (!json_read_double(t->in, field->name, field->min, field->max, &value, t->err)) {
            return false;
        }
        yyjson_mut_obj_add_real(t->doc, t->out, field->name, value);
    }
    return true;
}

static bool limit_read(struct translation *t, const char *name, int64_t *max) {
    if (!json_read_int(t->in, name, INT64_MIN, INT64_MAX, max, t->err)) return false;
    if (*max >= -1) return true;
    return error_set_param(t->err, ERR_INVALID_REQUEST, name,
                           "'%s' must be 0 or more, or -1 for no limit.", name);
}

/* max_completion_tokens is the newer name and wins. -1: as if absent, to the context's end. */
static bool max_tokens_translate(struct translation *t) {
    int64_t max = -1;
    if (!limit_read(t, "max_tokens", &max)) return false;
    if (!limit_read(t, "max_completion_tokens", &max)) return false;
    if (max > INT32_MAX) max = INT32_MAX;
    if (max >= 0) yyjson_mut_obj_add_int(t->doc, t->out, "max_tokens", max);
    return true;
}

/* Other servers switch it off with -1; the neutral value is 0. */
static bool top_k_translate(struct translation *t) {
    int64_t k = 0;
    if (!translation_field(t, "top_k")) return true;
    if (!json_read_int(t->in, "top_k", -1, INT32_MAX, &k, t->err)) return false;
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

static bool bias_refuse(struct translation *t) {
    return error_set_param(
        t->err, ERR_INVALID_REQUEST, "logit_bias",
        "'logit_bias' must map token numbers to values between -100 and 100: "
        "{\"123\": -100} or [[123, -100]].");
}

/* false, in llama.cpp's form, forbids the token. */
static bool bias_add(struct translation *t, yyjson_mut_val *biases, const char *token,
                     yyjson_val *value) {
    char *end = NULL;
    errno = 0;
    long id = strtol(token, &end, 10);
    if (token[0] < '0' || token[0] > '9' || *end || errno || id > INT32_MAX)
        return bias_refuse(t);
    double bias = yyjson_is_false(value) ? -100 : yyjson_get_num(value);
    if (!yyjson_is_false(value) && !yyjson_is_num(value)) return bias_refuse(t);
    if (!(bias >= -100 && bias <= 100)) return bias_refuse(t);
    yyjson_mut_obj_add(biases, yyjson_mut_strcpy(t->doc, token), yyjson_mut_real(t->doc, bias));
    return true;
}

static bool bias_object(struct translation *t, yyjson_val *object, yyjson_mut_val *biases) {
    yyjson_val *key, *value;
    size_t i, count;
    yyjson_obj_foreach(object, i, count, key, value) {
        if (strlen(yyjson_get_str(key)) != yyjson_get_len(key)) return bias_refuse(t);
        if (!bias_add(t, biases, yyjson_get_str(key), value)) return false;
    }
    return true;
}

static bool bias_pairs(struct translation *t, yyjson_val *pairs, yyjson_mut_val *biases) {
    yyjson_val *pair;
    size_t i, count;
    yyjson_arr_foreach(pairs, i, count, pair) {
        yyjson_val *id = yyjson_arr_get(pair, 0);
        char token[24];
        if (yyjson_arr_size(pair) != 2 || !yyjson_is_uint(id)) return bias_refuse(t);
        snprintf(token, sizeof token, "%llu", (unsigned long long)yyjson_get_uint(id));
        if (!bias_add(t, biases, token, yyjson_arr_get(pair, 1))) return false;
    }
    return true;
}

static bool logit_bias_translate(struct translation *t) {
    yyjson_val *bias = translation_field(t, "logit_bias");
    if (!bias) return true;
    if (!yyjson_is_ctn(bias)) return bias_refuse(t);
    yyjson_mut_val *biases = yyjson_mut_obj(t->doc);
    if (yyjson_get_len(bias) > LOGIT_BIAS_MAX_TOKENS) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "logit_bias",
                               "'logit_bias' may name at most %d tokens.",
                               LOGIT_BIAS_MAX_TOKENS);
    }
    bool ok = yyjson_is_obj(bias) ? bias_object(t, bias, biases) : bias_pairs(t, bias, biases);
    if (!ok) return false;
    if (yyjson_mut_obj_size(biases))
        yyjson_mut_obj_add_val(t->doc, t->out, "logit_bias", biases);
    return true;
}

static bool only_one(struct translation *t, const char *name) {
    int64_t n = 1;
    if (!json_read_int(t->in, name, INT64_MIN, INT64_MAX, &n, t->err)) return false;
    if (n == 1) return true;
    return error_set_param(t->err, ERR_INVALID_REQUEST, name,
                           "'%s' must be 1; send the request again for another answer.", name);
}

bool openai_translate_sampling(struct translation *t) {
    return only_one(t, "n") && only_one(t, "best_of") && max_tokens_translate(t) &&
           numbers_translate(t) && top_k_translate(t) && seed_translate(t) &&
           stop_translate(t) && logit_bias_translate(t) &&
           translation_copy_bool(t, "cache_prompt");
}

bool openai_translate_chat_logprobs(struct translation *t) {
    bool wanted = false;
    int64_t top = 0;
    if (!json_read_bool(t->in, "logprobs", &wanted, t->err)) return false;
    if (!json_read_int(t->in, "top_logprobs", 0, TOP_LOGPROBS_MAX, &top, t->err)) return false;
    if (top > 0 && !wanted) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "top_logprobs",
                               "'top_logprobs' needs 'logprobs': true.");
    }
    if (wanted) yyjson_mut_obj_add_int(t->doc, t->out, "logprobs", top);
    return true;
}

bool openai_translate_completion_logprobs(struct translation *t) {
    int64_t top = -1;
    if (!json_read_int(t->in, "logprobs", 0, TOP_LOGPROBS_MAX, &top, t->err)) return false;
    if (top >= 0) yyjson_mut_obj_add_int(t->doc, t->out, "logprobs", top);
    return true;
}
