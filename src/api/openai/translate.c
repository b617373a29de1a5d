/* SPDX-License-Identifier: MIT */
#include "api/openai/translate.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

yyjson_val *openai_field(const struct openai_translation *t, const char *name) {
    yyjson_val *val = yyjson_obj_get(t->in, name);
    return yyjson_is_null(val) ? NULL : val;
}

struct openai_translation openai_into(const struct openai_translation *t, yyjson_val *in,
                                      yyjson_mut_val *out) {
    return (struct openai_translation){ .in = in, .doc = t->doc, .out = out, .err = t->err };
}

bool openai_copy_bool(struct openai_translation *t, const char *name) {
    bool value = false;
    if (!openai_field(t, name)) return true;
    if (!json_read_bool(t->in, name, &value, t->err)) return false;
    yyjson_mut_obj_add_bool(t->doc, t->out, name, value);
    return true;
}

bool openai_copy_str(struct openai_translation *t, const char *name) {
    const char *value = NULL;
    if (!json_read_str(t->in, name, &value, t->err)) return false;
    if (value) yyjson_mut_obj_add_strcpy(t->doc, t->out, name, value);
    return true;
}

bool openai_copy_object(struct openai_translation *t, const char *name) {
    yyjson_val *value = NULL;
    if (!json_read_object(t->in, name, &value, t->err)) return false;
    if (value) yyjson_mut_obj_add_val(t->doc, t->out, name, yyjson_val_mut_copy(t->doc, value));
    return true;
}

bool openai_wrong_type(struct openai_translation *t, const char *name, const char *want) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, name, "'%s' must be %s, not %s.", name,
                           want, json_type_phrase(yyjson_obj_get(t->in, name)));
}

bool openai_missing(struct openai_translation *t, const char *name, const char *want) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, name, "'%s' is missing; send %s.", name,
                           want);
}

bool openai_error_inside(struct error *err, const char *place) {
    char param[sizeof err->param + 64];
    snprintf(param, sizeof param, "%s%s%s", place, err->param[0] ? "." : "", err->param);
    /* "In 'a': In 'b': ..." becomes "In 'a.b': ...". */
    if (strncmp(err->text, "In '", 4) == 0) {
        return error_set_param(err, err->code, param, "In '%s.%s", place, err->text + 4);
    }
    return error_set_param(err, err->code, param, "In '%s': %s", place, err->text);
}

bool openai_error_inside_item(struct error *err, const char *place, size_t index) {
    char item[64];
    snprintf(item, sizeof item, "%s[%zu]", place, index);
    return openai_error_inside(err, item);
}
