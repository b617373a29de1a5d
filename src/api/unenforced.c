/* SPDX-License-Identifier: MIT */
#include "api/unenforced.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "api/name_set.h"

enum { KEYWORD_MAX = 64 };

typedef bool enforced_fn(yyjson_mut_val *schema);

static bool has(yyjson_mut_val *schema, const char *keyword) {
    return yyjson_mut_obj_get(schema, keyword) != NULL;
}

static bool is_of_type(yyjson_mut_val *schema, const char *type) {
    return yyjson_mut_equals_str(yyjson_mut_obj_get(schema, "type"), type);
}

static bool never(yyjson_mut_val *schema) {
    (void)schema;
    return false;
}

/* A grammar counts digits of whole numbers only. */
static bool of_integer(yyjson_mut_val *schema) {
    return is_of_type(schema, "integer");
}

static bool of_string(yyjson_mut_val *schema) {
    return is_of_type(schema, "string") && !has(schema, "pattern");
}

/* As many items as a list has, which is how long such an array is; -1: any number. */
static int64_t length_of(yyjson_mut_val *schema) {
    yyjson_mut_val *items = yyjson_mut_obj_get(schema, "items");
    yyjson_mut_val *list = yyjson_mut_obj_get(schema, "prefixItems");
    if (yyjson_mut_is_arr(items)) list = items;
    return list ? (int64_t)yyjson_mut_arr_size(list) : -1;
}

static bool with_items(yyjson_mut_val *schema) {
    int64_t length = length_of(schema);
    yyjson_mut_val *least = yyjson_mut_obj_get(schema, "minItems");
    yyjson_mut_val *most = yyjson_mut_obj_get(schema, "maxItems");
    if (length < 0) return has(schema, "items");
    return (!least || yyjson_mut_get_num(least) <= (double)length) &&
           (!most || yyjson_mut_get_num(most) >= (double)length);
}

static bool with_properties(yyjson_mut_val *schema) {
    yyjson_mut_val *properties = yyjson_mut_obj_get(schema, "properties"), *name, *value;
    yyjson_mut_val *required = yyjson_mut_obj_get(schema, "required");
    struct name_set known = { 0 };
    size_t i, count;
    bool all = true;
    if (!yyjson_mut_is_arr(required)) return true;
    yyjson_mut_obj_foreach(properties, i, count, name, value) {
        name_set_add(&known, yyjson_mut_get_str(name));
    }
    yyjson_mut_arr_foreach(required, i, count, name) {
        all = all && name_set_has(&known, yyjson_mut_get_str(name));
    }
    name_set_clear(&known);
    return all;
}

static bool of_known_format(yyjson_mut_val *schema) {
    static const char *const known[] = { "date", "time", "date-time", "uuid" };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (yyjson_mut_equals_str(yyjson_mut_obj_get(schema, "format"), known[i])) return true;
    }
    return false;
}

/* Of several, lists of properties and of values are put together. */
static bool of_parts(yyjson_mut_val *schema) {
    yyjson_mut_val *all = yyjson_mut_obj_get(schema, "allOf"), *one;
    size_t i, count;
    if (has(schema, "properties") || has(schema, "required") || has(schema, "$ref"))
        return false;
    if (yyjson_mut_arr_size(all) == 1 && !has(schema, "type")) return true;
    yyjson_mut_arr_foreach(all, i, count, one) {
        if (!has(one, "properties") && !has(one, "enum")) return false;
    }
    return true;
}

static bool always(yyjson_mut_val *schema) {
    (void)schema;
    return true;
}

/* Keywords that restrict a value, and where they are enforced. */
static const struct {
    const char *name;
    enforced_fn *enforced;
} keywords[] = {
    { "minimum", of_integer },
    { "maximum", of_integer },
    { "exclusiveMinimum", of_integer },
    { "exclusiveMaximum", of_integer },
    { "multipleOf", never },
    { "minLength", of_string },
    { "maxLength", of_string },
    { "pattern", always },
    { "format", of_known_format },
    { "minItems", with_items },
    { "maxItems", with_items },
    { "uniqueItems", never },
    { "additionalItems", never },
    { "contains", never },
    { "minContains", never },
    { "maxContains", never },
    { "items", always },
    { "prefixItems", always },
    { "properties", always },
    { "required", with_properties },
    { "additionalProperties", always },
    { "patternProperties", never },
    { "propertyNames", never },
    { "minProperties", never },
    { "maxProperties", never },
    { "dependencies", never },
    { "dependentRequired", never },
    { "dependentSchemas", never },
    { "$dynamicRef", never },
    { "$recursiveRef", never },
    { "unevaluatedItems", never },
    { "unevaluatedProperties", never },
    { "not", never },
    { "if", never },
    { "allOf", of_parts },
    { "oneOf", never }, /* as anyOf */
    { "type", always },
    { "enum", always },
};
enum { KEYWORD_COUNT = sizeof keywords / sizeof keywords[0] };
_Static_assert((int)KEYWORD_COUNT <= (int)KEYWORD_MAX, "one bit for each");

/* The first of these that a schema has is its form; everything else in the schema is left
 * out. */
static const char *const forms[] = { "$ref", "oneOf", "anyOf", "const", "enum" };

static const char *form_of(yyjson_mut_val *schema) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (has(schema, forms[i])) return forms[i];
    }
    return NULL;
}

static const struct {
    const char *name;
    bool (*is)(yyjson_mut_val *);
} types[] = { { "object", yyjson_mut_is_obj }, { "array", yyjson_mut_is_arr },
              { "string", yyjson_mut_is_str }, { "integer", yyjson_mut_is_int },
              { "number", yyjson_mut_is_num }, { "boolean", yyjson_mut_is_bool },
              { "null", yyjson_mut_is_null } };
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

/* One bit for each. */
static unsigned bit_of(yyjson_mut_val *name) {
    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        if (yyjson_mut_equals_str(name, types[i].name)) return 1u << i;
    }
    return 0;
}

static unsigned types_of(yyjson_mut_val *type) {
    yyjson_mut_val *one;
    size_t i, count;
    unsigned set = bit_of(type);
    yyjson_mut_arr_foreach(type, i, count, one) set |= bit_of(one);
    return set;
}

static bool is_of_any(yyjson_mut_val *value, unsigned set) {
    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        if ((set & 1u << i) && types[i].is(value)) return true;
    }
    return false;
}

/* A type beside values says no more than they do. */
static bool type_fits(yyjson_mut_val *schema) {
    unsigned set = types_of(yyjson_mut_obj_get(schema, "type"));
    yyjson_mut_val *value;
    size_t i, count;
    if (has(schema, "const")) return is_of_any(yyjson_mut_obj_get(schema, "const"), set);
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(schema, "enum"), i, count, value) {
        if (!is_of_any(value, set)) return false;
    }
    return true;
}

static bool says_more(yyjson_mut_val *schema, const char *form, const char *keyword) {
    bool values = strcmp(form, "enum") == 0 || strcmp(form, "const") == 0;
    if (strcmp(form, keyword) == 0) return false;
    return strcmp(keyword, "type") != 0 || !values || !type_fits(schema);
}

static uint64_t unenforced_here(yyjson_mut_val *schema) {
    const char *form = form_of(schema);
    uint64_t set = 0;
    for (int i = 0; i < (int)KEYWORD_COUNT; i++) {
        if (!has(schema, keywords[i].name)) continue;
        bool beside = form && says_more(schema, form, keywords[i].name);
        if (beside || !keywords[i].enforced(schema)) set |= UINT64_C(1) << i;
    }
    return set;
}

/* Schemas are nested no deeper than the body, which has a bound. */
static uint64_t unenforced_in(yyjson_mut_val *schema) {
    yyjson_mut_val *name, *value, *item;
    size_t i, count, k, items;
    if (yyjson_mut_is_arr(schema)) {
        uint64_t set = 0;
        yyjson_mut_arr_foreach(schema, i, count, item) set |= unenforced_in(item);
        return set;
    }
    if (!yyjson_mut_is_obj(schema)) return 0;
    uint64_t set = unenforced_here(schema);
    yyjson_mut_obj_foreach(schema, i, count, name, value) {
        const char *keyword = yyjson_mut_get_str(name);
        bool named = strcmp(keyword, "properties") == 0 || strcmp(keyword, "$defs") == 0 ||
                     strcmp(keyword, "definitions") == 0;
        bool data = strcmp(keyword, "enum") == 0 || strcmp(keyword, "const") == 0 ||
                    strcmp(keyword, "default") == 0 || strcmp(keyword, "examples") == 0;
        if (named && yyjson_mut_is_obj(value)) {
            yyjson_mut_val *inner;
            yyjson_mut_obj_foreach(value, k, items, name, inner) set |= unenforced_in(inner);
        } else if (!data) {
            set |= unenforced_in(value);
        }
    }
    return set;
}

/* Of tools that promise to be called by their schemas. */
static uint64_t unenforced_in_tools(yyjson_mut_val *body) {
    yyjson_mut_val *tool;
    size_t i, count;
    uint64_t set = 0;
    if (yyjson_mut_equals_str(yyjson_mut_obj_get(body, "tool_choice"), "none")) return 0;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(body, "tools"), i, count, tool) {
        yyjson_mut_val *function = yyjson_mut_obj_get(tool, "function");
        if (yyjson_mut_is_true(yyjson_mut_obj_get(tool, "strict")))
            set |= unenforced_in(yyjson_mut_obj_get(function, "parameters"));
    }
    return set;
}

void unenforced_format(yyjson_mut_val *body, struct buf *out) {
    yyjson_mut_val *format = yyjson_mut_obj_get(body, "response_format");
    yyjson_mut_val *wrap = yyjson_mut_obj_get(format, "json_schema");
    uint64_t set = unenforced_in(yyjson_mut_obj_get(wrap, "schema")) |
                   unenforced_in_tools(body);
    const char *comma = "";
    for (int i = 0; i < (int)KEYWORD_COUNT; i++) {
        if (!(set & (UINT64_C(1) << i))) continue;
        buf_addf(out, "%s%s", comma, keywords[i].name);
        comma = ", ";
    }
}
