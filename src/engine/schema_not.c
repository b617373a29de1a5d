/* SPDX-License-Identifier: MIT */
#include "engine/schema_not.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { PATTERN_BYTES = 4096 };

static const char *const types[] = { "null", "boolean", "number", "string", "array", "object" };
enum { TYPES = sizeof types / sizeof types[0], NUMBER = 2, STRING = 3 };

typedef yyjson_mut_val *not_fn(yyjson_mut_doc *doc, yyjson_mut_val *told);

static yyjson_mut_val *typed(yyjson_mut_doc *doc, const char *type) {
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, schema, "type", type);
    return schema;
}

/* One of these; NULL, which is among them, if one of them cannot be said. */
static yyjson_mut_val *any_of(yyjson_mut_doc *doc, yyjson_mut_val *forms) {
    size_t count = yyjson_mut_arr_size(forms);
    if (count == 0) return yyjson_mut_false(doc);
    if (count == 1) return yyjson_mut_arr_remove_first(forms);
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_val(doc, schema, "anyOf", forms);
    return schema;
}

/* ---- types ---- */

static bool lists_type(yyjson_mut_val *told, const char *type) {
    yyjson_mut_val *one;
    size_t i, count;
    yyjson_mut_arr_foreach(told, i, count, one) {
        if (yyjson_mut_equals_str(one, type)) return true;
    }
    return yyjson_mut_equals_str(told, type);
}

/* All types but some; NULL if there are none. */
static yyjson_mut_val *other_types(yyjson_mut_doc *doc, const bool *without) {
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    for (int i = 0; i < TYPES; i++) {
        if (!without[i]) yyjson_mut_arr_add_str(doc, list, types[i]);
    }
    if (yyjson_mut_arr_size(list) == 0) return NULL;
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_val(doc, schema, "type", list);
    return schema;
}

static yyjson_mut_val *not_type(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    bool without[TYPES];
    for (int i = 0; i < TYPES; i++) without[i] = lists_type(told, types[i]);
    if (lists_type(told, "integer") && !without[NUMBER]) return NULL;
    yyjson_mut_val *others = other_types(doc, without);
    return others ? others : yyjson_mut_false(doc);
}

/* ---- values ---- */

struct strings {
    const char *all[SCHEMA_NOT_VALUES_MAX];
    size_t count;
};

static void add_char(struct buf *out, const char *at, size_t len) {
    if (len == 1 && strchr("\\.+*?()|[]{}^$#&-~/ \"'", *at)) buf_add_str(out, "\\");
    (void)buf_add(out, at, len);
}

/* The strings that continue with this character. */
static struct strings behind(const struct strings *s, const char *at, size_t len) {
    struct strings rest = { .count = 0 };
    for (size_t i = 0; i < s->count; i++) {
        if (strncmp(s->all[i], at, len) == 0) rest.all[rest.count++] = s->all[i] + len;
    }
    return rest;
}

static bool begins_before(const struct strings *s, size_t index, size_t len) {
    for (size_t i = 0; i < index; i++) {
        if (strncmp(s->all[i], s->all[index], len) == 0) return true;
    }
    return false;
}

/* A regular expression of all texts but these: what begins otherwise, and, behind each first
 * character, all but what goes on. */
static void add_others(struct buf *out, const struct strings *s) {
    struct buf firsts = BUF_INIT(PATTERN_BYTES), more = BUF_INIT(PATTERN_BYTES);
    bool empty = false;
    for (size_t i = 0; i < s->count; i++) {
        const char *at = s->all[i];
        if (!*at) empty = true;
        size_t len = *at ? utf8_len(at, strlen(at)) : 0;
        if (len == 0 || begins_before(s, i, len)) continue;
        struct strings rest = behind(s, at, len);
        add_char(&firsts, at, len);
        buf_add_str(&more, "|");
        add_char(&more, at, len);
        add_others(&more, &rest);
    }
    buf_addf(out, firsts.len > 0 ? "(%s[^%s](.|\\n)*%s)" : "(%s%s(.|\\n)+%s)", empty ? "" : "|",
             buf_str(&firsts), buf_str(&more));
    buf_clear(&firsts);
    buf_clear(&more);
}

static yyjson_mut_val *not_strings(yyjson_mut_doc *doc, const struct strings *s) {
    struct buf pattern = BUF_INIT(PATTERN_BYTES);
    buf_add_str(&pattern, "^");
    add_others(&pattern, s);
    bool whole = buf_add_str(&pattern, "$");
    yyjson_mut_val *schema = whole ? typed(doc, types[STRING]) : NULL;
    if (schema) yyjson_mut_obj_add_strcpy(doc, schema, "pattern", buf_str(&pattern));
    buf_clear(&pattern);
    return schema;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between them, and on both sides. */
static void add_gaps(yyjson_mut_doc *doc, yyjson_mut_val *forms, double *numbers,
                     size_t count) {
    qsort(numbers, count, sizeof *numbers, by_size);
    for (size_t i = 0; i <= count; i++) {
        yyjson_mut_val *gap = typed(doc, types[NUMBER]);
        if (i > 0 && i < count && numbers[i] <= numbers[i - 1]) continue;
        if (i > 0) yyjson_mut_obj_add_real(doc, gap, "exclusiveMinimum", numbers[i - 1]);
        if (i < count) yyjson_mut_obj_add_real(doc, gap, "exclusiveMaximum", numbers[i]);
        yyjson_mut_arr_append(forms, gap);
    }
}

struct values {
    struct strings strings;
    double numbers[SCHEMA_NOT_VALUES_MAX];
    size_t number_count, bytes;
    bool null, yes, no;
};

/* False: not of a kind that is known. */
static bool sort_value(struct values *v, yyjson_mut_val *one) {
    if (yyjson_mut_is_str(one)) {
        const char *text = yyjson_mut_get_str(one);
        v->bytes += yyjson_mut_get_len(one);
        v->strings.all[v->strings.count++] = text;
        return strlen(text) == yyjson_mut_get_len(one) && v->bytes <= SCHEMA_NOT_BYTES_MAX;
    }
    if (yyjson_mut_is_num(one)) v->numbers[v->number_count++] = yyjson_mut_get_num(one);
    v->null = v->null || yyjson_mut_is_null(one);
    v->yes = v->yes || yyjson_mut_is_true(one);
    v->no = v->no || yyjson_mut_is_false(one);
    return yyjson_mut_is_num(one) || yyjson_mut_is_null(one) || yyjson_mut_is_bool(one);
}

static yyjson_mut_val *not_values(yyjson_mut_doc *doc, const struct values *v) {
    bool without[TYPES] = { v->null, v->yes || v->no, v->number_count > 0,
                            v->strings.count > 0 };
    yyjson_mut_val *forms = yyjson_mut_arr(doc), *others = other_types(doc, without), *texts;
    double numbers[SCHEMA_NOT_VALUES_MAX];
    memcpy(numbers, v->numbers, sizeof numbers);
    yyjson_mut_arr_append(forms, others); /* arrays at least */
    if (v->yes != v->no) {
        yyjson_mut_val *other = yyjson_mut_arr_add_obj(doc, forms);
        yyjson_mut_obj_add_bool(doc, other, "const", v->no);
    }
    if (v->number_count > 0) add_gaps(doc, forms, numbers, v->number_count);
    if (v->strings.count == 0) return any_of(doc, forms);
    texts = not_strings(doc, &v->strings);
    return texts && yyjson_mut_arr_append(forms, texts) ? any_of(doc, forms) : NULL;
}

static yyjson_mut_val *not_enum(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    struct values values = { .bytes = 0 };
    yyjson_mut_val *one;
    size_t i, count;
    if (!yyjson_mut_is_arr(told) || yyjson_mut_arr_size(told) > SCHEMA_NOT_VALUES_MAX)
        return NULL;
    yyjson_mut_arr_foreach(told, i, count, one) {
        if (!sort_value(&values, one)) return NULL;
    }
    return not_values(doc, &values);
}

static yyjson_mut_val *not_const(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    struct values values = { .bytes = 0 };
    return sort_value(&values, told) ? not_values(doc, &values) : NULL;
}

/* ---- bounds ---- */

static yyjson_mut_val *beyond(yyjson_mut_doc *doc, yyjson_mut_val *told, const char *key) {
    if (!yyjson_mut_is_num(told)) return NULL;
    yyjson_mut_val *schema = typed(doc, types[NUMBER]);
    yyjson_mut_obj_add_val(doc, schema, key, yyjson_mut_val_mut_copy(doc, told));
    return schema;
}

static yyjson_mut_val *not_minimum(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return beyond(doc, told, "exclusiveMaximum");
}

static yyjson_mut_val *not_maximum(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return beyond(doc, told, "exclusiveMinimum");
}

static yyjson_mut_val *not_above(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return beyond(doc, told, "maximum");
}

static yyjson_mut_val *not_below(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return beyond(doc, told, "minimum");
}

static yyjson_mut_val *fewer(yyjson_mut_doc *doc, yyjson_mut_val *told, const char *type,
                             const char *key) {
    if (!yyjson_mut_is_uint(told)) return NULL;
    if (yyjson_mut_get_uint(told) == 0) return yyjson_mut_false(doc);
    yyjson_mut_val *schema = typed(doc, type);
    yyjson_mut_obj_add_uint(doc, schema, key, yyjson_mut_get_uint(told) - 1);
    return schema;
}

static yyjson_mut_val *further(yyjson_mut_doc *doc, yyjson_mut_val *told, const char *type,
                               const char *key) {
    if (!yyjson_mut_is_uint(told) || yyjson_mut_get_uint(told) >= INT32_MAX) return NULL;
    yyjson_mut_val *schema = typed(doc, type);
    yyjson_mut_obj_add_uint(doc, schema, key, yyjson_mut_get_uint(told) + 1);
    return schema;
}

static yyjson_mut_val *not_min_length(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return fewer(doc, told, "string", "maxLength");
}

static yyjson_mut_val *not_max_length(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return further(doc, told, "string", "minLength");
}

static yyjson_mut_val *not_min_items(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return fewer(doc, told, "array", "maxItems");
}

static yyjson_mut_val *not_max_items(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return further(doc, told, "array", "minItems");
}

/* ---- objects ---- */

/* An object whose property of this name is so. */
static yyjson_mut_val *object_with(yyjson_mut_doc *doc, yyjson_mut_val *name,
                                   yyjson_mut_val *value) {
    yyjson_mut_val *schema = typed(doc, "object");
    yyjson_mut_val *properties = yyjson_mut_obj_add_obj(doc, schema, "properties");
    yyjson_mut_obj_add(properties, yyjson_mut_val_mut_copy(doc, name), value);
    yyjson_mut_obj_add_true(doc, schema, "additionalProperties");
    return schema;
}

static yyjson_mut_val *not_required(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    yyjson_mut_val *forms = yyjson_mut_arr(doc), *name;
    size_t i, count;
    if (!yyjson_mut_is_arr(told)) return NULL;
    yyjson_mut_arr_foreach(told, i, count, name) {
        if (!yyjson_mut_is_str(name)) return NULL;
        yyjson_mut_arr_append(forms, object_with(doc, name, yyjson_mut_false(doc)));
    }
    return any_of(doc, forms);
}

static yyjson_mut_val *not_properties(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    yyjson_mut_val *forms = yyjson_mut_arr(doc), *name, *schema;
    size_t i, count;
    if (!yyjson_mut_is_obj(told)) return NULL;
    yyjson_mut_obj_foreach(told, i, count, name, schema) {
        yyjson_mut_val *other = schema_not(doc, schema);
        if (!other) return NULL;
        if (yyjson_mut_is_false(other)) continue;
        yyjson_mut_val *form = object_with(doc, name, other);
        yyjson_mut_val *required = yyjson_mut_obj_add_arr(doc, form, "required");
        yyjson_mut_arr_append(required, yyjson_mut_val_mut_copy(doc, name));
        yyjson_mut_arr_append(forms, form);
    }
    return any_of(doc, forms);
}

/* ---- schemas of schemas ---- */

/* The others of each; NULL if one cannot be said. */
static yyjson_mut_val *others_of(yyjson_mut_doc *doc, yyjson_mut_val *list) {
    yyjson_mut_val *others = yyjson_mut_arr(doc), *one;
    size_t i, count;
    if (!yyjson_mut_is_arr(list)) return NULL;
    yyjson_mut_arr_foreach(list, i, count, one) {
        yyjson_mut_val *other = schema_not(doc, one);
        if (!other) return NULL;
        yyjson_mut_arr_append(others, other);
    }
    return others;
}

static yyjson_mut_val *not_any_of(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    yyjson_mut_val *others = others_of(doc, told), *schema = yyjson_mut_obj(doc);
    if (!others) return NULL;
    yyjson_mut_obj_add_val(doc, schema, "allOf", others);
    return schema;
}

static yyjson_mut_val *not_all_of(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    yyjson_mut_val *others = others_of(doc, told);
    return others ? any_of(doc, others) : NULL;
}

static yyjson_mut_val *not_not(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    return yyjson_mut_val_mut_copy(doc, told);
}

static const struct {
    const char *keyword;
    not_fn *other; /* NULL: it says nothing of a value */
} known[] = {
    { "title", NULL },
    { "description", NULL },
    { "$comment", NULL },
    { "default", NULL },
    { "examples", NULL },
    { "type", not_type },
    { "enum", not_enum },
    { "const", not_const },
    { "minimum", not_minimum },
    { "maximum", not_maximum },
    { "exclusiveMinimum", not_above },
    { "exclusiveMaximum", not_below },
    { "minLength", not_min_length },
    { "maxLength", not_max_length },
    { "minItems", not_min_items },
    { "maxItems", not_max_items },
    { "required", not_required },
    { "properties", not_properties },
    { "anyOf", not_any_of },
    { "allOf", not_all_of },
    { "not", not_not },
};

/* False: it is not known, or cannot be said of what it is told. */
static bool add_other(yyjson_mut_doc *doc, yyjson_mut_val *key, yyjson_mut_val *told,
                      yyjson_mut_val *forms) {
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!yyjson_mut_equals_str(key, known[i].keyword)) continue;
        yyjson_mut_val *other = known[i].other ? known[i].other(doc, told) : NULL;
        if (other && !yyjson_mut_is_false(other)) yyjson_mut_arr_append(forms, other);
        return other || !known[i].other;
    }
    return false;
}

yyjson_mut_val *schema_not(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    yyjson_mut_val *forms = yyjson_mut_arr(doc), *key, *told;
    size_t i, count;
    if (yyjson_mut_is_bool(schema)) return yyjson_mut_bool(doc, yyjson_mut_is_false(schema));
    if (!yyjson_mut_is_obj(schema)) return NULL;
    yyjson_mut_obj_foreach(schema, i, count, key, told) {
        if (!add_other(doc, key, told, forms)) return NULL;
    }
    return any_of(doc, forms);
}
