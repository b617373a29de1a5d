/* SPDX-License-Identifier: MIT */
/* pinned_store.h - the file of the pinned instances (kept.json), which are loaded again at the
 * next start. */
#ifndef DOZE_DAEMON_PINNED_STORE_H
#define DOZE_DAEMON_PINNED_STORE_H

#include <uv.h>

#include "supervisor/supervisor.h"

struct pinned_store;

/* on_saved: from the loop, when what is pinned now is on disk, or (error) cannot be. The log
 * has one warning until it can be again. */
struct pinned_store *pinned_store_new(uv_loop_t *loop, const char *path,
                                      void (*on_saved)(void *ctx, const struct error *error),
                                      void *ctx);
/* After the loop has ended. Accepts NULL. */
void pinned_store_free(struct pinned_store *store);

/* Pin and load the instances in the file. A failure is logged as a warning. */
void pinned_store_load(struct pinned_store *store, struct supervisor *sup);
/* Write the pinned instances. */
void pinned_store_save(struct pinned_store *store, const struct supervisor *sup);

#endif
