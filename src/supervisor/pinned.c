/* SPDX-License-Identifier: MIT */
#include "supervisor/pinned.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

static void drop(struct pinned *pinned, size_t index) {
    free(pinned->list[index].identifier);
    free(pinned->list[index].model_key);
    load_adapters_free(&pinned->list[index].requested.adapters);
    pinned->count--;
    memmove(pinned->list + index, pinned->list + index + 1,
            (pinned->count - index) * sizeof pinned->list[0]);
}

void pinned_clear(struct pinned *pinned) {
    while (pinned->count > 0) drop(pinned, pinned->count - 1);
}

/* pinned->count if there is none. */
static size_t find(const struct pinned *pinned, const char *identifier) {
    size_t i = 0;
    while (i < pinned->count && strcmp(pinned->list[i].identifier, identifier) != 0) i++;
    return i;
}

bool pinned_has(const struct pinned *pinned, const char *identifier) {
    return find(pinned, identifier) < pinned->count;
}

bool pinned_forget(struct pinned *pinned, const char *identifier) {
    size_t index = find(pinned, identifier);
    if (index == pinned->count) return false;
    drop(pinned, index);
    return true;
}

bool pinned_set_ttl(struct pinned *pinned, const char *identifier, msec ttl) {
    size_t index = find(pinned, identifier);
    if (index == pinned->count) return false;
    pinned->list[index].ttl = ttl;
    return true;
}

void pinned_put(struct pinned *pinned, const char *identifier, const char *model_key, msec ttl,
                const struct load_settings *requested) {
    if (!pinned_forget(pinned, identifier) && pinned->count == PINNED_MAX) drop(pinned, 0);
    struct pinned_instance *put = &pinned->list[pinned->count++];
    *put = (struct pinned_instance){ .identifier = xstrdup(identifier),
                                     .model_key = xstrdup(model_key),
                                     .ttl = ttl,
                                     .requested = *requested };
    load_adapters_own(&put->requested.adapters);
}

static void add_instance(const struct pinned_instance *instance, yyjson_mut_doc *doc,
                         yyjson_mut_val *list) {
    yyjson_mut_val *obj = load_settings_format(&instance->requested, doc);
    yyjson_mut_arr_append(list, obj);
    yyjson_mut_obj_add_str(doc, obj, "model", instance->model_key);
    if (strcmp(instance->identifier, instance->model_key) != 0) {
        yyjson_mut_obj_add_str(doc, obj, "identifier", instance->identifier);
    }
    if (instance->ttl != MSEC_NEVER) {
        yyjson_mut_obj_add_real(doc, obj, "ttl", (double)instance->ttl / 1000);
    }
}

void pinned_format(const struct pinned *pinned, struct buf *out) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, list);
    for (size_t i = 0; i < pinned->count; i++) add_instance(&pinned->list[i], doc, list);
    json_write_end(doc, out);
}
