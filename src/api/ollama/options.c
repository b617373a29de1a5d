/* SPDX-License-Identifier: MIT */
/* options.c - the fields of `options`. Those of a load (num_ctx, num_gpu, ...) are ignored: a
 * request does not reload a model that others use. */
#include "api/ollama/translate.h"
#include "api/sampling_fields.h"
#include "base/json.h"

/* Negative: to the end of the context. */
static bool num_predict_translate(struct translation *t) {
    int64_t max = -1;
    if (!json_read_int(t->in, "num_predict", INT32_MIN, INT32_MAX, &max, t->err)) return false;
    if (max >= 0) yyjson_mut_obj_add_int(t->doc, t->out, "max_tokens", max);
    return true;
}

bool ollama_translate_options(struct translation *t) {
    yyjson_val *options = NULL;
    if (!json_read_object(t->in, "options", &options, t->err)) return false;
    if (!options) return true;
    struct translation inner = translation_into(t, options, t->out);
    return (num_predict_translate(&inner) && sampling_fields_translate(&inner)) ||
           translation_error_inside(t->err, "options");
}

enum { TOP_LOGPROBS_MAX = 20 };

bool ollama_translate_logprobs(struct translation *t, bool *ret_wanted) {
    int64_t top = 0;
    bool wanted = false;
    if (!json_read_bool(t->in, "logprobs", &wanted, t->err) ||
        !json_read_int(t->in, "top_logprobs", 0, TOP_LOGPROBS_MAX, &top, t->err))
        return false;
    if (wanted) yyjson_mut_obj_add_int(t->doc, t->out, "logprobs", top);
    *ret_wanted = wanted;
    return true;
}
