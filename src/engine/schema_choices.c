/* SPDX-License-Identifier: MIT */
#include "engine/schema_choices.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/schema_json.h"
#include "engine/schema_refs.h"

struct choices {
    yyjson_mut_doc *doc;
    yyjson_mut_val **lists; /* of oneOf; what stands in one comes before it */
    size_t count, room, values;
};

static void add(struct choices *c, yyjson_mut_val *list) {
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 16;
        c->lists = xrealloc(c->lists, c->room * sizeof(yyjson_mut_val *));
    }
    c->lists[c->count++] = list;
}

/* Not among values, which are not schemas. */
static void collect(struct choices *c, yyjson_mut_val *val) {
    yyjson_mut_val *name, *one;
    size_t i, count;
    yyjson_mut_obj_foreach(val, i, count, name, one) {
        if (yyjson_mut_equals_str(name, "const") || yyjson_mut_equals_str(name, "enum"))
            continue;
        collect(c, one);
        if (yyjson_mut_equals_str(name, "oneOf") && yyjson_mut_is_arr(one)) add(c, one);
    }
    yyjson_mut_arr_foreach(val, i, count, one) collect(c, one);
}

/* Where a schema that is nothing but a reference leads; NULL: it is none, or leads to the
 * whole, to another reference, or nowhere. */
static yyjson_mut_val *target_of(const struct choices *c, yyjson_mut_val *schema) {
    const char *ref = yyjson_mut_get_str(yyjson_mut_obj_get(schema, "$ref"));
    if (!ref || yyjson_mut_obj_size(schema) != 1) return NULL;
    yyjson_mut_val *at = schema_refs_follow(yyjson_mut_doc_get_root(c->doc), ref);
    return yyjson_mut_is_obj(at) && !yyjson_mut_obj_get(at, "$ref") ? at : NULL;
}

static void write_out(struct choices *c, yyjson_mut_val *list) {
    if (yyjson_mut_arr_size(list) > SCHEMA_CHOICES_LIST_MAX) return;
    for (size_t i = 0; i < yyjson_mut_arr_size(list); i++) {
        yyjson_mut_val *target = target_of(c, yyjson_mut_arr_get(list, i));
        size_t values = target ? schema_values(target) : 0;
        if (!target || c->values + values > SCHEMA_CHOICES_MAX) continue;
        c->values += values;
        yyjson_mut_arr_replace(list, i, yyjson_mut_val_mut_copy(c->doc, target));
    }
}

void schema_choices_write_out(yyjson_mut_doc *doc) {
    struct choices c = { .doc = doc };
    collect(&c, yyjson_mut_doc_get_root(doc));
    for (size_t i = 0; i < c.count; i++) write_out(&c, c.lists[i]);
    free(c.lists);
}
