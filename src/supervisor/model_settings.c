/* SPDX-License-Identifier: MIT */
#include "supervisor/model_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { TTL_MAX = 315360000 }; /* seconds: ten years */

static void clear_entry(struct model_entry *entry) {
    load_adapters_free(&entry->load.adapters);
    free(entry->key);
}

void model_settings_clear(struct model_settings *models) {
    for (size_t i = 0; i < models->count; i++) clear_entry(&models->entries[i]);
    free(models->entries);
    *models = (struct model_settings){ 0 };
}

static struct model_entry *add(struct model_settings *models, const char *key) {
    size_t size = (models->count + 1) * sizeof *models->entries;
    models->entries = xrealloc(models->entries, size);
    struct model_entry *entry = &models->entries[models->count++];
    *entry = (struct model_entry){ xstrdup(key), LOAD_SETTINGS_UNSET, MODEL_TTL_UNSET };
    return entry;
}

static void remove_entry(struct model_settings *models, struct model_entry *entry) {
    clear_entry(entry);
    struct model_entry *last = models->entries + --models->count;
    memmove(entry, entry + 1, (size_t)(last - entry) * sizeof *entry);
}

struct model_settings model_settings_copy(const struct model_settings *models) {
    struct model_settings copy = { 0 };
    for (size_t i = 0; i < models->count; i++) {
        const struct model_entry *entry = &models->entries[i];
        struct model_entry *added = add(&copy, entry->key);
        added->load = entry->load;
        load_adapters_own(&added->load.adapters);
        added->ttl = entry->ttl;
    }
    return copy;
}

static struct model_entry *find(const struct model_settings *models, const char *key) {
    for (size_t i = 0; i < models->count; i++) {
        if (strcmp(models->entries[i].key, key) == 0) return &models->entries[i];
    }
    return NULL;
}

const struct model_entry *model_settings_find(const struct model_settings *models,
                                              const char *key) {
    return find(models, key);
}

static bool fail_count(struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, "models",
                           "'models' can have at most %d entries; remove some with null.",
                           MODEL_SETTINGS_MAX);
}

static bool patch_ttl(struct model_entry *entry, yyjson_val *patch, struct error *err) {
    yyjson_val *ttl = yyjson_obj_get(patch, "ttl");
    double seconds = yyjson_get_num(ttl);
    if (!ttl) return true;
    if (yyjson_is_null(ttl)) {
        entry->ttl = MODEL_TTL_UNSET;
        return true;
    }
    if (!yyjson_is_num(ttl) || !(seconds == -1 || (seconds >= 0 && seconds <= TTL_MAX))) {
        return error_set_param(err, ERR_INVALID_REQUEST, "ttl",
                               "'ttl' must be seconds from 0 to %d, or -1 for none.", TTL_MAX);
    }
    entry->ttl = seconds == -1 ? MSEC_NEVER : (msec)(seconds * 1000);
    return true;
}

/* The adapters' names are the patch's, which goes, or the entry's own. */
static bool patch_settings(struct load_settings *load, yyjson_val *patch, struct error *err) {
    struct load_adapters old = load->adapters;
    if (!load_settings_patch(load, patch, err)) return false;
    if (!yyjson_obj_get(patch, "adapters")) return true;
    load_adapters_own(&load->adapters);
    load_adapters_free(&old);
    return true;
}

/* All that is not "ttl" is a load setting. */
static bool patch_load(struct model_entry *entry, yyjson_val *patch, struct error *err) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *rest = yyjson_val_mut_copy(doc, patch);
    (void)yyjson_mut_obj_remove_key(rest, "ttl");
    yyjson_doc *copy = yyjson_mut_val_imut_copy(rest, NULL);
    bool ok = patch_settings(&entry->load, yyjson_doc_get_root(copy), err);
    yyjson_doc_free(copy);
    yyjson_mut_doc_free(doc);
    return ok;
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
    if (!entry) entry = add(models, key);
    return patch_ttl(entry, patch, err) && patch_load(entry, patch, err);
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
        const struct model_entry *entry = &models->entries[i];
        yyjson_mut_val *one = load_settings_format(&entry->load, doc);
        yyjson_mut_obj_add(object, yyjson_mut_strcpy(doc, entry->key), one);
        if (entry->ttl == MSEC_NEVER)
            yyjson_mut_obj_add_int(doc, one, "ttl", -1);
        else if (entry->ttl != MODEL_TTL_UNSET)
            yyjson_mut_obj_add_real(doc, one, "ttl", (double)entry->ttl / 1000);
    }
    return object;
}
