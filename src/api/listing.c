/* SPDX-License-Identifier: MIT */
#include "api/listing.h"

#include <stdlib.h>
#include <string.h>

#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

struct listing {
    struct listing_entry *entries;
    size_t count;
};

static const struct instance_view *instance_find(const struct model_view *model,
                                                 const char *id) {
    for (size_t i = 0; i < model->instance_count; i++) {
        if (strcmp(model->instances[i].identifier, id) == 0) return &model->instances[i];
    }
    return NULL;
}

/* An instance of the server's, of which there are few. */
struct occupant {
    const struct model_view *model;
    const char *identifier;
};

struct occupants {
    struct occupant *list;
    size_t count;
};

static struct occupants occupants_new(const struct service_models *models) {
    size_t room = 0;
    for (size_t i = 0; i < models->count; i++) room += models->models[i].instance_count;
    struct occupants all = { .list = xcalloc(room + 1, sizeof *all.list) };
    for (size_t i = 0; i < models->count && all.count < room; i++) {
        const struct model_view *model = &models->models[i];
        for (size_t k = 0; k < model->instance_count; k++)
            all.list[all.count++] = (struct occupant){ model, model->instances[k].identifier };
    }
    return all;
}

/* Names are looked up as identifiers first, so an instance of another model can hide a key. */
static bool key_is_taken(const struct occupants *all, const struct model_view *model) {
    for (size_t i = 0; i < all->count; i++) {
        const struct occupant *one = &all->list[i];
        if (one->model != model && strcmp(one->identifier, model->key) == 0) return true;
    }
    return false;
}

static void model_add(struct listing *listing, const struct occupants *all,
                      const struct model_view *model) {
    bool shown = !model->problem && !key_is_taken(all, model);
    if (shown) {
        listing->entries[listing->count++] = (struct listing_entry){ .id = model->key,
                                                                     .model = model };
    }
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct instance_view *instance = &model->instances[i];
        if (shown && strcmp(instance->identifier, model->key) == 0) continue;
        listing->entries[listing->count++] = (struct listing_entry){ .id = instance->identifier,
                                                                     .model = model,
                                                                     .instance = instance };
    }
}

static struct listing listing_new(const struct service_models *models) {
    struct occupants all = occupants_new(models);
    struct listing listing = { .entries = xcalloc(models->count + all.count + 1,
                                                  sizeof *listing.entries) };
    for (size_t i = 0; i < models->count; i++) model_add(&listing, &all, &models->models[i]);
    free(all.list);
    return listing;
}

static bool form_shows(const struct listing_form *form, const struct listing_entry *entry,
                       bool jit) {
    return !form->shows || form->shows(entry, jit);
}

void listing_fill(const struct service_models *models, const struct listing_form *form,
                  yyjson_mut_doc *doc, yyjson_mut_val *data) {
    struct listing listing = listing_new(models);
    for (size_t i = 0; i < listing.count; i++) {
        const struct listing_entry *entry = &listing.entries[i];
        if (form_shows(form, entry, models->jit)) {
            form->fill(doc, yyjson_mut_arr_add_obj(doc, data), entry);
        }
    }
    free(listing.entries);
}

void listing_format(const struct service_models *models, const struct listing_form *form,
                    struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "object", "list");
    yyjson_mut_val *data = yyjson_mut_obj_add_arr(doc, root, "data");
    listing_fill(models, form, doc, data);
    if (form->end) form->end(doc, root, data);
    json_write_end(doc, out);
}

bool listing_format_one(const struct service_models *models, const char *id,
                        const struct listing_form *form, struct buf *out) {
    struct listing listing = listing_new(models);
    size_t i = 0;
    while (i < listing.count && strcmp(listing.entries[i].id, id) != 0) i++;
    bool found = i < listing.count && form_shows(form, &listing.entries[i], models->jit);
    if (found) {
        yyjson_mut_doc *doc = answer_new();
        form->fill(doc, yyjson_mut_doc_get_root(doc), &listing.entries[i]);
        json_write_end(doc, out);
    }
    free(listing.entries);
    return found;
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
    const struct instance_view *named = instance_find(entry->model, entry->id);
    if (named && instance_is_loaded(named)) return named;
    for (size_t i = 0; i < entry->model->instance_count; i++) {
        const struct instance_view *instance = &entry->model->instances[i];
        if (instance_is_loaded(instance)) return instance;
    }
    return NULL;
}

bool listing_serves(const struct listing_entry *entry, bool jit) {
    if (jit) return true;
    const struct instance_view *loaded = entry_loaded(entry);
    return loaded && strcmp(loaded->identifier, entry->id) == 0;
}
