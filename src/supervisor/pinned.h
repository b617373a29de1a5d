/* SPDX-License-Identifier: MIT */
/*
 * pinned.h - the instances that are to be there again after a restart: wishes of the user,
 * which last until the user takes them back, whether the instance is loaded or not.
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

enum { KEPT_MAX = 64 }; /* more could not be loaded together */

struct kept_wish {
    char *identifier, *model_key;
    msec ttl; /* ms; MSEC_NEVER: none */
    struct load_settings demanded;
};

struct kept {
    struct kept_wish list[KEPT_MAX]; /* oldest first */
    size_t count;
};

void kept_clear(struct kept *kept);

/* Add a wish, or replace that of the same identifier. Copies. Of more than KEPT_MAX the oldest
 * is forgotten. */
void kept_put(struct kept *kept, const char *identifier, const char *model_key, msec ttl,
              const struct load_settings *demanded);
/* False if there is none. */
bool kept_forget(struct kept *kept, const char *identifier);
bool kept_set_ttl(struct kept *kept, const char *identifier, msec ttl);
bool kept_has(const struct kept *kept, const char *identifier);

/* Append a JSON array of bodies for POST /api/v1/models/load. */
void kept_format(const struct kept *kept, struct buf *out);

#endif
