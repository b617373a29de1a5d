/* SPDX-License-Identifier: MIT */
/* resolve.h - which model or instance a client means by a name (JIT loading, rule 5). Pure. */
#ifndef DOZE_SUPERVISOR_RESOLVE_H
#define DOZE_SUPERVISOR_RESOLVE_H

#include "catalog/catalog.h"
#include "lifecycle/lifecycle.h"
#include "supervisor/model_aliases.h"

/* The part of an instance that matters here. */
struct named_instance {
    int slot;
    const char *identifier, *model_key;
    bool loaded; /* idle or busy */
};

struct target {
    int slot;                  /* LC_NO_SLOT: any instance of the model */
    const char *model_key;     /* borrowed from the catalog or the instance */
    const struct model *model; /* NULL: its file is gone, the instance is still there */
};

/* Where names are looked up. */
struct names {
    const struct catalog *catalog;
    const struct model_aliases *aliases;
    const struct named_instance *instances;
    size_t count; /* of the instances */
};

/* name may be NULL or "" (then the only loaded instance is meant). An identifier that is just
 * its model's key means the model: the least busy of its instances serves. A name that is
 * neither may be an alias; "claude-..." without one means the only loaded instance, because
 * Claude Code insists on such names. Fails with ERR_MODEL_NOT_FOUND (naming up to three close
 * ones) or, without a name, ERR_INVALID_REQUEST. */
bool resolve_name(const struct names *names, const char *name, struct target *ret_target,
                  struct error *err);

#endif
