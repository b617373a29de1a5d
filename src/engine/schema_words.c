/* SPDX-License-Identifier: MIT */
#include "engine/schema_words.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "engine/schema_json.h"
#include "engine/schema_not.h"

/* It has these keywords, and remarks, at most. */
static bool has_only(yyjson_mut_val *schema, const char *const *keys) {
    static const char *const remarks[] = { "title", "description", "$comment", NULL };
    yyjson_mut_val *key, *val;
    size_t i, count;
    if (!yyjson_mut_is_obj(schema)) return false;
    yyjson_mut_obj_foreach(schema, i, count, key, val) {
        bool known = false;
        for (size_t k = 0; keys[k]; k++) known = known || yyjson_mut_equals_str(key, keys[k]);
        for (size_t k = 0; remarks[k]; k++)
            known = known || yyjson_mut_equals_str(key, remarks[k]);
        if (!known) return false;
    }
    return true;
}

static bool takes_all(yyjson_mut_val *schema) {
    static const char *const none[] = { NULL };
    return yyjson_mut_is_true(schema) || has_only(schema, none);
}

/* A copy of a schema; any value, if there is none. */
static yyjson_mut_val *copy_or_any(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    return schema ? yyjson_mut_val_mut_copy(doc, schema) : yyjson_mut_true(doc);
}

/* ---- propertyNames ---- */

/* These names and no others. */
static void list_names(yyjson_mut_doc *doc, yyjson_mut_val *schema, yyjson_mut_val *names) {
    yyjson_mut_val *listed = schema_get(schema, "properties"), *all = yyjson_mut_obj(doc),
                   *name;
    yyjson_mut_val *others = schema_get(schema, "additionalProperties");
    size_t i, count;
    yyjson_mut_arr_foreach(names, i, count, name) {
        if (!yyjson_mut_is_str(name)) continue;
        const char *text = yyjson_mut_get_str(name);
        size_t len = yyjson_mut_get_len(name);
        yyjson_mut_val *one = yyjson_mut_obj_getn(listed, text, len);
        if (!yyjson_mut_obj_getn(all, text, len))
            yyjson_mut_obj_add(all, yyjson_mut_strncpy(doc, text, len),
                               copy_or_any(doc, one ? one : others));
    }
    schema_drop(schema, "properties");
    schema_drop(schema, "additionalProperties");
    yyjson_mut_obj_add_val(doc, schema, "properties", all);
    yyjson_mut_obj_add_false(doc, schema, "additionalProperties");
}

static void match_names(yyjson_mut_doc *doc, yyjson_mut_val *schema, const char *pattern) {
    yyjson_mut_val *all = yyjson_mut_obj(doc);
    yyjson_mut_obj_add(all, yyjson_mut_strcpy(doc, pattern),
                       copy_or_any(doc, schema_get(schema, "additionalProperties")));
    schema_drop(schema, "additionalProperties");
    yyjson_mut_obj_add_val(doc, schema, "patternProperties", all);
    yyjson_mut_obj_add_false(doc, schema, "additionalProperties");
}

/* Of a count that is there; 0 if it is none. */
static uint64_t count_of(yyjson_mut_val *schema, const char *key) {
    yyjson_mut_val *count = schema_get(schema, key);
    return yyjson_mut_is_uint(count) ? yyjson_mut_get_uint(count) : 0;
}

static void measure_names(yyjson_mut_doc *doc, yyjson_mut_val *schema, yyjson_mut_val *names) {
    struct buf pattern = BUF_INIT(128);
    buf_addf(&pattern, "^(.|\\n){%u,", (unsigned)count_of(names, "minLength"));
    if (schema_get(names, "maxLength"))
        buf_addf(&pattern, "%u", (unsigned)count_of(names, "maxLength"));
    buf_add_str(&pattern, "}$");
    match_names(doc, schema, buf_str(&pattern));
    buf_clear(&pattern);
}

static void tidy_names(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    static const char *const texts[] = { "type", NULL };
    static const char *const lists[] = { "enum", "type", NULL };
    static const char *const consts[] = { "const", "type", NULL };
    static const char *const patterns[] = { "pattern", "type", NULL };
    static const char *const lengths[] = { "minLength", "maxLength", "type", NULL };
    static const char *const others[] = { "properties", "patternProperties", NULL };
    yyjson_mut_val *names = schema_get(schema, "propertyNames"),
                   *type = schema_get(names, "type");
    if (!names || (type && !yyjson_mut_equals_str(type, "string"))) return;
    bool alone = !schema_has_any(schema, others),
         patterned = schema_get(schema, "patternProperties");
    if (takes_all(names) || has_only(names, texts)) {
        /* Names are strings. */
    } else if (has_only(names, lists) && !patterned) {
        list_names(doc, schema, schema_get(names, "enum"));
    } else if (has_only(names, consts) && !patterned) {
        yyjson_mut_val *only = yyjson_mut_arr(doc);
        yyjson_mut_arr_append(only, yyjson_mut_val_mut_copy(doc, schema_get(names, "const")));
        list_names(doc, schema, only);
    } else if (has_only(names, patterns) && alone &&
               yyjson_mut_is_str(schema_get(names, "pattern"))) {
        match_names(doc, schema, yyjson_mut_get_str(schema_get(names, "pattern")));
    } else if (has_only(names, lengths) && alone) {
        measure_names(doc, schema, names);
    } else {
        return;
    }
    schema_drop(schema, "propertyNames");
}

/* ---- dependencies ---- */

/* An object without the property, or any other value. */
static yyjson_mut_val *without(yyjson_mut_doc *doc, yyjson_mut_val *name) {
    yyjson_mut_val *schema = yyjson_mut_obj(doc), *properties = yyjson_mut_obj(doc);
    yyjson_mut_obj_add(properties, yyjson_mut_val_mut_copy(doc, name), yyjson_mut_false(doc));
    yyjson_mut_obj_add_val(doc, schema, "properties", properties);
    yyjson_mut_obj_add_true(doc, schema, "additionalProperties");
    return schema;
}

/* What holds where the property is there: a list of others, or a schema. */
static yyjson_mut_val *demand(yyjson_mut_doc *doc, yyjson_mut_val *told) {
    if (!yyjson_mut_is_arr(told)) return yyjson_mut_val_mut_copy(doc, told);
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_val(doc, schema, "required", yyjson_mut_val_mut_copy(doc, told));
    return schema;
}

static void add_dependency(yyjson_mut_doc *doc, yyjson_mut_val *all, yyjson_mut_val *name,
                           yyjson_mut_val *told) {
    if (takes_all(told) || (yyjson_mut_is_arr(told) && yyjson_mut_arr_size(told) == 0)) return;
    yyjson_mut_val *either = yyjson_mut_obj(doc);
    yyjson_mut_val *forms = yyjson_mut_obj_add_arr(doc, either, "anyOf");
    yyjson_mut_arr_append(forms, without(doc, name));
    if (!yyjson_mut_is_false(told)) yyjson_mut_arr_append(forms, demand(doc, told));
    yyjson_mut_arr_append(all, either);
}

static void tidy_dependencies(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    static const char *const keys[] = { "dependentRequired", "dependentSchemas",
                                        "dependencies" };
    enum { KEYS = sizeof keys / sizeof keys[0] };
    yyjson_mut_val *all = schema_get(schema, "allOf"), *name, *told;
    size_t i, count, sum = 0;
    for (size_t k = 0; k < KEYS; k++) sum += yyjson_mut_obj_size(schema_get(schema, keys[k]));
    if (sum > SCHEMA_DEPENDENCIES_MAX || (all && !yyjson_mut_is_arr(all))) return;
    for (size_t k = 0; k < KEYS; k++) {
        yyjson_mut_val *dependencies = schema_get(schema, keys[k]);
        if (!yyjson_mut_is_obj(dependencies)) continue;
        if (!all) all = yyjson_mut_obj_add_arr(doc, schema, "allOf");
        yyjson_mut_obj_foreach(dependencies, i, count, name, told) {
            add_dependency(doc, all, name, told);
        }
        schema_drop(schema, keys[k]);
    }
    if (all && yyjson_mut_arr_size(all) == 0) schema_drop(schema, "allOf");
}

/* ---- what nothing else evaluates ---- */

static bool evaluates_more(yyjson_mut_val *schema) {
    static const char *const keys[] = {
        "$ref",     "$dynamicRef", "$recursiveRef",    "allOf", "anyOf", "oneOf", "if",
        "contains", "not",         "dependentSchemas", NULL
    };
    return schema_has_any(schema, keys);
}

static void move(yyjson_mut_doc *doc, yyjson_mut_val *schema, const char *from,
                 const char *to) {
    yyjson_mut_val *val = yyjson_mut_val_mut_copy(doc, schema_get(schema, from));
    schema_drop(schema, from);
    yyjson_mut_obj_add_val(doc, schema, to, val);
}

static void tidy_unevaluated(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    static const char properties[] = "unevaluatedProperties", items[] = "unevaluatedItems";
    bool more = evaluates_more(schema);
    if (takes_all(schema_get(schema, properties)) ||
        (!more && schema_get(schema, properties) && schema_get(schema, "additionalProperties")))
        schema_drop(schema, properties);
    if (!more && schema_get(schema, properties))
        move(doc, schema, properties, "additionalProperties");
    yyjson_mut_val *listed = schema_get(schema, "items");
    if (!yyjson_mut_is_arr(listed)) schema_drop(schema, "additionalItems");
    bool open = !listed || yyjson_mut_is_arr(listed);
    if (takes_all(schema_get(schema, items)) ||
        (!more && schema_get(schema, items) &&
         (!open || schema_get(schema, "additionalItems"))))
        schema_drop(schema, items);
    if (!more && schema_get(schema, items))
        move(doc, schema, items, listed ? "additionalItems" : "items");
}

/* ---- what means no more ---- */

static void tidy_contains(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    yyjson_mut_val *contains = schema_get(schema, "contains"),
                   *least = schema_get(schema, "minContains");
    if (!contains) {
        schema_drop(schema, "minContains");
        schema_drop(schema, "maxContains");
    }
    if (!contains || schema_get(schema, "maxContains")) return;
    uint64_t count = least ? count_of(schema, "minContains") : 1;
    if (least && !yyjson_mut_is_uint(least)) return;
    if (count > 0 && !takes_all(contains)) return;
    schema_drop(schema, "contains");
    schema_drop(schema, "minContains");
    if (count <= count_of(schema, "minItems")) return;
    schema_drop(schema, "minItems");
    yyjson_mut_obj_add_uint(doc, schema, "minItems", count);
}

/* ---- what does not hold ---- */

/* And this holds, too. */
static bool demand_too(yyjson_mut_doc *doc, yyjson_mut_val *schema, yyjson_mut_val *part) {
    yyjson_mut_val *all = schema_get(schema, "allOf");
    if (all && !yyjson_mut_is_arr(all)) return false;
    if (!all) all = yyjson_mut_obj_add_arr(doc, schema, "allOf");
    return yyjson_mut_arr_append(all, part);
}

static void tidy_not(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    yyjson_mut_val *told = schema_get(schema, "not"),
                   *other = told ? schema_not(doc, told) : NULL;
    if (other && demand_too(doc, schema, other)) schema_drop(schema, "not");
}

/* Both at once. */
static yyjson_mut_val *both(yyjson_mut_doc *doc, yyjson_mut_val *one, yyjson_mut_val *two) {
    yyjson_mut_val *schema = yyjson_mut_obj(doc);
    yyjson_mut_val *all = yyjson_mut_obj_add_arr(doc, schema, "allOf");
    yyjson_mut_arr_append(all, one);
    if (two) yyjson_mut_arr_append(all, yyjson_mut_val_mut_copy(doc, two));
    return schema;
}

/* Either the condition holds and what follows from it, or neither. */
static void tidy_condition(yyjson_mut_doc *doc, yyjson_mut_val *schema) {
    yyjson_mut_val *condition = schema_get(schema, "if");
    bool used = schema_get(schema, "then") || schema_get(schema, "else");
    yyjson_mut_val *other = condition && used ? schema_not(doc, condition) : NULL;
    if (condition && used && !other) return;
    yyjson_mut_val *either = yyjson_mut_obj(doc);
    yyjson_mut_val *forms = yyjson_mut_obj_add_arr(doc, either, "anyOf");
    if (other) {
        yyjson_mut_arr_append(forms, both(doc, yyjson_mut_val_mut_copy(doc, condition),
                                          schema_get(schema, "then")));
        yyjson_mut_arr_append(forms, both(doc, other, schema_get(schema, "else")));
        if (!demand_too(doc, schema, either)) return;
    }
    schema_drop(schema, "if");
    schema_drop(schema, "then");
    schema_drop(schema, "else");
}

void schema_words_tidy(yyjson_mut_doc *doc, yyjson_mut_val *schema, bool alternatives) {
    yyjson_mut_val *most = schema_get(schema, "maxItems");
    bool one = yyjson_mut_is_uint(most) && yyjson_mut_get_uint(most) <= 1;
    if (yyjson_mut_is_false(schema_get(schema, "uniqueItems")) || one)
        schema_drop(schema, "uniqueItems");
    tidy_contains(doc, schema);
    tidy_unevaluated(doc, schema);
    tidy_names(doc, schema);
    if (!alternatives) return;
    tidy_condition(doc, schema);
    tidy_not(doc, schema);
    tidy_dependencies(doc, schema);
}
