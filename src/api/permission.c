/* SPDX-License-Identifier: MIT */
#include "api/permission.h"

#include <string.h>

static const char *const names[PERMISSION_COUNT] = {
    [PERMISSION_ADMIN] = "admin",   [PERMISSION_INFERENCE] = "inference",
    [PERMISSION_MODELS] = "models", [PERMISSION_SETTINGS] = "settings",
    [PERMISSION_EVENTS] = "events",
};

const char *permission_name(enum permission permission) {
    return names[permission];
}

bool permission_parse(const char *word, enum permission *ret_permission) {
    for (int i = 0; i < PERMISSION_COUNT; i++) {
        if (!names[i] || strcmp(names[i], word) != 0) continue;
        *ret_permission = (enum permission)i;
        return true;
    }
    return false;
}

bool permission_in(unsigned set, enum permission permission) {
    return permission == PERMISSION_ANY || (set & (1u << PERMISSION_ADMIN)) ||
           (set & (1u << permission));
}

bool permission_require(unsigned set, enum permission permission, struct error *err) {
    return permission_in(set, permission) ||
           error_set(
               err, ERR_FORBIDDEN,
               "This API key does not have the permission '%s'; use another key, or create one "
               "with `doze token create`.",
               permission_name(permission));
}
