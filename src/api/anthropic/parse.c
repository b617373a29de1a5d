/* SPDX-License-Identifier: MIT */
/* parse.c - a Messages body to a neutral request. */
#include <string.h>

#include "api/anthropic/translate.h"
#include "api/draft_name.h"
#include "api/parsed.h"
#include "base/json.h"

enum { STOP_MAX_STRINGS = 16 };

static bool max_tokens_translate(struct translation *t) {
    int64_t max = 0;
    if (!json_read_int(t->in, "max_tokens", 1, INT32_MAX, &max, t->err)) return false;
    if (max > 0) yyjson_mut_obj_add_int(t->doc, t->out, "max_tokens", max);
    return true;
}

static bool top_k_translate(struct translation *t) {
    int64_t k = -1;
    if (!json_read_int(t->in, "top_k", 0, INT32_MAX, &k, t->err)) return false;
    if (k >= 0) yyjson_mut_obj_add_int(t->doc, t->out, "top_k", k);
    return true;
}

static bool stop_translate(struct translation *t) {
    yyjson_val *strings = NULL, *string;
    size_t i, count;
    if (!json_read_array(t->in, "stop_sequences", &strings, t->err)) return false;
    if (yyjson_arr_size(strings) > STOP_MAX_STRINGS) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "stop_sequences",
                               "'stop_sequences' may have at most %d strings.",
                               STOP_MAX_STRINGS);
    }
    yyjson_mut_val *list = yyjson_mut_arr(t->doc);
    yyjson_arr_foreach(strings, i, count, string) {
        const char *text = yyjson_get_str(string);
        if (!text || strlen(text) != yyjson_get_len(string)) {
            return translation_wrong_type(t, "stop_sequences", "an array of strings");
        }
        if (*text) yyjson_mut_arr_add_strcpy(t->doc, list, text);
    }
    if (yyjson_mut_arr_size(list)) yyjson_mut_obj_add_val(t->doc, t->out, "stop", list);
    return true;
}

/* ---- thinking ---- */

/* Without thinking a reasoning model is asked not to reason, in the word that most templates
 * know. */
static bool thinking_translate(struct translation *t, struct reply_options *options) {
    yyjson_val *thinking = NULL;
    const char *type = "disabled", *display = "";
    int64_t budget = -1;
    if (!json_read_object(t->in, "thinking", &thinking, t->err)) return false;
    if (thinking &&
        !(json_read_str(thinking, "type", &type, t->err) &&
          json_read_str(thinking, "display", &display, t->err) &&
          json_read_int(thinking, "budget_tokens", 0, INT32_MAX, &budget, t->err))) {
        return translation_error_inside(t->err, "thinking");
    }
    options->reasoning = strcmp(type, "disabled") != 0;
    options->reasoning_text = options->reasoning && strcmp(display, "omitted") != 0;
    if (budget >= 0) yyjson_mut_obj_add_int(t->doc, t->out, "reasoning_budget", budget);
    if (thinking && !options->reasoning) {
        yyjson_mut_val *kwargs = yyjson_mut_obj_add_obj(t->doc, t->out, "chat_template_kwargs");
        yyjson_mut_obj_add_bool(t->doc, kwargs, "enable_thinking", false);
    }
    return true;
}

/* ---- structured output ---- */

static bool format_translate(struct translation *t, yyjson_val *format) {
    const char *type = NULL;
    yyjson_val *schema = NULL;
    if (!json_read_str(format, "type", &type, t->err)) return false;
    if (!json_read_object(format, "schema", &schema, t->err)) return false;
    if (!type || strcmp(type, "json_schema") != 0 || !schema) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                               "The format must be {\"type\": \"json_schema\", \"schema\": "
                               "{...}}.");
    }
    translation_add_schema(t, schema);
    return true;
}

/* output_config {format, effort}; output_format is the name of its beta. */
static bool output_translate(struct translation *t) {
    yyjson_val *config = NULL, *format = NULL;
    const char *effort = NULL;
    if (!json_read_object(t->in, "output_format", &format, t->err)) return false;
    if (!json_read_object(t->in, "output_config", &config, t->err)) return false;
    if (config && !(json_read_object(config, "format", &format, t->err) &&
                    json_read_str(config, "effort", &effort, t->err))) {
        return translation_error_inside(t->err, "output_config");
    }
    if (effort) yyjson_mut_obj_add_strcpy(t->doc, t->out, "reasoning_effort", effort);
    if (!format || format_translate(t, format)) return true;
    return translation_error_inside(t->err, "output_config.format");
}

/* Servers that the client names: an answer without them would not be the one it asked for. */
static bool servers_refuse(struct translation *t) {
    if (yyjson_arr_size(translation_field(t, "mcp_servers")) == 0) return true;
    return error_set_param(t->err, ERR_INVALID_REQUEST, "mcp_servers",
                           "This server calls no MCP servers; give their tools in 'tools'.");
}

/* ---- caching ---- */

static bool is_marked(yyjson_val *val) {
    return yyjson_is_obj(yyjson_obj_get(val, "cache_control"));
}

static bool has_marked(yyjson_val *list) {
    yyjson_val *item;
    size_t i, count;
    if (!yyjson_is_arr(list)) return false;
    yyjson_arr_foreach(list, i, count, item) {
        if (is_marked(item)) return true;
    }
    return false;
}

/* Prompts are cached in any case; clients that mark them are told how much was. */
static bool marks_cache(yyjson_val *body) {
    yyjson_val *messages = yyjson_obj_get(body, "messages"), *message;
    size_t i, count;
    if (is_marked(body) || has_marked(yyjson_obj_get(body, "system")) ||
        has_marked(yyjson_obj_get(body, "tools")))
        return true;
    if (!yyjson_is_arr(messages)) return false;
    yyjson_arr_foreach(messages, i, count, message) {
        if (has_marked(yyjson_obj_get(message, "content"))) return true;
    }
    return false;
}

/* ---- the body ---- */

static bool sampling_translate(struct translation *t) {
    return max_tokens_translate(t) && translation_copy_number(t, "temperature", 5) &&
           translation_copy_number(t, "top_p", 1) && top_k_translate(t) && stop_translate(t);
}

static bool body_read(struct parsed *parsed, struct translation *t) {
    if (!(anthropic_translate_messages(t) && anthropic_translate_tools(t) &&
          thinking_translate(t, &parsed->options) && output_translate(t) &&
          servers_refuse(t))) {
        return false;
    }
    parsed->options.marks_cache = marks_cache(t->in);
    if (parsed->options.op == OP_CHAT)
        return sampling_translate(t) &&
               api_read_draft_name(t->in, &parsed->requests[0].draft_model, t->err);
    parsed->options.stream = false;
    return yyjson_mut_obj_add_bool(t->doc, t->out, "count", true);
}

bool anthropic_parse(enum service_op op, const char *body, size_t len,
                     struct parsed *ret_parsed, struct error *err) {
    return parsed_read_one(op, body, len, body_read, ret_parsed, err);
}
