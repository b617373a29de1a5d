/* SPDX-License-Identifier: MIT */
/* parse.c - a Responses body to a neutral request. */
#include <string.h>

#include "api/draft_name.h"
#include "api/parsed.h"
#include "api/responses/translate.h"
#include "base/json.h"

enum { TOP_LOGPROBS_MAX = 20 };

/* What an answer repeats of its request. */
static const char *const echoed[] = { "instructions",
                                      "max_output_tokens",
                                      "metadata",
                                      "parallel_tool_calls",
                                      "previous_response_id",
                                      "reasoning",
                                      "temperature",
                                      "text",
                                      "tool_choice",
                                      "tools",
                                      "top_p",
                                      "truncation",
                                      "user" };

static yyjson_mut_doc *echo_new(yyjson_val *body) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    for (size_t i = 0; i < sizeof echoed / sizeof echoed[0]; i++) {
        yyjson_val *value = yyjson_obj_get(body, echoed[i]);
        if (!value) continue;
        yyjson_mut_obj_add_val(doc, root, echoed[i], yyjson_val_mut_copy(doc, value));
    }
    return doc;
}

/* ---- what is not offered ---- */

static bool unstored_refuse(struct translation *t) {
    static const char *const names[] = { "conversation", "prompt" };
    bool background = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!translation_field(t, names[i])) continue;
        return error_set_param(t->err, ERR_INVALID_REQUEST, names[i],
                               "'%s' names what this server does not store; use "
                               "'previous_response_id', or send it all in 'input'.",
                               names[i]);
    }
    if (!json_read_bool(t->in, "background", &background, t->err)) return false;
    if (!background) return true;
    return error_set_param(t->err, ERR_INVALID_REQUEST, "background",
                           "'background' is not supported here; leave it out.");
}

/* ---- sampling and form ---- */

bool responses_translate_max_tokens(struct translation *t) {
    int64_t max = 0;
    if (!json_read_int(t->in, "max_output_tokens", 1, INT32_MAX, &max, t->err)) return false;
    if (max > 0) yyjson_mut_obj_add_int(t->doc, t->out, "max_tokens", max);
    return true;
}

static bool reasoning_translate(struct translation *t) {
    yyjson_val *reasoning = NULL;
    const char *effort = NULL;
    if (!json_read_object(t->in, "reasoning", &reasoning, t->err)) return false;
    if (reasoning && !json_read_str(reasoning, "effort", &effort, t->err)) {
        return translation_error_inside(t->err, "reasoning");
    }
    if (effort) yyjson_mut_obj_add_strcpy(t->doc, t->out, "reasoning_effort", effort);
    return true;
}

/* "include" may ask for the log probabilities of the text; the rest of it is ignored. */
static bool logprobs_translate(struct translation *t) {
    yyjson_val *include = NULL, *one;
    int64_t top = 0;
    size_t i, count;
    if (!json_read_array(t->in, "include", &include, t->err) ||
        !json_read_int(t->in, "top_logprobs", 0, TOP_LOGPROBS_MAX, &top, t->err))
        return false;
    yyjson_arr_foreach(include, i, count, one) {
        if (!yyjson_equals_str(one, "message.output_text.logprobs")) continue;
        yyjson_mut_obj_put(t->out, yyjson_mut_str(t->doc, "logprobs"),
                           yyjson_mut_sint(t->doc, top));
    }
    return true;
}

static bool truncation_translate(struct translation *t) {
    const char *truncation = "disabled";
    if (!json_read_str(t->in, "truncation", &truncation, t->err)) return false;
    if (strcmp(truncation, "auto") == 0) {
        yyjson_mut_obj_add_str(t->doc, t->out, "overflow", "truncate_middle");
    }
    return true;
}

static bool schema_translate(struct translation *t, yyjson_val *format) {
    yyjson_val *schema = NULL;
    if (!json_read_object(format, "schema", &schema, t->err)) return false;
    if (!schema) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "schema",
                               "'schema' is missing; send the JSON schema.");
    }
    translation_add_schema(t, schema);
    return true;
}

static bool format_translate(struct translation *t, yyjson_val *text) {
    yyjson_val *format = NULL;
    if (!json_read_object(text, "format", &format, t->err)) return false;
    const char *type = json_find_str(format, "type");
    if (!format || (type && strcmp(type, "text") == 0)) return true;
    if (type && strcmp(type, "json_schema") == 0) {
        return schema_translate(t, format) || translation_error_inside(t->err, "format");
    }
    if (type && strcmp(type, "json_object") == 0) {
        yyjson_mut_val *out = yyjson_mut_obj_add_obj(t->doc, t->out, "response_format");
        yyjson_mut_obj_add_str(t->doc, out, "type", "json_object");
        return true;
    }
    return error_set_param(t->err, ERR_INVALID_REQUEST, "format",
                           "'format' must have the type \"text\", \"json_object\" or "
                           "\"json_schema\".");
}

static bool text_translate(struct translation *t) {
    yyjson_val *text = NULL;
    if (!json_read_object(t->in, "text", &text, t->err)) return false;
    return !text || format_translate(t, text) || translation_error_inside(t->err, "text");
}

/* ---- the body ---- */

static bool body_read(struct parsed *parsed, struct translation *t) {
    parsed->options.echo = echo_new(t->in);
    return unstored_refuse(t) && responses_translate_input(t) && responses_translate_tools(t) &&
           responses_translate_max_tokens(t) && translation_copy_number(t, "temperature", 5) &&
           translation_copy_number(t, "top_p", 1) && reasoning_translate(t) &&
           truncation_translate(t) && text_translate(t) && logprobs_translate(t) &&
           translation_copy_str(t, "prompt_cache_key") &&
           api_read_draft_name(t->in, &parsed->requests[0].draft_model, t->err);
}

bool responses_parse(enum service_op op, const char *body, size_t len,
                     struct parsed *ret_parsed, struct error *err) {
    return parsed_read_one(op, body, len, body_read, ret_parsed, err);
}
