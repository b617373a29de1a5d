/* SPDX-License-Identifier: MIT */
/*
 * key_store.h - the API keys in force and their file, keys.json. Changes are made one after the
 * other: checked, written to disk, then in force.
 *
 * A damaged file never opens the server: keys are needed as long as there is a file that cannot
 * be read whole. What can be read of it is in force; the file is left as it is, and no change
 * is made until it is repaired or deleted and the server restarted.
 */
#ifndef DOZE_DAEMON_KEY_STORE_H
#define DOZE_DAEMON_KEY_STORE_H

#include <uv.h>

#include "daemon/key_table.h"

struct key_store;

/* Reads the file, blocking; a damaged one is an error in the log. */
struct key_store *key_store_new(uv_loop_t *loop, const char *state_dir);
/* Writes when keys were used last, if that is not on disk. Before the loop ends. */
void key_store_close(struct key_store *store);
/* After the loop has ended. Accepts NULL. */
void key_store_free(struct key_store *store);

/* Valid until the loop goes on. */
const struct key_table *key_store_get(const struct key_store *store);
/* Must requests have a key because of this store? */
bool key_store_is_needed(const struct key_store *store);

/* Is it the text of a key in force? */
bool key_store_has(const struct key_store *store, const char *text);

/* The key with this text, or with this id, that is in force now; valid until the loop goes on.
 * NULL: none; *err (ERR_API_KEY) says so, or that it has expired. */
const struct key *key_store_use(struct key_store *store, const char *text, struct error *err);
const struct key *key_store_by_id(struct key_store *store, const char *id, struct error *err);

/* The end of a change: once, maybe before the function returns. error NULL: it is on disk and
 * in force; a new key's text is given. */
struct key_sink {
    void (*on_end)(void *ctx, const struct key *key, const char *text,
                   const struct error *error);
    void *ctx;
};

/* Create or revoke a key (key_table_add, key_table_remove); ERR_QUEUE_FULL if many changes wait
 * for the disk. rescued: the setting api_key is set. */
void key_store_create(struct key_store *store, const struct key_wish *wish,
                      struct key_sink sink);
void key_store_revoke(struct key_store *store, const char *id, bool rescued, bool open,
                      struct key_sink sink);

#endif
