/* SPDX-License-Identifier: MIT */
/*
 * load_adapters.h - the LoRA adapters of a load: which files, and how much of each. One value
 * of the load settings (load_settings.h). Pure.
 */
#ifndef DOZE_LOAD_LOAD_ADAPTERS_H
#define DOZE_LOAD_LOAD_ADAPTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"

enum {
    LOAD_MAX_ADAPTERS = 8,
    LOAD_MAX_ADAPTER_PATH = 4096, /* bytes, with the NUL */
    LOAD_MAX_ADAPTER_SCALE = 100, /* and the same below 0 */
};

struct load_adapter {
    const char *path; /* absolute, or from the folder of the model's file. Borrowed */
    double scale;     /* what it adds to the weights is multiplied by this; 0: nothing */
};

/* A plain value: entries past the count are zero. */
struct load_adapters {
    int64_t count; /* -1: unset */
    struct load_adapter list[LOAD_MAX_ADAPTERS];
};

#define LOAD_ADAPTERS_UNSET                                                                    \
    { .count = -1 }

/* Read a list of objects with "path" and "scale" (absent: 1). Borrows the paths from the
 * document. ERR_INVALID_REQUEST with the param `name`. */
bool load_adapters_read(yyjson_val *json, const char *name, struct load_adapters *ret,
                        struct error *err) __attribute__((warn_unused_result));
/* What load_adapters_read reads; borrows the paths. */
yyjson_mut_val *load_adapters_value(const struct load_adapters *adapters, yyjson_mut_doc *doc);

/* base/hash.h; by what the paths say, not where they are. */
uint64_t load_adapters_hash(const struct load_adapters *adapters, uint64_t hash);

/* Replace the borrowed paths by copies, which load_adapters_free frees; it leaves none. */
void load_adapters_own(struct load_adapters *adapters);
void load_adapters_free(struct load_adapters *adapters);

#endif
