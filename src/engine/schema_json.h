/* SPDX-License-Identifier: MIT */
/* schema_json.h - members of a JSON schema, for the files that rewrite schemas. Pure. */
#ifndef DOZE_ENGINE_SCHEMA_JSON_H
#define DOZE_ENGINE_SCHEMA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

/* NULL if the schema does not have the keyword. */
static inline yyjson_mut_val *schema_get(yyjson_mut_val *schema, const char *key) {
    return yyjson_mut_obj_get(schema, key);
}

static inline void schema_drop(yyjson_mut_val *schema, const char *key) {
    (void)yyjson_mut_obj_remove_key(schema, key);
}

/* Does the schema have one of the keywords? The list ends with NULL. */
static inline bool schema_has_any(yyjson_mut_val *schema, const char *const *keys) {
    for (; *keys; keys++) {
        if (schema_get(schema, *keys)) return true;
    }
    return false;
}

/* How many values a copy of the value would have, names of members included. json_parse() has
 * limited the nesting. */
static inline size_t schema_values(yyjson_mut_val *val) {
    yyjson_mut_val *name, *one;
    size_t i, count, sum = 1;
    yyjson_mut_obj_foreach(val, i, count, name, one) sum += 1 + schema_values(one);
    yyjson_mut_arr_foreach(val, i, count, one) sum += schema_values(one);
    return sum;
}

#endif
