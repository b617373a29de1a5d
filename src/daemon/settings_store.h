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

/* Reads settings.json and api_key.json of the folder (settings_file.h). on_changed: from the
 * loop, when a change is in force, before its sink is called. */
struct settings_store *settings_store_new(uv_loop_t *loop, const char *state_dir,
                                          void (*on_changed)(void *ctx), void *ctx);
/* Set the check of every change before it is written: it says why `next` cannot replace
 * `now`. */
void settings_store_set_check(struct settings_store *store,
                              bool (*check)(const struct settings *now,
                                            const struct settings *next, struct error *err));
/* After the loop has ended. Accepts NULL. */
void settings_store_free(struct settings_store *store);

/* The settings in force; the address is valid for the store's life. */
const struct settings *settings_store_get(const struct settings_store *store);

/* The files are damaged and do not say whether a key was set. A change that names api_key ends
 * this. */
bool settings_store_key_is_unknown(const struct settings_store *store);

/* Change a part of the settings: all of the patch is applied or nothing (settings_patch).
 * Copies the patch. Calls the sink when the change is on disk and in force, or with
 * ERR_QUEUE_FULL past 64 changes, ERR_TOO_LARGE, ERR_IO, settings_patch's or the check's error;
 * maybe before it returns. */
void settings_store_patch(struct settings_store *store, yyjson_val *patch,
                          struct done_sink sink);

/* Put the contents of settings.json into force, as after a restart; the file is read after the
 * changes that wait. Without a file, and with one that has a mistake, nothing changes. A file
 * without api_key keeps the key, one without tls_cert and tls_key the certificate. Calls the
 * sink like settings_store_patch, with ERR_INVALID_REQUEST for a mistake. */
void settings_store_reload(struct settings_store *store, struct done_sink sink);

#endif
