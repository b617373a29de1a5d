/* SPDX-License-Identifier: MIT */
#include "load/load_adapters.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/xalloc.h"

static bool refuse(const char *name, const char *what, struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, name,
                           "'%s' must be a list of up to %d objects with 'path' and 'scale', "
                           "such as [{\"path\": \"my-lora.gguf\", \"scale\": 1}]: %s.",
                           name, LOAD_MAX_ADAPTERS, what);
}

/* A misspelt 'scale' would mean 1. */
static bool has_other_keys(yyjson_val *json) {
    yyjson_obj_iter iter = yyjson_obj_iter_with(json);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        if (!yyjson_equals_str(key, "path") && !yyjson_equals_str(key, "scale")) return true;
    }
    return false;
}

static bool read_one(yyjson_val *json, const char *name, struct load_adapter *ret,
                     struct error *err) {
    yyjson_val *path = yyjson_obj_get(json, "path"), *scale = yyjson_obj_get(json, "scale");
    size_t len = yyjson_get_len(path);
    if (!yyjson_is_obj(json)) return refuse(name, "one of them is not an object", err);
    if (has_other_keys(json)) return refuse(name, "one of them has other fields", err);
    if (!yyjson_is_str(path) || len == 0 || len >= LOAD_MAX_ADAPTER_PATH ||
        strlen(yyjson_get_str(path)) != len) {
        return refuse(name, "a 'path' is missing or not the name of a file", err);
    }
    double value = !scale || yyjson_is_null(scale) ? 1 : json_number(scale);
    bool number = !scale || yyjson_is_null(scale) || yyjson_is_num(scale);
    if (!number || !(value >= -LOAD_MAX_ADAPTER_SCALE && value <= LOAD_MAX_ADAPTER_SCALE))
        return refuse(name, "a 'scale' is not a number from -100 to 100", err);
    *ret = (struct load_adapter){ yyjson_get_str(path), value };
    return true;
}

bool load_adapters_read(yyjson_val *json, const char *name, struct load_adapters *ret,
                        struct error *err) {
    struct load_adapters adapters = { 0 };
    size_t i, max;
    yyjson_val *one;
    if (!yyjson_is_arr(json)) return refuse(name, "it is not a list", err);
    if (yyjson_arr_size(json) > LOAD_MAX_ADAPTERS) return refuse(name, "it has more", err);
    yyjson_arr_foreach(json, i, max, one) {
        if (!read_one(one, name, &adapters.list[adapters.count++], err)) return false;
    }
    *ret = adapters;
    return true;
}

yyjson_mut_val *load_adapters_value(const struct load_adapters *adapters, yyjson_mut_doc *doc) {
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    for (int64_t i = 0; i < adapters->count; i++) {
        yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, one, "path", adapters->list[i].path);
        yyjson_mut_obj_add_real(doc, one, "scale", adapters->list[i].scale);
    }
    return list;
}

uint64_t load_adapters_hash(const struct load_adapters *adapters, uint64_t hash) {
    hash = hash_add(hash, &adapters->count, sizeof adapters->count);
    for (int64_t i = 0; i < adapters->count; i++) {
        const struct load_adapter *one = &adapters->list[i];
        hash = hash_add(hash, one->path, strlen(one->path) + 1);
        hash = hash_add(hash, &one->scale, sizeof one->scale);
    }
    return hash;
}

void load_adapters_own(struct load_adapters *adapters) {
    for (int64_t i = 0; i < adapters->count; i++) {
        adapters->list[i].path = xstrdup(adapters->list[i].path);
    }
}

void load_adapters_free(struct load_adapters *adapters) {
    for (int64_t i = 0; i < adapters->count; i++) {
        free((char *)(uintptr_t)adapters->list[i].path);
    }
    *adapters = (struct load_adapters)LOAD_ADAPTERS_UNSET;
}
