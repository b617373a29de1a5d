/* SPDX-License-Identifier: MIT */
#include "api/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

struct listing {
    struct listing_entry *entries;
    size_t count;
};

static bool is_key(const struct service_models *models, const char *id) {
    for (size_t i = 0; i < models->count; i++) {
        if (!models->models[i].problem && strcmp(models->models[i].key, id) == 0) return true;
    }
    return false;
}

static void model_add(struct listing *listing, const struct service_models *models,
                      const struct model_view *model) {
    if (!model->problem) {
        listing->entries[listing->count++] = (struct listing_entry){ .id = model->key,
                                                                     .model = model };
    }
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct instance_view *instance = &model->instances[i];
        if (is_key(models, instance->identifier)) continue;
        listing->entries[listing->count++] = (struct listing_entry){ .id = instance->identifier,
                                                                     .model = model,
                                                                     .instance = instance };
    }
}

static struct listing listing_new(const struct service_models *models) {
    size_t room = models->count;
    for (size_t i = 0; i < models->count; i++) room += models->models[i].instance_count;
    struct listing listing = { .entries = xcalloc(room + 1, sizeof *listing.entries) };
    for (size_t i = 0; i < models->count; i++) model_add(&listing, models, &models->models[i]);
    return listing;
}

void listing_format(const struct service_models *models, const struct listing_form *form,
                    struct buf *out) {
    struct listing listing = listing_new(models);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "object", "list");
    yyjson_mut_val *data = yyjson_mut_obj_add_arr(doc, root, "data");
    for (size_t i = 0; i < listing.count; i++) {
        const struct listing_entry *entry = &listing.entries[i];
        if (form->shows(entry, models->jit)) {
            form->fill(doc, yyjson_mut_arr_add_obj(doc, data), entry);
        }
    }
    (void)json_write(doc, out); /* full: the buffer says so itself */
    yyjson_mut_doc_free(doc);
    free(listing.entries);
}

static const struct listing_entry *listing_find(const struct listing *listing, const char *id) {
    for (size_t i = 0; i < listing->count; i++) {
        if (strcmp(listing->entries[i].id, id) == 0) return &listing->entries[i];
    }
    return NULL;
}

bool listing_format_one(const struct service_models *models, const char *id,
                        const struct listing_form *form, struct buf *out) {
    struct listing listing = listing_new(models);
    const struct listing_entry *entry = listing_find(&listing, id);
    bool shown = entry && form->shows(entry, models->jit);
    if (shown) {
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *root = yyjson_mut_obj(doc);
        yyjson_mut_doc_set_root(doc, root);
        form->fill(doc, root, entry);
        (void)json_write(doc, out); /* full: the buffer says so itself */
        yyjson_mut_doc_free(doc);
    }
    free(listing.entries);
    return shown;
}

bool instance_is_loaded(const struct instance_view *instance) {
    switch (instance->state) {
    case INSTANCE_IDLE:
    case INSTANCE_BUSY:
    case INSTANCE_DRAINING:
        return true;
    case INSTANCE_LOADING:
    case INSTANCE_UNLOADING:
    case INSTANCE_QUEUED:
        return false;
    }
    return false;
}

bool instance_is_coming(const struct instance_view *instance) {
    return instance->state == INSTANCE_LOADING || instance->state == INSTANCE_QUEUED;
}

const struct instance_view *entry_loaded(const struct listing_entry *entry) {
    if (entry->instance) return instance_is_loaded(entry->instance) ? entry->instance : NULL;
    const struct instance_view *first = NULL;
    for (size_t i = 0; i < entry->model->instance_count; i++) {
        const struct instance_view *instance = &entry->model->instances[i];
        if (!instance_is_loaded(instance)) continue;
        if (strcmp(instance->identifier, entry->id) == 0) return instance;
        if (!first) first = instance;
    }
    return first;
}
