/* SPDX-License-Identifier: MIT */
/*
 * tools.c - the tools of a Responses body as functions.
 *
 * A namespace's functions stand beside the others; the answer names their namespace again,
 * which Codex insists on. A custom tool, whose input is a text, becomes a function with one
 * string.
 */
#include <string.h>

#include "api/name_set.h"
#include "api/responses/item.h"
#include "api/responses/translate.h"
#include "base/json.h"

/* ---- tools ---- */

/* {"input": "..."} is all it takes. */
static void text_parameters_set(struct translation *t, yyjson_mut_val *function) {
    yyjson_mut_val *schema = yyjson_mut_obj_get(function, "parameters");
    yyjson_mut_val *properties = yyjson_mut_obj_get(schema, "properties");
    yyjson_mut_val *input = yyjson_mut_obj_add_obj(t->doc, properties, "input");
    yyjson_mut_obj_add_str(t->doc, input, "type", "string");
    yyjson_mut_val *required = yyjson_mut_obj_add_arr(t->doc, schema, "required");
    yyjson_mut_arr_add_str(t->doc, required, "input");
}

static bool tool_add(struct translation *t, yyjson_val *tool, yyjson_mut_val *list) {
    yyjson_mut_val *function = translation_copy_tool(t, list, tool, "parameters");
    if (function && item_is_type(tool, "custom")) text_parameters_set(t, function);
    return function != NULL;
}

/* The tools of a list or of a namespace, which has no others in it. */
static bool tools_add(struct translation *t, yyjson_val *tools, yyjson_mut_val *list,
                      bool outer) {
    yyjson_val *tool;
    size_t i, count;
    yyjson_arr_foreach(tools, i, count, tool) {
        bool ok = true;
        if (!yyjson_is_obj(tool)) {
            ok = error_set(t->err, ERR_INVALID_REQUEST, "A tool must be an object, not %s.",
                           json_type_phrase(tool));
        } else if (item_is_type(tool, "function") || item_is_type(tool, "custom")) {
            ok = tool_add(t, tool, list);
        } else if (outer && item_is_type(tool, "namespace")) {
            ok = tools_add(t, yyjson_obj_get(tool, "tools"), list, false);
        } else {
            translation_skip_tool(t, tool);
        }
        if (!ok) return translation_error_inside_item(t->err, "tools", i);
    }
    return true;
}

/* ---- tool_choice ---- */

static bool choice_refuse(struct translation *t) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, "tool_choice",
                           "'tool_choice' must be \"auto\", \"none\", \"required\" or name "
                           "functions of 'tools'; this server runs no tools itself.");
}

static bool word_add(struct translation *t, const char *word, yyjson_mut_val *list) {
    static const char *const words[] = { "auto", "none", "required" };
    bool empty = yyjson_mut_arr_size(list) == 0;
    for (size_t i = 0; word && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) != 0) continue;
        if (empty && i == 2) return translation_missing(t, "tools", "the tools to choose from");
        if (!empty) yyjson_mut_obj_add_str(t->doc, t->out, "tool_choice", words[i]);
        return true;
    }
    return choice_refuse(t);
}

static bool named_add(struct translation *t, const char *name, yyjson_mut_val *list) {
    if (!name || !translation_find_function(list, name)) return choice_refuse(t);
    translation_choose_function(t, name);
    return true;
}

/* {"type":"allowed_tools","mode":"auto"|"required","tools":[{"type","name"}]}: only these. */
static bool allowed_add(struct translation *t, yyjson_val *choice, yyjson_mut_val *list) {
    struct name_set names = { 0 };
    yyjson_val *one;
    size_t i, count;
    yyjson_arr_foreach(yyjson_obj_get(choice, "tools"), i, count, one) {
        name_set_add(&names, json_find_str(one, "name"));
    }
    translation_keep_functions(list, &names);
    name_set_clear(&names);
    return word_add(t, json_find_str(choice, "mode"), list);
}

static bool choice_translate(struct translation *t, yyjson_mut_val *list) {
    yyjson_val *choice = translation_field(t, "tool_choice");
    if (!choice) return true;
    if (yyjson_is_str(choice)) return word_add(t, yyjson_get_str(choice), list);
    if (item_is_type(choice, "allowed_tools")) return allowed_add(t, choice, list);
    return named_add(t, json_find_str(choice, "name"), list);
}

bool responses_translate_tools(struct translation *t) {
    yyjson_val *tools = NULL;
    yyjson_mut_val *list = yyjson_mut_arr(t->doc);
    if (!json_read_array(t->in, "tools", &tools, t->err)) return false;
    if (!tools_add(t, tools, list, true) || !choice_translate(t, list)) return false;
    if (yyjson_mut_arr_size(list)) yyjson_mut_obj_add_val(t->doc, t->out, "tools", list);
    return translation_copy_bool(t, "parallel_tool_calls");
}

/* ---- the way back ---- */

yyjson_mut_val *responses_find_tool(yyjson_mut_val *tools, const char *name,
                                    const char **ret_space) {
    yyjson_mut_val *tool;
    size_t i, count;
    *ret_space = NULL;
    yyjson_mut_arr_foreach(tools, i, count, tool) {
        const char *none;
        yyjson_mut_val *inner = yyjson_mut_obj_get(tool, "tools");
        yyjson_mut_val *found = inner ? responses_find_tool(inner, name, &none) : NULL;
        if (found) {
            *ret_space = yyjson_mut_get_str(yyjson_mut_obj_get(tool, "name"));
            return found;
        }
        if (!inner && yyjson_mut_equals_str(yyjson_mut_obj_get(tool, "name"), name))
            return tool;
    }
    return NULL;
}
