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
