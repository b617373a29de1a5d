/* SPDX-License-Identifier: MIT */
/*
 * pinned.h - the instances that are loaded again after a restart. A pin lasts until the user
 * removes it, whether the instance is loaded or not.
 *
 * Start with a zeroed struct. Pure.
 */
#ifndef DOZE_SUPERVISOR_PINNED_H
#define DOZE_SUPERVISOR_PINNED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/msec.h"
#include "load/load_settings.h"

enum { PINNED_MAX = 64 }; /* more could not be loaded together */

struct pinned_instance {
    char *identifier, *model_key;
    msec ttl; /* ms; MSEC_NEVER: none */
    struct load_settings requested;
};

struct pinned {
    struct pinned_instance list[PINNED_MAX]; /* oldest first */
    size_t count;
};

void pinned_clear(struct pinned *pinned);

/* Pin an instance, or replace the pin of the same identifier. Copies. Beyond PINNED_MAX the
 * oldest is dropped. */
void pinned_put(struct pinned *pinned, const char *identifier, const char *model_key, msec ttl,
                const struct load_settings *requested);
/* False if there is none. */
bool pinned_forget(struct pinned *pinned, const char *identifier);
bool pinned_set_ttl(struct pinned *pinned, const char *identifier, msec ttl);
bool pinned_has(const struct pinned *pinned, const char *identifier);

/* Append a JSON array of bodies for POST /api/v1/models/load. */
void pinned_format(const struct pinned *pinned, struct buf *out);

#endif
