/* SPDX-License-Identifier: MIT */
/*
 * messages.c - Ollama's messages as OpenAI's, which templates know.
 *
 * Its calls have no ids, so they get some here, and a tool's result belongs to the oldest call
 * that has none.
 */
#include <stdio.h>
#include <string.h>

#include "api/ollama/translate.h"
#include "base/buf.h"
#include "base/json.h"

/* Calls of one conversation, counted. */
struct calls {
    int made, answered;
};

static void write_id(int number, char id[32]) {
    snprintf(id, 32, "call_%d", number);
}

/* ---- images ---- */

/* By the first characters of the base64 text, which stand for the file's first bytes. */
static const char *image_type(const char *base64) {
    static const char *const marks[][2] = { { "/9j/", "image/jpeg" },
                                            { "R0lG", "image/gif" },
                                            { "UklG", "image/webp" } };
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strncmp(base64, marks[i][0], 4) == 0) return marks[i][1];
    }
    return "image/png";
}

static bool image_add(struct translation *t, yyjson_mut_val *parts, yyjson_val *image) {
    const char *data = yyjson_get_str(image);
    struct buf url = BUF_INIT(TRANSLATION_TEXT_MAX);
    if (!data) return translation_wrong_type(t, "images", "an array of base64 texts");
    if (strncmp(data, "data:", 5) != 0)
        (void)buf_addf(&url, "data:%s;base64,", image_type(data));
    (void)buf_add_str(&url, data);
    yyjson_mut_val *part = yyjson_mut_arr_add_obj(t->doc, parts);
    yyjson_mut_obj_add_str(t->doc, part, "type", "image_url");
    yyjson_mut_val *at = yyjson_mut_obj_add_obj(t->doc, part, "image_url");
    yyjson_mut_obj_add_strncpy(t->doc, at, "url", buf_str(&url), url.len);
    buf_clear(&url);
    return true;
}

/* A string, or parts where t->in has images. */
static bool content_add(struct translation *t, yyjson_mut_val *message, const char *text) {
    yyjson_val *images = NULL, *image;
    size_t i, count;
    if (!json_read_array(t->in, "images", &images, t->err)) return false;
    if (yyjson_arr_size(images) == 0)
        return yyjson_mut_obj_add_strcpy(t->doc, message, "content", text);
    yyjson_mut_val *parts = yyjson_mut_obj_add_arr(t->doc, message, "content");
    if (*text) {
        yyjson_mut_val *part = yyjson_mut_arr_add_obj(t->doc, parts);
        yyjson_mut_obj_add_str(t->doc, part, "type", "text");
        yyjson_mut_obj_add_strcpy(t->doc, part, "text", text);
    }
    yyjson_arr_foreach(images, i, count, image) {
        if (!image_add(t, parts, image)) return false;
    }
    return true;
}

/* ---- calls and results ---- */

static bool arguments_add(struct translation *t, yyjson_mut_val *out, yyjson_val *function) {
    yyjson_val *arguments = NULL;
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    if (!json_read_object(function, "arguments", &arguments, t->err)) return false;
    bool ok = arguments ? json_write_val(arguments, &text) : buf_add_str(&text, "{}");
    ok = ok && yyjson_mut_obj_add_strncpy(t->doc, out, "arguments", text.data, text.len);
    buf_clear(&text);
    return ok || translation_wrong_type(t, "arguments", "an object");
}

static bool call_add(struct translation *t, yyjson_mut_val *list, yyjson_val *call,
                     struct calls *calls) {
    yyjson_val *function = yyjson_obj_get(call, "function");
    const char *name = json_find_str(function, "name"), *given = json_find_str(call, "id");
    char id[32];
    if (!name || !*name) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "function",
                               "A call must be {\"function\": {\"name\": \"...\", "
                               "\"arguments\": {...}}}.");
    }
    write_id(++calls->made, id);
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(t->doc, list);
    yyjson_mut_obj_add_strcpy(t->doc, out, "id", given && *given ? given : id);
    yyjson_mut_obj_add_str(t->doc, out, "type", "function");
    yyjson_mut_val *inner = yyjson_mut_obj_add_obj(t->doc, out, "function");
    yyjson_mut_obj_add_strcpy(t->doc, inner, "name", name);
    return arguments_add(t, inner, function);
}

static bool calls_add(struct translation *t, yyjson_mut_val *message, struct calls *calls) {
    yyjson_val *list = NULL, *call;
    size_t i, count;
    if (!json_read_array(t->in, "tool_calls", &list, t->err)) return false;
    if (yyjson_arr_size(list) == 0) return true;
    yyjson_mut_val *out = yyjson_mut_obj_add_arr(t->doc, message, "tool_calls");
    yyjson_arr_foreach(list, i, count, call) {
        if (!call_add(t, out, call, calls))
            return translation_error_inside_item(t->err, "tool_calls", i);
    }
    return true;
}

static bool result_add(struct translation *t, yyjson_mut_val *message, struct calls *calls) {
    const char *given = NULL, *name = NULL;
    char id[32];
    if (!json_read_str(t->in, "tool_call_id", &given, t->err) ||
        !json_read_str(t->in, "tool_name", &name, t->err)) {
        return false;
    }
    write_id(++calls->answered, id);
    yyjson_mut_obj_add_strcpy(t->doc, message, "tool_call_id", given && *given ? given : id);
    if (name) yyjson_mut_obj_add_strcpy(t->doc, message, "name", name);
    return true;
}

/* ---- messages ---- */

static bool role_add(struct translation *t, yyjson_mut_val *message, const char **ret_role) {
    static const char *const roles[] = { "system", "user", "assistant", "tool" };
    const char *role = "";
    if (!json_read_str(t->in, "role", &role, t->err)) return false;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(role, roles[i]) != 0) continue;
        *ret_role = roles[i];
        return yyjson_mut_obj_add_str(t->doc, message, "role", roles[i]);
    }
    return error_set_param(t->err, ERR_INVALID_REQUEST, "role",
                           "'role' must be \"system\", \"user\", \"assistant\" or \"tool\".");
}

static bool message_add(struct translation *t, struct calls *calls) {
    const char *role = NULL, *text = "", *thinking = NULL;
    yyjson_mut_val *message = t->out;
    if (!yyjson_is_obj(t->in)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A message must be an object, not %s.",
                         json_type_phrase(t->in));
    }
    if (!role_add(t, message, &role) || !json_read_str(t->in, "content", &text, t->err) ||
        !json_read_str(t->in, "thinking", &thinking, t->err) ||
        !content_add(t, message, text)) {
        return false;
    }
    if (strcmp(role, "tool") == 0) return result_add(t, message, calls);
    if (strcmp(role, "assistant") != 0) return true;
    if (thinking && *thinking)
        yyjson_mut_obj_add_strcpy(t->doc, message, "reasoning_content", thinking);
    return calls_add(t, message, calls);
}

bool ollama_translate_messages(struct translation *t, yyjson_val *messages) {
    struct calls calls = { 0 };
    yyjson_val *message;
    size_t i, count;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "messages");
    yyjson_arr_foreach(messages, i, count, message) {
        struct translation inner = translation_into(t, message,
                                                    yyjson_mut_arr_add_obj(t->doc, list));
        if (!message_add(&inner, &calls))
            return translation_error_inside_item(t->err, "messages", i);
    }
    return true;
}

/* In front of all, in the place of an earlier one. */
static void system_put(struct translation *t, yyjson_mut_val *list, const char *text) {
    yyjson_mut_val *first = yyjson_mut_arr_get_first(list);
    if (yyjson_mut_equals_str(yyjson_mut_obj_get(first, "role"), "system"))
        yyjson_mut_arr_remove_first(list);
    yyjson_mut_val *message = yyjson_mut_obj(t->doc);
    yyjson_mut_arr_prepend(list, message);
    yyjson_mut_obj_add_str(t->doc, message, "role", "system");
    yyjson_mut_obj_add_strcpy(t->doc, message, "content", text);
}

bool ollama_translate_prompt(struct translation *t, const char *prompt) {
    const char *system = "";
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "messages");
    if (!json_read_str(t->in, "system", &system, t->err) || !ollama_context_read(t, list))
        return false;
    if (*system) system_put(t, list, system);
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(t->doc, list);
    yyjson_mut_obj_add_str(t->doc, message, "role", "user");
    return content_add(t, message, prompt);
}

/* ---- tools ---- */

bool ollama_translate_tools(struct translation *t) {
    yyjson_val *tools = NULL, *tool;
    size_t i, count;
    if (!json_read_array(t->in, "tools", &tools, t->err)) return false;
    if (yyjson_arr_size(tools) == 0) return true;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "tools");
    yyjson_arr_foreach(tools, i, count, tool) {
        yyjson_val *function = yyjson_obj_get(tool, "function");
        bool ok = yyjson_is_obj(function)
                      ? translation_copy_tool(t, list, function, "parameters") != NULL
                      : translation_missing(t, "function", "its name and parameters");
        if (!ok) return translation_error_inside_item(t->err, "tools", i);
    }
    return true;
}
