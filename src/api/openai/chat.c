/* SPDX-License-Identifier: MIT */
/* chat.c - the fields that only a chat has. */
#include <string.h>

#include "api/openai/translate.h"
#include "base/json.h"

/* {"type":"json_object","schema":{}} is a form other servers take. */
static bool json_object_translate(struct translation *t, yyjson_val *format) {
    yyjson_val *schema = NULL;
    if (!json_read_object(format, "schema", &schema, t->err)) return false;
    if (schema) {
        translation_add_schema(t, schema);
    } else {
        yyjson_mut_val *out = yyjson_mut_obj_add_obj(t->doc, t->out, "response_format");
        yyjson_mut_obj_add_str(t->doc, out, "type", "json_object");
    }
    return true;
}

static bool json_schema_translate(struct translation *t, yyjson_val *format) {
    yyjson_val *wrap = NULL, *schema = NULL;
    if (!json_read_object(format, "json_schema", &wrap, t->err)) return false;
    bool strict; /* a schema is enforced as far as it can be in any case */
    if (wrap && (!json_read_object(wrap, "schema", &schema, t->err) ||
                 !json_read_bool(wrap, "strict", &strict, t->err))) {
        return translation_error_inside(t->err, "json_schema");
    }
    if (!schema) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "json_schema",
                               "'json_schema' is missing; send {\"schema\": {...}}.");
    }
    translation_add_schema(t, schema);
    return true;
}

static bool format_translate(struct translation *t, yyjson_val *format) {
    const char *type = NULL;
    if (!json_read_str(format, "type", &type, t->err)) return false;
    if (type && strcmp(type, "text") == 0) return true; /* the same as none */
    if (type && strcmp(type, "json_object") == 0) return json_object_translate(t, format);
    if (type && strcmp(type, "json_schema") == 0) return json_schema_translate(t, format);
    return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                           "'type' must be \"text\", \"json_object\" or \"json_schema\".");
}

static bool response_format_translate(struct translation *t) {
    yyjson_val *format = NULL;
    if (!json_read_object(t->in, "response_format", &format, t->err)) return false;
    if (!format) return true;
    return format_translate(t, format) || translation_error_inside(t->err, "response_format");
}

bool openai_translate_chat(struct translation *t) {
    return openai_translate_messages(t) && openai_translate_tools(t) &&
           response_format_translate(t) && translation_copy_str(t, "reasoning_effort") &&
           translation_copy_object(t, "chat_template_kwargs") &&
           translation_copy_bool(t, "add_generation_prompt") &&
           translation_copy_bool(t, "continue_final_message") && openai_translate_sampling(t) &&
           openai_translate_chat_logprobs(t);
}
