/* SPDX-License-Identifier: MIT */
#include "api/translation.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

yyjson_val *translation_field(const struct translation *t, const char *name) {
    yyjson_val *val = yyjson_obj_get(t->in, name);
    return yyjson_is_null(val) ? NULL : val;
}

struct translation translation_into(const struct translation *t, yyjson_val *in,
                                    yyjson_mut_val *out) {
    return (struct translation){ .in = in, .doc = t->doc, .out = out, .err = t->err };
}

bool translation_copy_bool(struct translation *t, const char *name) {
    bool value = false;
    if (!translation_field(t, name)) return true;
    if (!json_read_bool(t->in, name, &value, t->err)) return false;
    yyjson_mut_obj_add_bool(t->doc, t->out, name, value);
    return true;
}

bool translation_copy_str(struct translation *t, const char *name) {
    const char *value = NULL;
    if (!json_read_str(t->in, name, &value, t->err)) return false;
    if (value) yyjson_mut_obj_add_strcpy(t->doc, t->out, name, value);
    return true;
}

bool translation_copy_object(struct translation *t, const char *name) {
    yyjson_val *value = NULL;
    if (!json_read_object(t->in, name, &value, t->err)) return false;
    if (value) yyjson_mut_obj_add_val(t->doc, t->out, name, yyjson_val_mut_copy(t->doc, value));
    return true;
}

bool translation_wrong_type(struct translation *t, const char *name, const char *want) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, name, "'%s' must be %s, not %s.", name,
                           want, json_type_phrase(yyjson_obj_get(t->in, name)));
}

bool translation_missing(struct translation *t, const char *name, const char *want) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, name, "'%s' is missing; send %s.", name,
                           want);
}

bool translation_error_inside(struct error *err, const char *place) {
    char param[sizeof err->param + 64];
    snprintf(param, sizeof param, "%s%s%s", place, err->param[0] ? "." : "", err->param);
    /* "In 'a': In 'b': ..." becomes "In 'a.b': ...". */
    if (strncmp(err->text, "In '", 4) == 0) {
        return error_set_param(err, err->code, param, "In '%s.%s", place, err->text + 4);
    }
    return error_set_param(err, err->code, param, "In '%s': %s", place, err->text);
}

bool translation_error_inside_item(struct error *err, const char *place, size_t index) {
    char item[64];
    snprintf(item, sizeof item, "%s[%zu]", place, index);
    return translation_error_inside(err, item);
}

/* Is the word one of a list with commas between? */
static bool is_listed(const char *list, const char *word) {
    size_t len = strlen(word);
    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word)) {
        if ((at == list || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0')) return true;
    }
    return false;
}

void translation_skip_tool(struct translation *t, yyjson_val *tool) {
    struct buf *list = t->skipped_tools;
    const char *kind = json_find_str(tool, "type");
    if (!list || !kind || !*kind || is_listed(buf_str(list), kind)) return;
    if (list->len + strlen(kind) + 2 > list->max) return;
    if (list->len > 0) buf_add_str(list, ", ");
    buf_add_str(list, kind);
}

bool translation_copy_number(struct translation *t, const char *name, double max) {
    double value = -1;
    if (!json_read_double(t->in, name, 0, max, &value, t->err)) return false;
    if (value >= 0) yyjson_mut_obj_add_real(t->doc, t->out, name, value);
    return true;
}

void translation_add_schema(struct translation *t, yyjson_val *schema) {
    yyjson_mut_val *format = yyjson_mut_obj_add_obj(t->doc, t->out, "response_format");
    yyjson_mut_obj_add_str(t->doc, format, "type", "json_schema");
    yyjson_mut_val *wrap = yyjson_mut_obj_add_obj(t->doc, format, "json_schema");
    yyjson_mut_obj_add_val(t->doc, wrap, "schema", yyjson_val_mut_copy(t->doc, schema));
}

yyjson_mut_val *translation_add_function(struct translation *t, yyjson_mut_val *tools,
                                         const char *name, const char *description,
                                         yyjson_val *schema) {
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(t->doc, tools);
    yyjson_mut_obj_add_str(t->doc, out, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(t->doc, out, "function");
    yyjson_mut_obj_add_strcpy(t->doc, function, "name", name);
    if (description) yyjson_mut_obj_add_strcpy(t->doc, function, "description", description);
    if (schema) {
        yyjson_mut_obj_add_val(t->doc, function, "parameters",
                               yyjson_val_mut_copy(t->doc, schema));
    } else {
        yyjson_mut_val *none = yyjson_mut_obj_add_obj(t->doc, function, "parameters");
        yyjson_mut_obj_add_str(t->doc, none, "type", "object");
        yyjson_mut_obj_add_obj(t->doc, none, "properties");
    }
    return function;
}

yyjson_mut_val *translation_copy_tool(struct translation *t, yyjson_mut_val *tools,
                                      yyjson_val *tool, const char *schema) {
    const char *name = NULL, *description = NULL;
    yyjson_val *parameters = NULL;
    bool strict = false;
    if (!json_read_str(tool, "name", &name, t->err)) return NULL;
    if (!name || !*name) {
        (void)translation_missing(t, "name", "the function's name");
        return NULL;
    }
    if (!json_read_str(tool, "description", &description, t->err) ||
        !json_read_object(tool, schema, &parameters, t->err) ||
        !json_read_bool(tool, "strict", &strict, t->err)) {
        return NULL;
    }
    yyjson_mut_val *function = translation_add_function(t, tools, name, description,
                                                        parameters);
    if (strict) yyjson_mut_obj_add_true(t->doc, yyjson_mut_arr_get_last(tools), "strict");
    return function;
}

static const char *function_name(yyjson_mut_val *tool) {
    return yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_obj_get(tool, "function"), "name"));
}

void translation_collect_functions(yyjson_mut_val *tools, struct name_set *ret_names) {
    yyjson_mut_val *tool;
    size_t i, count;
    yyjson_mut_arr_foreach(tools, i, count, tool) name_set_add(ret_names, function_name(tool));
}

/* Not by yyjson_mut_arr_iter_remove, which leaves out what follows. */
void translation_keep_functions(yyjson_mut_val *tools, struct name_set *names) {
    size_t count = yyjson_mut_arr_size(tools);
    yyjson_mut_val *tool = yyjson_mut_arr_get_first(tools);
    (void)yyjson_mut_arr_clear(tools);
    for (; count > 0; count--) {
        yyjson_mut_val *next = tool->next;
        if (name_set_has(names, function_name(tool))) (void)yyjson_mut_arr_append(tools, tool);
        tool = next;
    }
}

yyjson_mut_val *translation_find_function(yyjson_mut_val *tools, const char *name) {
    yyjson_mut_val *tool;
    size_t i, count;
    yyjson_mut_arr_foreach(tools, i, count, tool) {
        yyjson_mut_val *function = yyjson_mut_obj_get(tool, "function");
        if (yyjson_mut_equals_str(yyjson_mut_obj_get(function, "name"), name)) return tool;
    }
    return NULL;
}

void translation_choose_function(struct translation *t, const char *name) {
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(t->doc, t->out, "tool_choice");
    yyjson_mut_obj_add_str(t->doc, out, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(t->doc, out, "function");
    yyjson_mut_obj_add_strcpy(t->doc, function, "name", name);
}
