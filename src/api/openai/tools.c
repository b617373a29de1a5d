/* SPDX-License-Identifier: MIT */
/* tools.c - the functions a model may call, and which it must call. */
#include <string.h>

#include "api/name_set.h"
#include "api/openai/translate.h"
#include "base/json.h"

/* Agents send custom tools to /v1/responses only, where they work; the chunks of a chat have no
 * form for a call of one. */
static bool tool_type_refuse(struct translation *t, const char *type) {
    if (!type || strcmp(type, "custom") != 0) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                               "'type' must be \"function\".");
    }
    return error_set_param(t->err, ERR_NOT_SUPPORTED, "type",
                           "Custom tools are served by /v1/responses only; use that, or send a "
                           "function with one string.");
}

/* t->out is the list. */
static bool tool_translate(struct translation *t, yyjson_val *tool) {
    const char *type = NULL;
    yyjson_val *function = NULL;
    if (!yyjson_is_obj(tool)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A tool must be an object, not %s.",
                         json_type_phrase(tool));
    }
    if (!json_read_str(tool, "type", &type, t->err)) return false;
    if (!type || strcmp(type, "function") != 0) return tool_type_refuse(t, type);
    if (!json_read_object(tool, "function", &function, t->err)) return false;
    if (!function) return translation_missing(t, "function", "its name and parameters");
    return translation_copy_tool(t, t->out, function, "parameters") ||
           translation_error_inside(t->err, "function");
}

static bool tool_list_translate(struct translation *t, yyjson_val *tools) {
    yyjson_val *tool;
    size_t i, count;
    struct translation list = translation_into(t, t->in,
                                               yyjson_mut_obj_add_arr(t->doc, t->out, "tools"));
    yyjson_arr_foreach(tools, i, count, tool) {
        if (!tool_translate(&list, tool))
            return translation_error_inside_item(t->err, "tools", i);
    }
    return true;
}

/* "functions" would be ignored without a word otherwise. */
static bool functions_refuse(struct translation *t) {
    if (yyjson_arr_size(translation_field(t, "functions")) == 0) return true;
    return error_set_param(t->err, ERR_NOT_SUPPORTED, "functions",
                           "'functions' is OpenAI's older form and not supported; send them as "
                           "'tools'.");
}

static bool tool_choice_refuse(struct translation *t) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, "tool_choice",
                           "'tool_choice' must be \"auto\", \"none\", \"required\" or "
                           "{\"type\": \"function\", \"function\": {\"name\": \"...\"}}.");
}

static bool tool_choice_function(struct translation *t, yyjson_val *choice) {
    yyjson_val *name = yyjson_obj_get(yyjson_obj_get(choice, "function"), "name");
    if (!yyjson_equals_str(yyjson_obj_get(choice, "type"), "function") ||
        !yyjson_is_str(name)) {
        return tool_choice_refuse(t);
    }
    if (!translation_find_function(yyjson_mut_obj_get(t->out, "tools"), yyjson_get_str(name))) {
        return error_set_param(
            t->err, ERR_INVALID_REQUEST, "tool_choice",
            "'tool_choice' names the function '%s', which is not in 'tools'.",
            yyjson_get_str(name));
    }
    translation_choose_function(t, yyjson_get_str(name));
    return true;
}

static const char *allowed_name(yyjson_val *tool) {
    return json_find_str(yyjson_obj_get(tool, "function"), "name");
}

/* Both may have as many as a body has room for. */
static bool allowed_names_read(struct translation *t, yyjson_val *tools, struct name_set *known,
                               struct name_set *ret_allowed) {
    yyjson_val *tool;
    size_t i, count;
    yyjson_arr_foreach(tools, i, count, tool) {
        const char *name = allowed_name(tool);
        if (!name_set_has(known, name)) {
            return error_set_param(
                t->err, ERR_INVALID_REQUEST, "tool_choice",
                "'tool_choice' allows the function '%.80s', which is not in 'tools'.",
                name ? name : "");
        }
        name_set_add(ret_allowed, name);
    }
    return true;
}

/* Keep those of the tools that {"mode", "tools"} names. */
static bool allowed_tools_translate(struct translation *t, yyjson_val *choice) {
    yyjson_val *allowed = yyjson_obj_get(choice, "allowed_tools");
    yyjson_val *mode = yyjson_obj_get(allowed, "mode"),
               *tools = yyjson_obj_get(allowed, "tools");
    bool knows = yyjson_equals_str(mode, "auto") || yyjson_equals_str(mode, "required");
    if (!knows || yyjson_arr_size(tools) == 0) return tool_choice_refuse(t);
    struct name_set known = { 0 }, names = { 0 };
    yyjson_mut_val *all = yyjson_mut_obj_get(t->out, "tools");
    translation_collect_functions(all, &known);
    bool ok = allowed_names_read(t, tools, &known, &names);
    if (ok) translation_keep_functions(all, &names);
    if (ok) yyjson_mut_obj_add_strcpy(t->doc, t->out, "tool_choice", yyjson_get_str(mode));
    name_set_clear(&known);
    name_set_clear(&names);
    return ok;
}

/* Without tools "auto" and "none" mean nothing, but clients send them. */
static bool tool_choice_translate(struct translation *t, yyjson_val *tools) {
    static const char *const words[] = { "auto", "none", "required" };
    yyjson_val *choice = translation_field(t, "tool_choice");
    bool empty = yyjson_arr_size(tools) == 0;
    if (!choice) return true;
    if (yyjson_equals_str(yyjson_obj_get(choice, "type"), "allowed_tools"))
        return allowed_tools_translate(t, choice);
    if (yyjson_is_obj(choice)) return tool_choice_function(t, choice);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!yyjson_equals_str(choice, words[i])) continue;
        if (empty && strcmp(words[i], "required") == 0) break;
        if (!empty) yyjson_mut_obj_add_str(t->doc, t->out, "tool_choice", words[i]);
        return true;
    }
    if (yyjson_equals_str(choice, "required"))
        return translation_missing(t, "tools", "the tools to choose from");
    return tool_choice_refuse(t);
}

bool openai_translate_tools(struct translation *t) {
    yyjson_val *tools = NULL;
    if (!functions_refuse(t)) return false;
    if (!json_read_array(t->in, "tools", &tools, t->err)) return false;
    if (yyjson_arr_size(tools) && !tool_list_translate(t, tools)) return false;
    return tool_choice_translate(t, tools) && translation_copy_bool(t, "parallel_tool_calls");
}
