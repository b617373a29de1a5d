/* SPDX-License-Identifier: MIT */
#include "fleet/model_index.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/xalloc.h"

/* Of equal ones the first in the entry: its values lie one after the other. */
static int compare(const void *a, const void *b) {
    const struct indexed_model *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->model > y->model) - (x->model < y->model);
}

void model_index_make(struct model_index *ret, yyjson_val *value) {
    yyjson_val *list = yyjson_obj_get(value, "models"), *model;
    size_t i, max;
    *ret = (struct model_index){ 0 };
    ret->list = xcalloc(yyjson_arr_size(list) + 1, sizeof *ret->list);
    yyjson_arr_foreach(list, i, max, model) {
        yyjson_val *key = yyjson_obj_get(model, "key");
        if (!yyjson_is_str(key)) continue;
        uint64_t hash = hash_add(HASH_BEGIN, yyjson_get_str(key), yyjson_get_len(key));
        ret->list[ret->count++] = (struct indexed_model){ hash, model };
    }
    qsort(ret->list, ret->count, sizeof *ret->list, compare);
}

void model_index_clear(struct model_index *index) {
    free(index->list);
    *index = (struct model_index){ 0 };
}

static size_t first_of(const struct model_index *index, uint64_t hash) {
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->list[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

yyjson_val *model_index_find(const struct model_index *index, const char *key, size_t len) {
    uint64_t hash = hash_add(HASH_BEGIN, key, len);
    for (size_t i = first_of(index, hash); i < index->count; i++) {
        const struct indexed_model *at = &index->list[i];
        if (at->hash != hash) break;
        if (yyjson_equals_strn(yyjson_obj_get(at->model, "key"), key, len)) return at->model;
    }
    return NULL;
}
