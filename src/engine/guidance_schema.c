/* SPDX-License-Identifier: MIT */
#include "engine/guidance_schema.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "engine/schema_choices.h"
#include "engine/schema_json.h"
#include "engine/schema_refs.h"
#include "engine/schema_words.h"

/* Digits of whole numbers that every JSON parser can read; small models get lost in numbers
 * without a limit. */
#define WHOLE_MAX 9007199254740991

/* Between two tokens of JSON, once. */
static const char white_space[] = "[ ]|\\n[ ]{0,40}|\\n\\t{0,10}";

struct walk {
    yyjson_mut_doc *doc;
    struct buf *dropped;
    struct error *err;
    enum schema_care care;
    bool composed; /* schemas of one object stand in several places */
};

static bool is_any(const char *text, const char *const *words) {
    for (; *words; words++) {
        if (strcmp(text, *words) == 0) return true;
    }
    return false;
}

/* Whole words only: "format" is not in "formats". */
static bool lists(const struct buf *list, const char *word, size_t len) {
    const char *at = buf_str(list);
    while (*at) {
        size_t one = strcspn(at, ",");
        if (one == len && memcmp(at, word, len) == 0) return true;
        at += one;
        at += strspn(at, ", ");
    }
    return false;
}

void guidance_name_keyword(struct buf *list, const char *keyword, size_t len) {
    if (lists(list, keyword, len)) return;
    buf_addf(list, "%s%.*s", list->len > 0 ? ", " : "", (int)len, keyword);
}

/* ---- one schema ---- */

/* A client has no options; what is left of anchors, references have been led around. */
static void tidy_notes(yyjson_mut_val *schema) {
    static const char *const keys[] = { "x-guidance", "$dynamicAnchor", "$recursiveAnchor" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        (void)yyjson_mut_obj_remove_key(schema, keys[i]);
}

static void tidy_type(yyjson_mut_val *schema) {
    yyjson_mut_val *type = schema_get(schema, "type"), *one;
    size_t i, count;
    bool any = yyjson_mut_equals_str(type, "any");
    if (yyjson_mut_is_arr(type)) {
        yyjson_mut_arr_foreach(type, i, count, one) {
            any = any || yyjson_mut_equals_str(one, "any");
        }
    }
    if (any) (void)yyjson_mut_obj_remove_key(schema, "type");
}

/* 2.0 is a length, too. */
static void tidy_counts(yyjson_mut_val *schema) {
    static const char *const keys[] = { "minLength", "maxLength",     "minItems",
                                        "maxItems",  "minProperties", "maxProperties" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        yyjson_mut_val *count = schema_get(schema, keys[i]);
        double value = yyjson_mut_get_num(count);
        if (yyjson_mut_is_real(count) && value >= 0 && value < 1e9 &&
            value == (double)(uint64_t)value)
            yyjson_mut_set_uint(count, (uint64_t)value);
    }
}

/* Look-arounds, edges of words, and references back to a group: no regular language. */
static bool is_regular(const char *pattern) {
    for (const char *at = pattern; *at; at++) {
        if (strncmp(at, "(?=", 3) == 0 || strncmp(at, "(?!", 3) == 0 ||
            strncmp(at, "(?<=", 4) == 0 || strncmp(at, "(?<!", 4) == 0)
            return false;
        if (*at != '\\' || at[1] == '\0') continue;
        at++;
        if (*at == 'b' || *at == 'B' || *at == 'k' || (*at >= '1' && *at <= '9')) return false;
    }
    return true;
}

static bool short_enough(struct walk *w, size_t len) {
    return len <= PATTERN_MAX ||
           error_set(w->err, ERR_INVALID_REQUEST,
                     "a pattern of it has more than %d bytes: shorten it.", PATTERN_MAX);
}

static bool tidy_pattern(struct walk *w, yyjson_mut_val *schema) {
    yyjson_mut_val *pattern = schema_get(schema, "pattern");
    if (!yyjson_mut_is_str(pattern)) return true;
    if (!short_enough(w, yyjson_mut_get_len(pattern))) return false;
    if (is_regular(yyjson_mut_get_str(pattern))) return true;
    (void)yyjson_mut_obj_remove_key(schema, "pattern");
    guidance_name_keyword(w->dropped, "pattern", strlen("pattern"));
    return true;
}

static bool tidy_pattern_properties(struct walk *w, yyjson_mut_val *schema) {
    static const char keyword[] = "patternProperties";
    yyjson_mut_val *all = schema_get(schema, keyword), *name, *value;
    size_t i, count;
    bool regular = w->care < SCHEMA_LOOSE;
    if (!yyjson_mut_is_obj(all)) return true;
    if (yyjson_mut_obj_size(all) > PATTERN_PROPERTIES_MAX)
        return error_set(w->err, ERR_INVALID_REQUEST,
                         "an object of it has more than %d patternProperties: leave some out.",
                         PATTERN_PROPERTIES_MAX);
    yyjson_mut_obj_foreach(all, i, count, name, value) {
        if (!short_enough(w, yyjson_mut_get_len(name))) return false;
        regular = regular && is_regular(yyjson_mut_get_str(name));
    }
    if (regular) return true;
    (void)yyjson_mut_obj_remove_key(schema, keyword);
    guidance_name_keyword(w->dropped, keyword, strlen(keyword));
    return true;
}

static void bound_integer(const struct walk *w, yyjson_mut_val *schema) {
    static const char *const others[] = { "minimum",
                                          "maximum",
                                          "exclusiveMinimum",
                                          "exclusiveMaximum",
                                          "multipleOf",
                                          "enum",
                                          "const",
                                          "$ref",
                                          "allOf",
                                          "anyOf",
                                          "oneOf",
                                          NULL };
    if (!yyjson_mut_equals_str(schema_get(schema, "type"), "integer") ||
        schema_has_any(schema, others))
        return;
    yyjson_mut_obj_add_int(w->doc, schema, "minimum", -WHOLE_MAX);
    yyjson_mut_obj_add_int(w->doc, schema, "maximum", WHOLE_MAX);
}

static bool requires_its_own(yyjson_mut_val *schema) {
    yyjson_mut_val *properties = schema_get(schema, "properties"), *name;
    size_t i, count;
    yyjson_mut_arr_foreach(schema_get(schema, "required"), i, count, name) {
        const char *text = yyjson_mut_get_str(name);
        if (!text || !schema_get(properties, text)) return false;
    }
    return true;
}

/* By the standard other properties are allowed, and so are other types; but an author who lists
 * properties expects an object with just these. */
static void close_object(const struct walk *w, yyjson_mut_val *schema) {
    static const char *const kinds[] = { "type", "enum", "const", "not", "items", NULL };
    static const char *const others[] = { "additionalProperties",
                                          "unevaluatedProperties",
                                          "patternProperties",
                                          "minProperties",
                                          "if",
                                          "$ref",
                                          "allOf",
                                          "anyOf",
                                          "oneOf",
                                          NULL };
    if (!yyjson_mut_is_obj(schema_get(schema, "properties")) ||
        schema_has_any(schema, others) || !requires_its_own(schema))
        return;
    yyjson_mut_obj_add_bool(w->doc, schema, "additionalProperties", false);
    if (!schema_has_any(schema, kinds))
        yyjson_mut_obj_add_str(w->doc, schema, "type", "object");
}

/* ---- all of them ---- */

static bool walk(struct walk *w, yyjson_mut_val *val, bool open);

/* Of an object each value, of an array each item. */
static bool walk_all(struct walk *w, yyjson_mut_val *all, bool open) {
    yyjson_mut_val *name, *one;
    size_t i, count;
    yyjson_mut_obj_foreach(all, i, count, name, one) {
        if (!walk(w, one, open)) return false;
    }
    yyjson_mut_arr_foreach(all, i, count, one) {
        if (!walk(w, one, open)) return false;
    }
    return true;
}

/* What one keyword of a schema holds. */
static bool walk_keyword(struct walk *w, yyjson_mut_val *schema, const char *key,
                         yyjson_mut_val *val) {
    static const char *const data[] = { "enum", "const", "default", "examples", NULL };
    static const char *const parts[] = { "allOf", "not", "if", "then", "else", NULL };
    static const char *const forms[] = { "anyOf", "oneOf", NULL };
    static const char *const shared[] = { "$defs", "definitions", NULL };
    static const char *const maps[] = { "properties", "patternProperties", NULL };
    static const char *const dependent[] = { "dependentSchemas", "dependencies", NULL };
    if (is_any(key, data)) return true;
    if (is_any(key, shared)) return walk_all(w, val, w->composed);
    if (is_any(key, dependent)) return walk_all(w, val, true);
    if (is_any(key, maps)) return walk_all(w, val, false);
    bool part = is_any(key, parts) || (is_any(key, forms) && schema_get(schema, "properties"));
    return yyjson_mut_is_arr(val) ? walk_all(w, val, part) : walk(w, val, part);
}

/* The caller of json_parse() has limited the nesting. open: it is one of several schemas of the
 * same object. */
static bool walk(struct walk *w, yyjson_mut_val *schema, bool open) {
    yyjson_mut_val *key, *val;
    size_t i, count;
    if (!yyjson_mut_is_obj(schema)) return true;
    tidy_notes(schema);
    tidy_type(schema);
    tidy_counts(schema);
    if (!tidy_pattern(w, schema) || !tidy_pattern_properties(w, schema)) return false;
    yyjson_mut_obj_foreach(schema, i, count, key, val) {
        if (!walk_keyword(w, schema, yyjson_mut_get_str(key), val)) return false;
    }
    bound_integer(w, schema);
    if (!open && w->care != SCHEMA_LETTER) close_object(w, schema);
    schema_words_tidy(w->doc, schema, w->care != SCHEMA_LOOSE);
    return true;
}

/* Then a definition may be one part of an object only. */
static bool is_composed(yyjson_mut_val *val) {
    yyjson_mut_val *name, *one;
    size_t i, count;
    if (yyjson_mut_arr_size(schema_get(val, "allOf")) > 1 ||
        (schema_get(val, "properties") &&
         (schema_get(val, "allOf") || schema_get(val, "$ref"))))
        return true;
    yyjson_mut_obj_foreach(val, i, count, name, one) {
        if (is_composed(one)) return true;
    }
    yyjson_mut_arr_foreach(val, i, count, one) {
        if (is_composed(one)) return true;
    }
    return false;
}

static void add_options(const struct walk *w, yyjson_mut_val *root) {
    yyjson_mut_val *options = yyjson_mut_obj_add_obj(w->doc, root, "x-guidance");
    yyjson_mut_obj_add_str(w->doc, options, "whitespace_pattern", white_space);
    yyjson_mut_obj_add_bool(w->doc, options, "lenient", w->care > SCHEMA_STRICT);
}

bool guidance_schema_write(yyjson_val *schema, enum schema_care care, struct buf *out,
                           struct buf *dropped, struct error *err) {
    struct walk w = {
        .doc = yyjson_mut_doc_new(NULL), .dropped = dropped, .err = err, .care = care
    };
    yyjson_mut_val *root = yyjson_val_mut_copy(w.doc, schema);
    yyjson_mut_doc_set_root(w.doc, root);
    bool away = false, ok = schema_refs_write(w.doc, SCHEMA_REFS_DROP, &away, err);
    if (away) guidance_name_keyword(dropped, "$ref", strlen("$ref"));
    if (ok) schema_choices_write_out(w.doc);
    w.composed = is_composed(root);
    ok = ok && walk(&w, root, false);
    if (ok) {
        add_options(&w, root);
        ok = json_write(w.doc, out) ||
             error_set(err, ERR_INVALID_REQUEST, "it is larger than 1 MiB.");
    }
    yyjson_mut_doc_free(w.doc);
    return ok;
}
