/* SPDX-License-Identifier: MIT */
#include "engine/schema.h"

#include <stdint.h>

#include "engine/schema_json.h"
#include "engine/schema_refs.h"

#define ROOT "whole-schema"

struct tidy {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    bool loosen;
    bool refers; /* to the whole schema */
};

static bool equals_any(yyjson_mut_val *val, const char *const *words) {
    for (; *words; words++) {
        if (yyjson_mut_equals_str(val, *words)) return true;
    }
    return false;
}

/* ---- one keyword ---- */

static void tidy_ref(struct tidy *t, yyjson_mut_val *schema) {
    yyjson_mut_val *ref = yyjson_mut_obj_get(schema, "$ref");
    if (!ref) return;
    if (yyjson_mut_equals_str(ref, "#")) {
        yyjson_mut_set_str(ref, "#/$defs/" ROOT);
        t->refers = true;
    } else if (t->loosen && (!yyjson_mut_is_str(ref) ||
                             !schema_refs_follow(t->root, yyjson_mut_get_str(ref)))) {
        schema_drop(schema, "$ref");
    }
}

static bool is_type(yyjson_mut_val *type) {
    static const char *const types[] = { "object", "array",   "string", "integer",
                                         "number", "boolean", "null",   NULL };
    return equals_any(type, types);
}

/* "any" is none of the standard's, but widely used. */
static void tidy_type(const struct tidy *t, yyjson_mut_val *schema) {
    yyjson_mut_val *type = yyjson_mut_obj_get(schema, "type"), *one;
    size_t i, count;
    bool any = yyjson_mut_equals_str(type, "any"), unknown = type && !is_type(type);
    if (yyjson_mut_is_arr(type)) {
        unknown = yyjson_mut_arr_size(type) == 0;
        yyjson_mut_arr_foreach(type, i, count, one) {
            any = any || yyjson_mut_equals_str(one, "any");
            unknown = unknown || !is_type(one);
        }
    }
    if (any || (unknown && t->loosen)) schema_drop(schema, "type");
}

/* 2.0 is a length, too. */
static void tidy_counts(const struct tidy *t, yyjson_mut_val *schema) {
    static const char *const keys[] = { "minLength", "maxLength", "minItems", "maxItems" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        yyjson_mut_val *count = yyjson_mut_obj_get(schema, keys[i]);
        double value = yyjson_mut_get_num(count);
        if (!count || yyjson_mut_is_uint(count)) continue;
        if (yyjson_mut_is_real(count) && value >= 0 && value < 1e9 &&
            value == (double)(uint64_t)value) {
            yyjson_mut_set_uint(count, (uint64_t)value);
        } else if (t->loosen) {
            schema_drop(schema, keys[i]);
        }
    }
}

/* The library knows these formats well, and only a part of the patterns that come with them. */
static void tidy_format(yyjson_mut_val *schema) {
    static const char *const known[] = { "date", "time", "date-time", "uuid", NULL };
    if (equals_any(yyjson_mut_obj_get(schema, "format"), known)) schema_drop(schema, "pattern");
}

static void loosen(yyjson_mut_val *schema) {
    static const char *const texts[] = { "pattern", "format" };
    static const char *const numbers[] = { "minimum", "maximum", "exclusiveMinimum",
                                           "exclusiveMaximum" };
    yyjson_mut_val *values = yyjson_mut_obj_get(schema, "enum");
    yyjson_mut_val *more = yyjson_mut_obj_get(schema, "additionalProperties");
    if (values && yyjson_mut_arr_size(values) == 0) schema_drop(schema, "enum");
    if (!yyjson_mut_is_bool(more) && !yyjson_mut_is_obj(more))
        schema_drop(schema, "additionalProperties");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!yyjson_mut_is_str(yyjson_mut_obj_get(schema, texts[i])))
            schema_drop(schema, texts[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!yyjson_mut_is_num(yyjson_mut_obj_get(schema, numbers[i])))
            schema_drop(schema, numbers[i]);
    }
}

/* ---- schemas in a schema ---- */

static void tidy_schema(struct tidy *t, yyjson_mut_val *schema);

/* `true` is any value. */
static void tidy_child(struct tidy *t, yyjson_mut_val *child) {
    if (yyjson_mut_is_true(child) || (t->loosen && !yyjson_mut_is_obj(child)))
        yyjson_mut_set_obj(child);
    if (yyjson_mut_is_obj(child)) tidy_schema(t, child);
}

/* Of an object each value, of an array each item. */
static void tidy_children(struct tidy *t, yyjson_mut_val *schema, const char *key) {
    yyjson_mut_val *all = yyjson_mut_obj_get(schema, key), *name, *child;
    size_t i, count;
    yyjson_mut_obj_foreach(all, i, count, name, child) tidy_child(t, child);
    yyjson_mut_arr_foreach(all, i, count, child) tidy_child(t, child);
    bool container = yyjson_mut_is_obj(all) || yyjson_mut_is_arr(all);
    if (t->loosen && all && !container) schema_drop(schema, key);
}

/* Of a list and what follows it the library takes the latter: the list alone is exact, too. */
static void tidy_items(struct tidy *t, yyjson_mut_val *schema) {
    if (yyjson_mut_is_arr(yyjson_mut_obj_get(schema, "prefixItems")))
        schema_drop(schema, "items");
    yyjson_mut_val *items = yyjson_mut_obj_get(schema, "items");
    if (!items) return;
    if (yyjson_mut_is_arr(items)) {
        tidy_children(t, schema, "items");
    } else {
        tidy_child(t, items);
    }
}

static void tidy_alternatives(struct tidy *t, yyjson_mut_val *schema, const char *key) {
    tidy_children(t, schema, key);
    yyjson_mut_val *all = yyjson_mut_obj_get(schema, key);
    if (t->loosen && all && yyjson_mut_arr_size(all) == 0) schema_drop(schema, key);
}

/* All of one schema is that schema, which the library knows more of. */
static void tidy_all_of_one(struct tidy *t, yyjson_mut_val *schema) {
    static const char *const forms[] = { "$ref", "oneOf",      "anyOf", "const",
                                         "enum", "properties", "type" };
    yyjson_mut_val *all = yyjson_mut_obj_get(schema, "allOf"), *only, *key, *val;
    size_t i, count;
    bool alone = yyjson_mut_is_arr(all) && yyjson_mut_arr_size(all) == 1;
    for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++)
        alone = alone && !yyjson_mut_obj_get(schema, forms[k]);
    only = yyjson_mut_arr_get(all, 0);
    if (!alone || !yyjson_mut_is_obj(only)) return;
    schema_drop(schema, "allOf");
    yyjson_mut_obj_foreach(only, i, count, key, val) {
        if (!yyjson_mut_obj_getn(schema, yyjson_mut_get_str(key), yyjson_mut_get_len(key)))
            yyjson_mut_obj_add(schema, yyjson_mut_val_mut_copy(t->doc, key),
                               yyjson_mut_val_mut_copy(t->doc, val));
    }
    tidy_all_of_one(t, schema);
}

/* The caller of json_parse() has limited the nesting. */
static void tidy_schema(struct tidy *t, yyjson_mut_val *schema) {
    static const char *const maps[] = { "properties", "$defs", "definitions", "prefixItems" };
    static const char *const alternatives[] = { "anyOf", "oneOf", "allOf" };
    tidy_all_of_one(t, schema);
    tidy_ref(t, schema);
    tidy_type(t, schema);
    tidy_counts(t, schema);
    tidy_format(schema);
    if (t->loosen) loosen(schema);
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) tidy_children(t, schema, maps[i]);
    for (size_t i = 0; i < sizeof alternatives / sizeof alternatives[0]; i++)
        tidy_alternatives(t, schema, alternatives[i]);
    tidy_items(t, schema);
    yyjson_mut_val *more = yyjson_mut_obj_get(schema, "additionalProperties");
    if (yyjson_mut_is_obj(more)) tidy_schema(t, more);
}

/* The library has no "#", but it has parts of a schema: so one of them is the whole. */
static void add_whole(struct tidy *t) {
    yyjson_mut_val *whole = yyjson_mut_val_mut_copy(t->doc, t->root);
    yyjson_mut_val *parts = yyjson_mut_obj_get(t->root, "$defs");
    schema_drop(whole, "$defs");
    if (!parts) parts = yyjson_mut_obj_add_obj(t->doc, t->root, "$defs");
    yyjson_mut_obj_add_val(t->doc, parts, ROOT, whole);
    schema_drop(t->root, "$ref");
    yyjson_mut_obj_add_str(t->doc, t->root, "$ref", "#/$defs/" ROOT);
}

yyjson_doc *schema_write(yyjson_val *schema, bool loosen) {
    struct tidy t = { .doc = yyjson_mut_doc_new(NULL), .loosen = loosen };
    t.root = yyjson_val_mut_copy(t.doc, schema);
    yyjson_mut_doc_set_root(t.doc, t.root);
    bool dropped;
    struct error err;
    /* What it leaves as it is the library refuses, in its own words. */
    (void)!schema_refs_write(t.doc, SCHEMA_REFS_KEEP, &dropped, &err);
    tidy_schema(&t, t.root);
    if (t.refers) add_whole(&t);
    yyjson_doc *written = yyjson_mut_doc_imut_copy(t.doc, NULL);
    yyjson_mut_doc_free(t.doc);
    return written;
}
