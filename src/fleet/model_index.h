/* SPDX-License-Identifier: MIT */
/*
 * model_index.h - the models of an entry "models/<node>" by their keys: a fleet of a thousand
 * nodes with a hundred models each is asked about one model with every request. Pure.
 */
#ifndef DOZE_FLEET_MODEL_INDEX_H
#define DOZE_FLEET_MODEL_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

struct indexed_model {
    uint64_t hash; /* of its key */
    yyjson_val *model;
};

/* Zeroed: of no models. */
struct model_index {
    struct indexed_model *list; /* by hash */
    size_t count;
};

/* Of the entry's value, which it borrows. Clear with model_index_clear. */
void model_index_make(struct model_index *ret, yyjson_val *value);
void model_index_clear(struct model_index *index);

/* The first model with this key; NULL: there is none. */
yyjson_val *model_index_find(const struct model_index *index, const char *key, size_t len);

#endif
