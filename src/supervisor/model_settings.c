/* SPDX-License-Identifier: MIT */
#include "supervisor/model_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void model_settings_clear(struct model_settings *models) {
    for (size_t i = 0; i < models->count; i++) free(models->entries[i].key);
    free(models->entries);
    *models = (struct model_settings){ 0 };
}

static struct model_entry *add(struct model_settings *models, const char *key,
                               struct load_settings load) {
    size_t size = (models->count + 1) * sizeof *models->entries;
    models->entries = xrealloc(models->entries, size);
    struct model_entry *entry = &models->entries[models->count++];
    *entry = (struct model_entry){ xstrdup(key), load };
    return entry;
}

static void remove_entry(struct model_settings *models, struct model_entry *entry) {
    free(entry->key);
    struct model_entry *last = models->entries + --models->count;
    memmove(entry, entry + 1, (size_t)(last - entry) * sizeof *entry);
}

struct model_settings model_settings_copy(const struct model_settings *models) {
    struct model_settings copy = { 0 };
    for (size_t i = 0; i < models->count; i++) {
        add(&copy, models->entries[i].key, models->entries[i].load);
    }
    return copy;
}

static struct model_entry *find(const struct model_settings *models, const char *key) {
    for (size_t i = 0; i < models->count; i++) {
        if (strcmp(models->entries[i].key, key) == 0) return &models->entries[i];
    }
    return NULL;
}

const struct load_settings *model_settings_find(const struct model_settings *models,
                                                const char *key) {
    const struct model_entry *entry = find(models, key);
    return entry ? &entry->load : NULL;
}

static bool fail_count(struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, "models",
                           "'models' holds %d entries at most; remove some with null.",
                           MODEL_SETTINGS_MAX);
}

static bool patch_entry(struct model_settings *models, const char *key, yyjson_val *patch,
                        struct error *err) {
    struct model_entry *entry = find(models, key);
    if (yyjson_is_null(patch)) {
        if (entry) remove_entry(models, entry);
        return true;
    }
    if (!yyjson_is_obj(patch)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "models",
                               "'models' must map model keys to objects of load settings.");
    }
    if (!entry && models->count == MODEL_SETTINGS_MAX) return fail_count(err);
    if (!entry) entry = add(models, key, (struct load_settings)LOAD_SETTINGS_UNSET);
    return load_settings_patch(&entry->load, patch, err);
}

bool model_settings_patch(struct model_settings *models, yyjson_val *patch, struct error *err) {
    if (yyjson_obj_size(patch) > MODEL_SETTINGS_MAX) return fail_count(err);
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(patch, i, max, key, val) {
        if (!patch_entry(models, yyjson_get_str(key), val, err)) return false;
    }
    return true;
}

yyjson_mut_val *model_settings_format(const struct model_settings *models,
                                      yyjson_mut_doc *doc) {
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    for (size_t i = 0; i < models->count; i++) {
        yyjson_mut_obj_add(object, yyjson_mut_strcpy(doc, models->entries[i].key),
                           load_settings_format(&models->entries[i].load, doc));
    }
    return object;
}
