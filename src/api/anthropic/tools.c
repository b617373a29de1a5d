/* SPDX-License-Identifier: MIT */
/* tools.c - the tools that a model may call, and which it must call. */
#include <string.h>

#include "api/anthropic/translate.h"
#include "api/name_set.h"
#include "base/json.h"

/* ---- deferred tools: shown once a tool_reference has named them ---- */

struct references {
    struct name_set names;
    bool known;
};

static void names_collect(struct name_set *names, yyjson_val *content) {
    yyjson_val *block;
    size_t i, count;
    yyjson_arr_foreach(content, i, count, block) {
        name_set_add(names, json_find_str(block, "tool_name"));
        names_collect(names, yyjson_obj_get(block, "content"));
    }
}

static bool is_referred_to(const struct translation *t, struct references *r,
                           const char *name) {
    if (!r->known)
        names_collect(&r->names, yyjson_obj_get(t->in, "messages")); /* each has a "content" */
    r->known = true;
    return name_set_has(&r->names, name);
}

/* Only the client's own tools have no type or "custom"; Anthropic runs the others. */
static bool is_own(yyjson_val *tool) {
    yyjson_val *type = yyjson_obj_get(tool, "type");
    return !type || yyjson_is_null(type) || yyjson_equals_str(type, "custom");
}

static bool is_shown(const struct translation *t, struct references *referred,
                     yyjson_val *tool) {
    if (!yyjson_is_true(yyjson_obj_get(tool, "defer_loading"))) return true;
    return is_referred_to(t, referred, json_find_str(tool, "name"));
}

/* ---- tools ---- */

static bool tools_add(struct translation *t, yyjson_val *tools, struct references *referred,
                      yyjson_mut_val *list) {
    yyjson_val *tool;
    size_t i, count;
    yyjson_arr_foreach(tools, i, count, tool) {
        if (!yyjson_is_obj(tool)) {
            (void)error_set(t->err, ERR_INVALID_REQUEST, "A tool must be an object, not %s.",
                            json_type_phrase(tool));
            return translation_error_inside_item(t->err, "tools", i);
        }
        bool own = is_own(tool);
        if (!own) translation_skip_tool(t, tool);
        if (!own || !is_shown(t, referred, tool)) continue;
        if (translation_copy_tool(t, list, tool, "input_schema")) continue;
        return translation_error_inside_item(t->err, "tools", i);
    }
    return true;
}

/* ---- tool_choice ---- */

static bool named_add(struct translation *t, yyjson_val *choice, yyjson_mut_val *tools) {
    const char *name = json_find_str(choice, "name");
    if (!name || !translation_find_function(tools, name)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "tool_choice",
                               "'tool_choice' must name one of the tools in 'tools'.");
    }
    translation_choose_function(t, name);
    return true;
}

static bool choice_translate(struct translation *t, yyjson_mut_val *tools) {
    static const char *const words[][2] = { { "auto", "auto" },
                                            { "any", "required" },
                                            { "none", "none" } };
    yyjson_val *choice = NULL;
    if (!json_read_object(t->in, "tool_choice", &choice, t->err)) return false;
    if (!choice) return true;
    if (yyjson_is_true(yyjson_obj_get(choice, "disable_parallel_tool_use"))) {
        yyjson_mut_obj_add_bool(t->doc, t->out, "parallel_tool_calls", false);
    }
    const char *type = json_find_str(choice, "type");
    if (type && strcmp(type, "tool") == 0) return named_add(t, choice, tools);
    for (size_t i = 0; type && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], type) != 0) continue;
        bool empty = yyjson_mut_arr_size(tools) == 0;
        if (empty && strcmp(type, "any") == 0) {
            return translation_missing(t, "tools", "the tools to choose from");
        }
        if (!empty) yyjson_mut_obj_add_str(t->doc, t->out, "tool_choice", words[i][1]);
        return true;
    }
    return error_set_param(t->err, ERR_INVALID_REQUEST, "tool_choice",
                           "'tool_choice' must have the type \"auto\", \"any\", \"none\" or "
                           "\"tool\".");
}

bool anthropic_translate_tools(struct translation *t) {
    yyjson_val *tools = NULL;
    yyjson_mut_val *list = yyjson_mut_arr(t->doc);
    if (!json_read_array(t->in, "tools", &tools, t->err)) return false;
    struct references referred = { 0 };
    bool added = tools_add(t, tools, &referred, list);
    name_set_clear(&referred.names);
    if (!added) return false;
    if (yyjson_mut_arr_size(list)) yyjson_mut_obj_add_val(t->doc, t->out, "tools", list);
    return choice_translate(t, list);
}
