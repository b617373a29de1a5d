/* SPDX-License-Identifier: MIT */
/* model_aliases.h - other names of models, for clients that insist on certain names. Pure. */
#ifndef DOZE_SUPERVISOR_MODEL_ALIASES_H
#define DOZE_SUPERVISOR_MODEL_ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/error.h"

enum {
    MODEL_ALIASES_MAX = 256,
    MODEL_ALIAS_NAME_MAX = 512, /* bytes of a name that is looked up: no pattern fits others */
};

/* The target that means the only loaded model. */
#define MODEL_ALIAS_LOADED "loaded"

/* "claude-*" -> "qwen3-4b": '*' stands for any text. Both are owned. */
struct model_alias {
    char *pattern, *target;
};

/* Zeroed: none. */
struct model_aliases {
    struct model_alias *list;
    size_t count;
};

void model_aliases_clear(struct model_aliases *aliases);
/* An independent copy. */
struct model_aliases model_aliases_copy(const struct model_aliases *aliases);

/* The target of a name in any case: of the patterns that fit, the longest; NULL: none. */
const char *model_aliases_find(const struct model_aliases *aliases, const char *name);

/* Merge an object of targets by pattern; null removes one. Fails with ERR_INVALID_REQUEST and
 * the param "model_aliases"; what came before the fault is merged then. */
bool model_aliases_patch(struct model_aliases *aliases, yyjson_val *patch, struct error *err)
    __attribute__((warn_unused_result));

/* The object that model_aliases_patch reads. */
yyjson_mut_val *model_aliases_format(const struct model_aliases *aliases, yyjson_mut_doc *doc);

#endif
