/* SPDX-License-Identifier: MIT */
/* sampling.c - the fields that control the choice of tokens, normalised. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/openai/translate.h"
#include "api/sampling_fields.h"
#include "base/json.h"

enum { TOP_LOGPROBS_MAX = 20, LOGIT_BIAS_MAX_TOKENS = 4096 };

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

bool openai_translate_sampling(struct translation *t) {
    return max_tokens_translate(t) && sampling_fields_translate(t) && logit_bias_translate(t) &&
           translation_copy_str(t, "grammar") && translation_copy_bool(t, "cache_prompt") &&
           translation_copy_str(t, "prompt_cache_key");
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
