/* SPDX-License-Identifier: MIT */
/* options.c - the fields of `options`. Those of a load (num_ctx, num_gpu, ...) change nothing:
 * a request does not load a model again that others use. */
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
