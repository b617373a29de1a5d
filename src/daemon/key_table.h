/* SPDX-License-Identifier: MIT */
/*
 * key_table.h - the API keys: what each may do, and the hash by which it is known. Pure: time
 * and chance are arguments.
 *
 * A key is "sk-lm-<id>:<secret>", LM Studio's form. The table has the id and a salted SHA-256
 * of the whole, never the secret: 20 of 62 characters, so that a hash cannot be searched for.
 */
#ifndef DOZE_DAEMON_KEY_TABLE_H
#define DOZE_DAEMON_KEY_TABLE_H

#include <yyjson.h>

#include "api/permission.h"
#include "api/service.h"
#include "base/buf.h"

enum {
    KEY_ID_LEN = 8,
    KEY_SECRET_LEN = 20,
    KEY_TEXT_SIZE = 6 + KEY_ID_LEN + 1 + KEY_SECRET_LEN + 1,
    KEY_SALT_LEN = 16,
    KEY_HASH_LEN = 32,
    KEY_RANDOM_LEN = KEY_SALT_LEN + 4 * (KEY_ID_LEN + KEY_SECRET_LEN),
    KEY_NAME_MAX = 64,   /* bytes */
    KEY_MODELS_MAX = 32, /* of one key */
    KEYS_MAX = 256,
};

struct key {
    char id[KEY_ID_LEN + 1];
    char name[KEY_NAME_MAX + 1];
    unsigned permissions; /* a set, permission.h; never empty */
    struct allowed_models models;
    msec created_at, expires_at, last_used_at; /* Unix ms; 0: never */
    unsigned char salt[KEY_SALT_LEN], hash[KEY_HASH_LEN];
};

struct key_table {
    struct key keys[KEYS_MAX];
    size_t count;
};

/* What a new key is to be. Strings are borrowed. */
struct key_wish {
    const char *name;
    unsigned permissions;
    struct allowed_models models;
    msec expires_in; /* MSEC_NEVER: it does not expire */
    bool rescued;    /* without any key there is another way in, the setting api_key */
};

/* Read {"name", "permissions":[...], "models":[...]|null, "expires_in": seconds|null}; without
 * permissions it is inference. models is left to the caller: *ret_models is an array of strings
 * with at least one member, or NULL; borrowed from the body, as the name is. */
bool key_wish_read(yyjson_val *body, struct key_wish *ret_wish, yyjson_val **ret_models,
                   struct error *err);

/* ---- the table; zeroed, it is empty ---- */

void key_table_clear(struct key_table *table);
void key_table_copy(const struct key_table *table, struct key_table *ret_copy);

/* The key whose text this is; NULL: none. Expired ones are found, too. The comparison takes the
 * same time wherever the first difference is. */
const struct key *key_table_find(const struct key_table *table, const char *text);
struct key *key_table_by_id(struct key_table *table, const char *id);
bool key_is_expired(const struct key *key, msec now);

/* The table with one more key, whose text is ret_text and can be had only here. Copies the
 * wish. Fails if the table is full, or if no key could create others then and the wish is not
 * `rescued`. */
bool key_table_add(struct key_table *table, const struct key_wish *wish,
                   const unsigned char random[KEY_RANDOM_LEN], msec now,
                   char ret_text[KEY_TEXT_SIZE], struct error *err)
    __attribute__((warn_unused_result));

/* Remove a key. Fails if there is no such key, or if no remaining key could create others.
 * The last one goes only with `open`: the server then needs no key. `rescued` waives both. */
bool key_table_remove(struct key_table *table, const char *id, bool rescued, bool open,
                      struct error *err) __attribute__((warn_unused_result));

/* ---- as JSON ---- */

/* For a client: without salt and hash. */
yyjson_mut_val *key_show(const struct key *key, yyjson_mut_doc *doc);
/* The file. */
void key_table_format(const struct key_table *table, struct buf *out);
/* Add what can be read of the file to an empty table. False, with the reason: not all of it. */
bool key_table_read(struct key_table *table, const char *text, size_t len, struct error *err)
    __attribute__((warn_unused_result));

#endif
