/* SPDX-License-Identifier: MIT */
#include "supervisor/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/names.h"
#include "base/no_model.h"
#include "base/xalloc.h"

static const struct named_instance *find_identifier(const struct named_instance *instances,
                                                    size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(instances[i].identifier, name) == 0) return &instances[i];
    }
    return NULL;
}

/* The only loaded instance; returns how many there are. */
static size_t resolve_nameless(const struct names *names, struct target *ret_target) {
    const struct named_instance *only = NULL;
    size_t loaded = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (!names->instances[i].loaded) continue;
        only = &names->instances[i];
        loaded++;
    }
    if (loaded == 1) {
        *ret_target = (struct target){ only->slot, only->model_key,
                                       catalog_find(names->catalog, only->model_key) };
    }
    return loaded;
}

static bool nameless_or_error(const struct names *names, struct target *ret_target,
                              struct error *err) {
    size_t loaded = resolve_nameless(names, ret_target);
    if (loaded == 1) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "model",
                           loaded
                               ? "'model' is missing and several models are loaded; name one "
                                 "of those that " MODELS_LISTED_BY " lists."
                               : "'model' is missing and no model is loaded; name one of those "
                                 "that " MODELS_LISTED_BY " lists.");
}

static bool not_found(const struct catalog *catalog, const char *name, struct error *err) {
    const char *close[3];
    if (catalog->count == 0) return error_no_models(err);
    size_t count = catalog_close_names(catalog, name, close);
    struct buf list = BUF_INIT(256);
    for (size_t i = 0; i < count; i++) buf_addf(&list, "%s'%s'", i ? ", " : "", close[i]);
    error_no_model(err, "model", name, buf_str(&list));
    buf_clear(&list);
    return false;
}

static bool resolve_identifier(const struct names *names, const char *name,
                               struct target *ret_target) {
    const struct named_instance *instance = find_identifier(names->instances, names->count,
                                                            name);
    if (!instance) return false;
    bool any = strcmp(instance->identifier, instance->model_key) == 0;
    *ret_target = (struct target){ any ? LC_NO_SLOT : instance->slot, instance->model_key,
                                   catalog_find(names->catalog, instance->model_key) };
    return true;
}

/* Ollama's listings give an identifier a tag. */
static bool resolve_latest(const struct names *names, const char *name,
                           struct target *ret_target) {
    size_t len = untagged_len(name);
    if (!name[len]) return false;
    char *identifier = xstrndup(name, len);
    bool known = resolve_identifier(names, identifier, ret_target);
    free(identifier);
    return known;
}

/* A name that this server knows. */
static bool resolve_known(const struct names *names, const char *name,
                          struct target *ret_target) {
    if (resolve_identifier(names, name, ret_target) || resolve_latest(names, name, ret_target))
        return true;
    const struct model *model = catalog_find(names->catalog, name);
    if (model) *ret_target = (struct target){ LC_NO_SLOT, model->key, model };
    return model != NULL;
}

static bool alias_fails(const char *name, const char *target, struct error *err) {
    bool loaded = strcmp(target, MODEL_ALIAS_LOADED) == 0;
    return error_set_param(err, ERR_MODEL_NOT_FOUND, "model",
                           loaded
                               ? "'%.100s' stands for the only loaded model, and there is not "
                                 "exactly one; load one, or change the setting "
                                 "model_aliases."
                               : "'%.100s' stands for '%.100s', which does not exist; change "
                                 "the setting model_aliases.",
                           name, target);
}

static bool claude_fails(const char *name, struct error *err) {
    return error_set_param(
        err, ERR_MODEL_NOT_FOUND, "model",
        "There is no model '%.100s', and not exactly one model is loaded that "
        "could stand for it; set model_aliases to {\"claude-*\": "
        "\"<model>\"}.",
        name);
}

bool resolve_name(const struct names *names, const char *name, struct target *ret_target,
                  struct error *err) {
    if (!name || !*name) return nameless_or_error(names, ret_target, err);
    if (resolve_known(names, name, ret_target)) return true;
    const char *target = model_aliases_find(names->aliases, name);
    if (target) {
        bool loaded = strcmp(target, MODEL_ALIAS_LOADED) == 0;
        bool ok = loaded ? resolve_nameless(names, ret_target) == 1
                         : resolve_known(names, target, ret_target);
        return ok || alias_fails(name, target, err);
    }
    if (strncmp(name, "claude-", 7) != 0) return not_found(names->catalog, name, err);
    return resolve_nameless(names, ret_target) == 1 || claude_fails(name, err);
}
