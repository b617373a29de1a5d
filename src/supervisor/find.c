/* SPDX-License-Identifier: MIT */
/* find.c - models and instances by the names that clients use. */
#include <string.h>

#include "base/no_model.h"
#include "supervisor/internal.h"

bool supervisor_resolve(const struct supervisor *sup, const char *name,
                        struct target *ret_target, struct error *err) {
    struct named_instance named[LC_MAX_SLOTS];
    size_t count = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        enum lc_state state = sup->lc.slots[i].state;
        if (!supervisor_holds(sup, i)) continue;
        named[count++] = (struct named_instance){ i, in->identifier, in->model_key,
                                                  state == LC_IDLE || state == LC_BUSY };
    }
    const struct names names = { *sup->config.catalog, &sup->config.settings->aliases, named,
                                 count };
    return resolve_name(&names, name, ret_target, err);
}

const char *supervisor_meaning(const struct supervisor *sup, const char *name, bool *ret_one) {
    struct target target;
    struct error ignored;
    *ret_one = false;
    if (!supervisor_resolve(sup, name, &target, &ignored)) return NULL;
    *ret_one = target.slot != LC_NO_SLOT;
    return target.model_key;
}

bool supervisor_is_resident(const struct supervisor *sup, const char *model_key) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        enum lc_state state = sup->lc.slots[i].state;
        bool resident = state == LC_LOADING || state == LC_IDLE || state == LC_BUSY;
        if (resident && strcmp(sup->instances[i].model_key, model_key) == 0) return true;
    }
    return false;
}

bool supervisor_resolve_reference(const struct supervisor *sup, uint64_t reference,
                                  struct target *ret_target, struct error *err) {
    int slot = supervisor_find_slot(sup, reference);
    enum lc_state state = slot == LC_NO_SLOT ? LC_ABSENT : sup->lc.slots[slot].state;
    if (state == LC_ABSENT || state == LC_UNLOADING) {
        return error_set(err, ERR_MODEL_UNLOADED,
                         "This instance was unloaded; load the model again.");
    }
    const char *key = sup->instances[slot].model_key;
    *ret_target = (struct target){ slot, key, catalog_find(*sup->config.catalog, key) };
    return true;
}

bool supervisor_resolve_model(const struct supervisor *sup, const char *name,
                              struct target *ret_target, struct error *err) {
    if (!name || !*name) {
        return error_set_param(err, ERR_INVALID_REQUEST, "model",
                               "'model' is missing; name one of those that " MODELS_LISTED_BY
                               " lists.");
    }
    const struct names names = { .catalog = *sup->config.catalog,
                                 .aliases = &sup->config.settings->aliases };
    if (!resolve_name(&names, name, ret_target, err)) return false;
    ret_target->slot = LC_NO_SLOT;
    return true;
}

bool supervisor_identifier_taken(const struct supervisor *sup, const char *identifier) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (!supervisor_holds(sup, i)) continue;
        if (strcmp(sup->instances[i].identifier, identifier) == 0) return true;
    }
    return false;
}

int supervisor_find_intended(const struct supervisor *sup, const char *name) {
    int found = LC_NO_SLOT, count = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        if (!sup->lc.slots[i].intended || supervisor_shows(sup, i)) continue;
        if (strcmp(in->identifier, name) == 0) return i;
        if (strcmp(in->model_key, name) != 0) continue;
        found = i;
        count++;
    }
    return count == 1 ? found : LC_NO_SLOT;
}

/* Listed, but its load has not begun. */
static bool is_queued(const struct supervisor *sup, const char *name) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        if (sup->lc.slots[i].state != LC_ABSENT || !supervisor_shows(sup, i)) continue;
        if (strcmp(in->identifier, name) == 0 || strcmp(in->model_key, name) == 0) return true;
    }
    return false;
}

int supervisor_find_loaded(const struct supervisor *sup, const char *name, struct error *err) {
    int found = LC_NO_SLOT, count = 0;
    const struct model *meant = catalog_find(*sup->config.catalog, name);
    const char *key = meant ? meant->key : name; /* its file may be gone */
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        enum lc_state state = sup->lc.slots[i].state;
        if (!in->identifier || state == LC_ABSENT || state == LC_UNLOADING) continue;
        if (strcmp(in->identifier, name) == 0) return i;
        if (strcmp(in->model_key, key) != 0) continue;
        found = i;
        count++;
    }
    if (count == 1) return found;
    if (count > 1) {
        error_set(
            err, ERR_MODEL_NOT_FOUND,
            "'%.80s' has %d instances; name one by its identifier (`doze ps` lists them).",
            name, count);
    } else if (is_queued(sup, name)) {
        error_set(err, ERR_MODEL_NOT_FOUND,
                  "'%.80s' is not loaded yet: it waits for its place; it can be unloaded or "
                  "changed when its load has begun.",
                  name);
    } else {
        error_set(err, ERR_MODEL_NOT_FOUND,
                  "No instance '%.80s' is loaded; `doze ps` lists those that are.", name);
    }
    return LC_NO_SLOT;
}
