/* SPDX-License-Identifier: MIT */
#include "daemon/key_table.h"

#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/json.h"
#include "base/utf8.h"

static const char prefix[] = "sk-lm-";

/* ---- a wish ---- */

static bool read_permissions(yyjson_val *list, unsigned *ret_set, struct error *err) {
    size_t i, max;
    yyjson_val *word;
    *ret_set = 0;
    yyjson_arr_foreach(list, i, max, word) {
        enum permission permission;
        const char *name = yyjson_get_str(word);
        if (!name || !permission_parse(name, &permission)) {
            return error_set_param(err, ERR_INVALID_REQUEST, "permissions",
                                   "'permissions' must be a list of \"inference\", \"models\", "
                                   "\"settings\", \"events\" and \"admin\".");
        }
        *ret_set |= 1u << permission;
    }
    return *ret_set != 0 || error_set_param(err, ERR_INVALID_REQUEST, "permissions",
                                            "'permissions' is empty; name at least one, such "
                                            "as \"inference\".");
}

static bool check_name(const char *name, struct error *err) {
    size_t len = name ? strlen(name) : 0;
    bool ok = len > 0 && len <= KEY_NAME_MAX && utf8_is_valid(name, len);
    for (size_t i = 0; ok && i < len; i++) ok = (unsigned char)name[i] >= ' ' && name[i] != 127;
    return ok || error_set_param(err, ERR_INVALID_REQUEST, "name",
                                 "'name' must have 1 to %d bytes of printable text; it tells "
                                 "the keys apart.",
                                 KEY_NAME_MAX);
}

static bool check_models(yyjson_val *models, unsigned permissions, struct error *err) {
    size_t i, max;
    yyjson_val *model;
    bool ok = yyjson_arr_size(models) > 0 && yyjson_arr_size(models) <= KEY_MODELS_MAX;
    yyjson_arr_foreach(models, i, max, model) ok = ok && yyjson_is_str(model);
    if (!ok) {
        return error_set_param(
            err, ERR_INVALID_REQUEST, "models",
            "'models' must be a list of 1 to %d names of models, or null for "
            "all.",
            KEY_MODELS_MAX);
    }
    return permissions == 1u << PERMISSION_INFERENCE ||
           error_set_param(err, ERR_INVALID_REQUEST, "permissions",
                           "A key for some models has the permission \"inference\" only; leave "
                           "'models' or 'permissions' out.");
}

bool key_wish_read(yyjson_val *body, struct key_wish *ret_wish, yyjson_val **ret_models,
                   struct error *err) {
    struct key_wish wish = { .permissions = 1u << PERMISSION_INFERENCE,
                             .expires_in = MSEC_NEVER };
    yyjson_val *permissions = NULL, *models = NULL;
    double seconds = -1;
    if (!json_read_str(body, "name", &wish.name, err) ||
        !json_read_array(body, "permissions", &permissions, err) ||
        !json_read_array(body, "models", &models, err) ||
        !json_read_double(body, "expires_in", 1, (double)DURATION_MAX / 1000, &seconds, err) ||
        !check_name(wish.name, err)) {
        return false;
    }
    if (permissions && !read_permissions(permissions, &wish.permissions, err)) return false;
    if (models && !check_models(models, wish.permissions, err)) return false;
    if (seconds > 0) wish.expires_in = (msec)(seconds * 1000);
    *ret_wish = wish;
    *ret_models = models;
    return true;
}

/* ---- the table ---- */

void key_table_clear(struct key_table *table) {
    for (size_t i = 0; i < table->count; i++) allowed_models_clear(&table->keys[i].models);
    table->count = 0;
}

void key_table_copy(const struct key_table *table, struct key_table *ret_copy) {
    ret_copy->count = table->count;
    for (size_t i = 0; i < table->count; i++) {
        ret_copy->keys[i] = table->keys[i];
        ret_copy->keys[i].models = allowed_models_copy(&table->keys[i].models);
    }
}

/* table->count: there is none. */
static size_t place_of(const struct key_table *table, const char *id) {
    size_t i = 0;
    while (i < table->count && strcmp(table->keys[i].id, id) != 0) i++;
    return i;
}

struct key *key_table_by_id(struct key_table *table, const char *id) {
    size_t i = place_of(table, id);
    return i < table->count ? &table->keys[i] : NULL;
}

static void hash_text(const unsigned char salt[KEY_SALT_LEN], const char *text,
                      unsigned char ret_hash[KEY_HASH_LEN]) {
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, KEY_SALT_LEN, salt);
    sha256_update(&sha, strlen(text), (const uint8_t *)text);
    sha256_digest(&sha, KEY_HASH_LEN, ret_hash);
}

/* Of a text that has the form; the id is not secret. */
const struct key *key_table_find(const struct key_table *table, const char *text) {
    char id[KEY_ID_LEN + 1] = "";
    unsigned char hash[KEY_HASH_LEN];
    bool formed = strlen(text) == KEY_TEXT_SIZE - 1 &&
                  strncmp(text, prefix, sizeof prefix - 1) == 0;
    if (!formed) return NULL;
    memcpy(id, text + sizeof prefix - 1, KEY_ID_LEN);
    size_t place = place_of(table, id);
    if (place == table->count) return NULL;
    const struct key *key = &table->keys[place];
    hash_text(key->salt, text, hash);
    return memeql_sec(hash, key->hash, KEY_HASH_LEN) ? key : NULL;
}

bool key_is_expired(const struct key *key, msec now) {
    return key->expires_at && key->expires_at <= now;
}

/* Is there a key besides the one at that place that can always create keys? */
static bool has_admin(const struct key_table *table, size_t but) {
    for (size_t i = 0; i < table->count; i++) {
        const struct key *key = &table->keys[i];
        bool lasting = permission_in(key->permissions, PERMISSION_ADMIN) && !key->expires_at;
        if (i != but && lasting) return true;
    }
    return false;
}

static char letter(const unsigned char random[4]) {
    static const char letters[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint32_t number;
    memcpy(&number, random, sizeof number);
    return letters[number % (sizeof letters - 1)];
}

/* "sk-lm-<id>:<secret>" */
static void make_text(const unsigned char *random, char text[KEY_TEXT_SIZE]) {
    char *at = text + sizeof prefix - 1;
    memcpy(text, prefix, sizeof prefix);
    for (int i = 0; i < KEY_ID_LEN + KEY_SECRET_LEN; i++) {
        if (i == KEY_ID_LEN) *at++ = ':';
        *at++ = letter(random + (size_t)i * 4);
    }
    *at = '\0';
}

static bool may_add(const struct key_table *table, const struct key_wish *wish,
                    struct error *err) {
    if (table->count == KEYS_MAX) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "There are %d keys already; revoke one that nobody uses with `doze "
                         "token revoke`.",
                         KEYS_MAX);
    }
    bool lasting = permission_in(wish->permissions, PERMISSION_ADMIN) &&
                   wish->expires_in == MSEC_NEVER;
    return lasting || wish->rescued || has_admin(table, table->count) ||
           error_set_param(err, ERR_INVALID_REQUEST, "permissions",
                           "The first key must have the permission \"admin\" and no expiry, or "
                           "nobody could manage the server; create that one first, as with "
                           "`doze token create me -P admin`.");
}

bool key_table_add(struct key_table *table, const struct key_wish *wish,
                   const unsigned char random[KEY_RANDOM_LEN], msec now,
                   char ret_text[KEY_TEXT_SIZE], struct error *err) {
    if (!may_add(table, wish, err)) return false;
    struct key key = { .permissions = wish->permissions,
                       .created_at = now,
                       .expires_at = wish->expires_in == MSEC_NEVER ? 0
                                                                    : now + wish->expires_in };
    make_text(random + KEY_SALT_LEN, ret_text);
    memcpy(key.salt, random, KEY_SALT_LEN);
    memcpy(key.id, ret_text + sizeof prefix - 1, KEY_ID_LEN);
    if (key_table_by_id(table, key.id)) {
        return error_set(err, ERR_INTERNAL, "The new key's id is in use; create it again.");
    }
    snprintf(key.name, sizeof key.name, "%s", wish->name);
    hash_text(key.salt, ret_text, key.hash);
    key.models = allowed_models_copy(&wish->models);
    table->keys[table->count++] = key;
    return true;
}

bool key_table_remove(struct key_table *table, const char *id, bool rescued, bool open,
                      struct error *err) {
    struct key *key = key_table_by_id(table, id);
    if (!key) {
        return error_set(err, ERR_NOT_FOUND,
                         "There is no key '%.20s'; GET /api/v1/keys lists the ids.", id);
    }
    bool last = table->count == 1 && !rescued;
    if (last && !open) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "This is the last key, and without one everybody may use the server; "
                         "create another first, or add ?open=true (--open).");
    }
    if (!last && !rescued && !has_admin(table, (size_t)(key - table->keys))) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "This is the last key with the permission \"admin\" that does not "
                         "expire; create another such key first.");
    }
    allowed_models_clear(&key->models);
    size_t at = (size_t)(key - table->keys);
    memmove(key, key + 1, (--table->count - at) * sizeof *key);
    return true;
}
