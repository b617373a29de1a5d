/* SPDX-License-Identifier: MIT */
/* tools.c - the functions a model may call, and which it must call. */
#include <string.h>

#include "api/openai/translate.h"
#include "base/json.h"

/* Templates expect a schema even if a function has no parameters. */
static void parameters_add_none(struct translation *t) {
    yyjson_mut_val *schema = yyjson_mut_obj_add_obj(t->doc, t->out, "parameters");
    yyjson_mut_obj_add_str(t->doc, schema, "type", "object");
    yyjson_mut_obj_add_obj(t->doc, schema, "properties");
}

static bool function_translate(struct translation *t) {
    const char *name = NULL;
    if (!json_read_str(t->in, "name", &name, t->err)) return false;
    if (!name || !*name) return translation_missing(t, "name", "the function's name");
    yyjson_mut_obj_add_strcpy(t->doc, t->out, "name", name);
    if (!translation_copy_str(t, "description")) return false;
    if (!translation_copy_object(t, "parameters")) return false;
    if (!translation_field(t, "parameters")) parameters_add_none(t);
    return true;
}

static bool tool_translate(struct translation *t) {
    const char *type = NULL;
    yyjson_val *function = NULL;
    if (!yyjson_is_obj(t->in)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A tool must be an object, not %s.",
                         json_type_phrase(t->in));
    }
    if (!json_read_str(t->in, "type", &type, t->err)) return false;
    if (!type || strcmp(type, "function") != 0) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                               "'type' must be \"function\".");
    }
    if (!json_read_object(t->in, "function", &function, t->err)) return false;
    if (!function) return translation_missing(t, "function", "its name and parameters");
    yyjson_mut_obj_add_str(t->doc, t->out, "type", "function");
    struct translation inner = translation_into(
        t, function, yyjson_mut_obj_add_obj(t->doc, t->out, "function"));
    return function_translate(&inner) || translation_error_inside(t->err, "function");
}

static bool tool_list_translate(struct translation *t, yyjson_val *tools) {
    yyjson_val *tool;
    size_t i, count;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "tools");
    yyjson_arr_foreach(tools, i, count, tool) {
        struct translation inner = translation_into(t, tool,
                                                    yyjson_mut_arr_add_obj(t->doc, list));
        if (!tool_translate(&inner)) return translation_error_inside_item(t->err, "tools", i);
    }
    return true;
}

static bool tool_choice_refuse(struct translation *t) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, "tool_choice",
                           "'tool_choice' must be \"auto\", \"none\", \"required\" or "
                           "{\"type\": \"function\", \"function\": {\"name\": \"...\"}}.");
}

static bool tool_named(yyjson_val *tools, const char *name) {
    yyjson_val *tool;
    size_t i, count;
    yyjson_arr_foreach(tools, i, count, tool) {
        yyjson_val *function = yyjson_obj_get(tool, "function");
        if (yyjson_equals_str(yyjson_obj_get(function, "name"), name)) return true;
    }
    return false;
}

static bool tool_choice_function(struct translation *t, yyjson_val *choice, yyjson_val *tools) {
    yyjson_val *name = yyjson_obj_get(yyjson_obj_get(choice, "function"), "name");
    if (!yyjson_equals_str(yyjson_obj_get(choice, "type"), "function") ||
        !yyjson_is_str(name)) {
        return tool_choice_refuse(t);
    }
    if (!tool_named(tools, yyjson_get_str(name))) {
        return error_set_param(
            t->err, ERR_INVALID_REQUEST, "tool_choice",
            "'tool_choice' names the function '%s', which is not in 'tools'.",
            yyjson_get_str(name));
    }
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(t->doc, t->out, "tool_choice");
    yyjson_mut_obj_add_str(t->doc, out, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(t->doc, out, "function");
    yyjson_mut_obj_add_val(t->doc, function, "name", yyjson_val_mut_copy(t->doc, name));
    return true;
}

/* Without tools "auto" and "none" mean nothing, but clients send them. */
static bool tool_choice_translate(struct translation *t, yyjson_val *tools) {
    static const char *const words[] = { "auto", "none", "required" };
    yyjson_val *choice = translation_field(t, "tool_choice");
    bool empty = yyjson_arr_size(tools) == 0;
    if (!choice) return true;
    if (yyjson_is_obj(choice)) return tool_choice_function(t, choice, tools);
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
    if (!json_read_array(t->in, "tools", &tools, t->err)) return false;
    if (yyjson_arr_size(tools) && !tool_list_translate(t, tools)) return false;
    return tool_choice_translate(t, tools) && translation_copy_bool(t, "parallel_tool_calls");
}
