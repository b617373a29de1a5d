/* SPDX-License-Identifier: MIT */
/* model_settings.h - the user's settings for single models: load settings and "ttl". Pure. */
#ifndef DOZE_SUPERVISOR_MODEL_SETTINGS_H
#define DOZE_SUPERVISOR_MODEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/error.h"
#include "base/msec.h"
#include "load/load_settings.h"

enum { MODEL_SETTINGS_MAX = 4096 };

/* No ttl is set for the model. */
#define MODEL_TTL_UNSET ((msec)-1)

struct model_entry {
    char *key;                 /* owned */
    struct load_settings load; /* has copies of the names of adapters */
    msec ttl; /* of loads by requests that bring none; MSEC_NEVER: none; MODEL_TTL_UNSET */
};

/* Zeroed: none. */
struct model_settings {
    struct model_entry *entries;
    size_t count;
};

void model_settings_clear(struct model_settings *models);
/* An independent copy. */
struct model_settings model_settings_copy(const struct model_settings *models);

/* NULL: nothing is set for this model. */
const struct model_entry *model_settings_find(const struct model_settings *models,
                                              const char *key);

/* Merge an object of settings by model key (load_settings_patch and "ttl" in seconds, -1:
 * none); null removes a model or a setting. Fails with ERR_INVALID_REQUEST and the param
 * "models" or the load setting's name; what came before it is merged then. */
bool model_settings_patch(struct model_settings *models, yyjson_val *patch, struct error *err)
    __attribute__((warn_unused_result));

/* The object that model_settings_patch reads. */
yyjson_mut_val *model_settings_format(const struct model_settings *models, yyjson_mut_doc *doc);

#endif
