/* SPDX-License-Identifier: MIT */
/*
 * settings_store.h - the settings in force and their file. Changes are made one after the
 * other: checked, written to disk, then in force, so that what a client was told survives a
 * crash.
 */
#ifndef DOZE_DAEMON_SETTINGS_STORE_H
#define DOZE_DAEMON_SETTINGS_STORE_H

#include <uv.h>

#include "api/service.h"
#include "supervisor/settings.h"

struct settings_store;

/* Reads the file; a damaged one is set aside with a warning, and the defaults are used.
 * on_changed: from the loop, when others are in force, before the sink is told. */
struct settings_store *settings_store_new(uv_loop_t *loop, const char *path,
                                          void (*on_changed)(void *ctx), void *ctx);
/* After the loop has ended. Accepts NULL. */
void settings_store_free(struct settings_store *store);

/* Those in force; the address stays for the store's life. */
const struct settings *settings_store_get(const struct settings_store *store);

/* Partial change: all of it is valid and applied, or nothing is (settings_patch). Copies the
 * patch. The sink is told once it is on disk and in force, or why not: ERR_QUEUE_FULL past 64
 * changes, ERR_TOO_LARGE, ERR_IO; maybe before this returns. */
void settings_store_patch(struct settings_store *store, yyjson_val *patch,
                          struct done_sink sink);

#endif
