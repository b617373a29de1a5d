/* SPDX-License-Identifier: MIT */
/*
 * messages.c - the conversation of a chat, normalised: known fields only, so that what some
 * clients add to a message (cache_control, refusal, audio, ...) never reaches a template.
 */
#include <stdio.h>
#include <string.h>

#include "api/conversation.h"
#include "api/openai/translate.h"
#include "base/json.h"

struct role {
    const char *name, *neutral;
};
static const struct role roles[] = {
    { "system", "system" },       { "user", "user" },
    { "assistant", "assistant" }, { "developer", "system" }, /* OpenAI's newer word */
    { "tool", "tool" },           { "function", "tool" },    /* their older word */
};

static bool role_translate(struct translation *t, const char **ret_role) {
    const char *role = NULL;
    if (!json_read_str(t->in, "role", &role, t->err)) return false;
    if (!role)
        return translation_missing(t, "role",
                                   "\"system\", \"user\", \"assistant\" or \"tool\"");
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(roles[i].name, role) != 0) continue;
        *ret_role = roles[i].neutral;
        yyjson_mut_obj_add_str(t->doc, t->out, "role", roles[i].neutral);
        return true;
    }
    return error_set_param(
        t->err, ERR_INVALID_REQUEST, "role",
        "'role' must be \"system\", \"user\", \"assistant\" or \"tool\", not \"%s\".", role);
}

/* {"url": "..."}; some clients send the address alone. */
static bool image_translate(struct translation *t) {
    yyjson_val *image = translation_field(t, "image_url");
    yyjson_val *url = yyjson_is_obj(image) ? yyjson_obj_get(image, "url") : image;
    if (!yyjson_is_str(url)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "image_url",
                               "'image_url' must be {\"url\": \"...\"}.");
    }
    yyjson_mut_obj_add_str(t->doc, t->out, "type", "image_url");
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(t->doc, t->out, "image_url");
    yyjson_mut_obj_add_val(t->doc, out, "url", yyjson_val_mut_copy(t->doc, url));
    return true;
}

static bool text_part_add(struct translation *t, yyjson_mut_val *text) {
    yyjson_mut_obj_add_str(t->doc, t->out, "type", "text");
    return yyjson_mut_obj_add_val(t->doc, t->out, "text", text);
}

/* A model's refusal is what it said. */
static yyjson_mut_val *refusal_text(struct translation *t) {
    yyjson_val *text = translation_field(t, "refusal");
    return yyjson_is_str(text) ? yyjson_val_mut_copy(t->doc, text) : yyjson_mut_str(t->doc, "");
}

static bool part_translate(struct translation *t, bool of_tool) {
    const char *type = NULL;
    if (!yyjson_is_obj(t->in)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A part must be an object, not %s.",
                         json_type_phrase(t->in));
    }
    if (!json_read_str(t->in, "type", &type, t->err)) return false;
    if (!type) return translation_missing(t, "type", "\"text\" or \"image_url\"");
    bool image = strcmp(type, "image_url") == 0;
    if (image && of_tool) return text_part_add(t, yyjson_mut_str(t->doc, CONVERSATION_IMAGE));
    if (image) return image_translate(t);
    if (strcmp(type, "refusal") == 0) return text_part_add(t, refusal_text(t));
    if (strcmp(type, "text") != 0) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                               "Parts of type \"%s\" are not supported; send \"text\" or "
                               "\"image_url\".",
                               type);
    }
    yyjson_val *text = translation_field(t, "text");
    if (!yyjson_is_str(text)) return translation_wrong_type(t, "text", "a string");
    return text_part_add(t, yyjson_val_mut_copy(t->doc, text));
}

static bool parts_translate(struct translation *t, yyjson_val *parts, bool of_tool) {
    yyjson_val *part;
    size_t i, count;
    if (yyjson_arr_size(parts) == 0) { /* Zed sends this for an empty text */
        yyjson_mut_obj_add_str(t->doc, t->out, "content", "");
        return true;
    }
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "content");
    yyjson_arr_foreach(parts, i, count, part) {
        struct translation inner = translation_into(t, part,
                                                    yyjson_mut_arr_add_obj(t->doc, list));
        if (!part_translate(&inner, of_tool))
            return translation_error_inside_item(t->err, "content", i);
    }
    return true;
}

/* An assistant's may be null: beside tool calls it stays so, alone it is an empty answer. */
static bool content_translate(struct translation *t, const char *role) {
    yyjson_val *content = translation_field(t, "content");
    if (yyjson_is_arr(content)) return parts_translate(t, content, strcmp(role, "tool") == 0);
    if (yyjson_is_str(content)) {
        yyjson_mut_obj_add_val(t->doc, t->out, "content", yyjson_val_mut_copy(t->doc, content));
        return true;
    }
    if (content || strcmp(role, "assistant") != 0) {
        return translation_wrong_type(t, "content", "a string or an array of parts");
    }
    if (yyjson_arr_size(yyjson_obj_get(t->in, "tool_calls")) ||
        translation_field(t, "function_call")) {
        yyjson_mut_obj_add_null(t->doc, t->out, "content");
    } else {
        yyjson_mut_obj_add_str(t->doc, t->out, "content", "");
    }
    return true;
}

/* OpenAI's clients send a JSON text, others the object itself. */
static bool arguments_translate(struct translation *t) {
    yyjson_val *arguments = translation_field(t, "arguments");
    if (!arguments) {
        yyjson_mut_obj_add_str(t->doc, t->out, "arguments", "{}");
    } else if (yyjson_is_str(arguments)) {
        yyjson_mut_obj_add_val(t->doc, t->out, "arguments",
                               yyjson_val_mut_copy(t->doc, arguments));
    } else if (yyjson_is_obj(arguments)) {
        struct buf text = BUF_INIT(SIZE_MAX / 2); /* no longer than the body it is from */
        bool ok = json_write_val(arguments, &text) &&
                  yyjson_mut_obj_add_strncpy(t->doc, t->out, "arguments", text.data, text.len);
        buf_clear(&text);
        return ok || translation_wrong_type(t, "arguments", "a JSON text");
    } else {
        return translation_wrong_type(t, "arguments", "a JSON text");
    }
    return true;
}

static bool function_translate(struct translation *t, yyjson_val *function) {
    const char *name = NULL;
    if (!json_read_str(function, "name", &name, t->err))
        return translation_error_inside(t->err, "function");
    yyjson_mut_obj_add_str(t->doc, t->out, "type", "function");
    struct translation inner = translation_into(
        t, function, yyjson_mut_obj_add_obj(t->doc, t->out, "function"));
    if (!name) {
        (void)translation_missing(&inner, "name", "the function's name");
        return translation_error_inside(t->err, "function");
    }
    yyjson_mut_obj_add_strcpy(t->doc, inner.out, "name", name);
    return arguments_translate(&inner) || translation_error_inside(t->err, "function");
}

static bool tool_call_translate(struct translation *t) {
    yyjson_val *function = NULL;
    if (!yyjson_is_obj(t->in)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A tool call must be an object, not %s.",
                         json_type_phrase(t->in));
    }
    if (!translation_copy_str(t, "id")) return false;
    if (!json_read_object(t->in, "function", &function, t->err)) return false;
    if (!function) return translation_missing(t, "function", "its name and arguments");
    return function_translate(t, function);
}

/* ---- calls in OpenAI's older form: one in a message, and without an id ---- */

static void add_place_id(struct translation *t, const char *field, size_t place) {
    char id[32];
    snprintf(id, sizeof id, "function_%zu", place);
    yyjson_mut_obj_add_strcpy(t->doc, t->out, field, id);
}

/* *last: the place of the last message with a call. */
static bool function_call_translate(struct translation *t, size_t place, size_t *last) {
    yyjson_val *call = NULL;
    if (yyjson_equals_str(yyjson_obj_get(t->in, "role"), "function"))
        add_place_id(t, "tool_call_id", *last);
    if (!json_read_object(t->in, "function_call", &call, t->err)) return false;
    if (!call || yyjson_mut_obj_get(t->out, "tool_calls")) return true;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "tool_calls");
    struct translation inner = translation_into(t, call, yyjson_mut_arr_add_obj(t->doc, list));
    add_place_id(&inner, "id", place);
    *last = place;
    return function_translate(&inner, call) ||
           translation_error_inside(t->err, "function_call");
}

static bool tool_calls_translate(struct translation *t) {
    yyjson_val *calls = NULL, *call;
    size_t i, count;
    if (!json_read_array(t->in, "tool_calls", &calls, t->err)) return false;
    if (yyjson_arr_size(calls) == 0) return true;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "tool_calls");
    yyjson_arr_foreach(calls, i, count, call) {
        struct translation inner = translation_into(t, call,
                                                    yyjson_mut_arr_add_obj(t->doc, list));
        if (!tool_call_translate(&inner))
            return translation_error_inside_item(t->err, "tool_calls", i);
    }
    return true;
}

static bool message_translate(struct translation *t) {
    const char *role = NULL;
    if (!yyjson_is_obj(t->in)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A message must be an object, not %s.",
                         json_type_phrase(t->in));
    }
    return role_translate(t, &role) && content_translate(t, role) && tool_calls_translate(t) &&
           translation_copy_str(t, "reasoning_content") && translation_copy_str(t, "name") &&
           translation_copy_str(t, "tool_call_id");
}

bool openai_translate_messages(struct translation *t) {
    yyjson_val *messages = NULL, *message;
    size_t i, count, last_call = 0;
    if (!json_read_array(t->in, "messages", &messages, t->err)) return false;
    if (yyjson_arr_size(messages) == 0) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "messages",
                               "'messages' must hold at least one message.");
    }
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "messages");
    yyjson_arr_foreach(messages, i, count, message) {
        struct translation inner = translation_into(t, message,
                                                    yyjson_mut_arr_add_obj(t->doc, list));
        if (!message_translate(&inner) || !function_call_translate(&inner, i, &last_call))
            return translation_error_inside_item(t->err, "messages", i);
    }
    return true;
}
