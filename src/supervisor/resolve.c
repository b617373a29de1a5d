/* SPDX-License-Identifier: MIT */
#include "supervisor/resolve.h"

#include <string.h>

#include "base/buf.h"

static const struct named_instance *find_identifier(const struct named_instance *instances,
                                                    size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(instances[i].identifier, name) == 0) return &instances[i];
    }
    return NULL;
}

/* Only if a single instance is loaded. */
static bool resolve_nameless(const struct catalog *catalog,
                             const struct named_instance *instances, size_t count,
                             struct target *ret_target, struct error *err) {
    const struct named_instance *only = NULL;
    size_t loaded = 0;
    for (size_t i = 0; i < count; i++) {
        if (!instances[i].loaded) continue;
        only = &instances[i];
        loaded++;
    }
    if (loaded == 1) {
        *ret_target = (struct target){ only->slot, only->model_key,
                                       catalog_find(catalog, only->model_key) };
        return true;
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "model",
                           loaded
                               ? "'model' is missing and several models are loaded; name one "
                                 "of those that GET /v1/models lists."
                               : "'model' is missing and no model is loaded; name one of those "
                                 "that GET /v1/models lists.");
}

static bool not_found(const struct catalog *catalog, const char *name, struct error *err) {
    const char *close[3];
    size_t count = catalog_close_names(catalog, name, close);
    struct buf list = BUF_INIT(256);
    for (size_t i = 0; i < count; i++) buf_addf(&list, "%s'%s'", i ? ", " : "", close[i]);
    if (count > 0) {
        error_set_param(err, ERR_MODEL_NOT_FOUND, "model",
                        "There is no model '%.100s'; did you mean %s?", name, buf_str(&list));
    } else {
        error_set_param(err, ERR_MODEL_NOT_FOUND, "model",
                        "There is no model '%.100s'; GET /v1/models lists the models.", name);
    }
    buf_clear(&list);
    return false;
}

bool resolve_name(const struct catalog *catalog, const struct named_instance *instances,
                  size_t count, const char *name, struct target *ret_target,
                  struct error *err) {
    if (!name || !*name) return resolve_nameless(catalog, instances, count, ret_target, err);
    const struct named_instance *instance = find_identifier(instances, count, name);
    if (instance) {
        bool any = strcmp(instance->identifier, instance->model_key) == 0;
        *ret_target = (struct target){ any ? LC_NO_SLOT : instance->slot, instance->model_key,
                                       catalog_find(catalog, instance->model_key) };
        return true;
    }
    const struct model *model = catalog_find(catalog, name);
    if (!model) return not_found(catalog, name, err);
    *ret_target = (struct target){ LC_NO_SLOT, model->key, model };
    return true;
}
