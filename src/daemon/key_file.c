/* SPDX-License-Identifier: MIT */
/* key_file.c - the keys as JSON: for clients, and for the file, which is read strictly: a lost
 * member could widen what a key may do. */
#include <string.h>

#include "api/write.h"
#include "base/json.h"
#include "daemon/key_table.h"

enum { MEMBERS = 9 }; /* of a key in the file */

static void add_permissions(const struct key *key, yyjson_mut_doc *doc, yyjson_mut_val *out) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, out, "permissions");
    for (int i = 0; i < PERMISSION_COUNT; i++) {
        const char *name = permission_name((enum permission)i);
        if (name && (key->permissions & (1u << i))) yyjson_mut_arr_add_str(doc, list, name);
    }
}

static void add_models(const struct key *key, yyjson_mut_doc *doc, yyjson_mut_val *out) {
    if (key->models.count == 0) {
        yyjson_mut_obj_add_null(doc, out, "models");
        return;
    }
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, out, "models");
    for (size_t i = 0; i < key->models.count; i++)
        yyjson_mut_arr_add_strcpy(doc, list, key->models.keys[i]);
}

static yyjson_mut_val *begin(const struct key *key, yyjson_mut_doc *doc) {
    yyjson_mut_val *out = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strcpy(doc, out, "id", key->id);
    yyjson_mut_obj_add_strcpy(doc, out, "name", key->name);
    add_permissions(key, doc, out);
    add_models(key, doc, out);
    return out;
}

yyjson_mut_val *key_show(const struct key *key, yyjson_mut_doc *doc) {
    yyjson_mut_val *out = begin(key, doc);
    add_time(doc, out, "created_at", key->created_at);
    add_time(doc, out, "expires_at", key->expires_at);
    add_time(doc, out, "last_used_at", key->last_used_at);
    return out;
}

/* ---- the file ---- */

static void add_hex(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                    const unsigned char *bytes, size_t len) {
    static const char digits[] = "0123456789abcdef";
    char text[2 * KEY_HASH_LEN];
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    yyjson_mut_obj_add_strncpy(doc, out, name, text, 2 * len);
}

void key_table_format(const struct key_table *table, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "keys");
    for (size_t i = 0; i < table->count; i++) {
        const struct key *key = &table->keys[i];
        yyjson_mut_val *entry = begin(key, doc);
        yyjson_mut_obj_add_int(doc, entry, "created_at", key->created_at);
        yyjson_mut_obj_add_int(doc, entry, "expires_at", key->expires_at);
        yyjson_mut_obj_add_int(doc, entry, "last_used_at", key->last_used_at);
        add_hex(doc, entry, "salt", key->salt, KEY_SALT_LEN);
        add_hex(doc, entry, "hash", key->hash, KEY_HASH_LEN);
        yyjson_mut_arr_append(list, entry);
    }
    (void)json_write(doc, out); /* a buffer that is too small says so itself */
    buf_add_str(out, "\n");
    yyjson_mut_doc_free(doc);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(yyjson_val *entry, const char *name, unsigned char *bytes, size_t len) {
    yyjson_val *val = yyjson_obj_get(entry, name);
    const char *text = yyjson_get_str(val);
    if (!text || yyjson_get_len(val) != 2 * len) return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static bool read_time(yyjson_val *entry, const char *name, msec *ret) {
    yyjson_val *val = yyjson_obj_get(entry, name);
    *ret = yyjson_get_sint(val);
    return yyjson_is_int(val) && *ret >= 0;
}

/* The name and what it may do, as a client would wish for it. */
static bool read_rights(yyjson_val *entry, struct key *key, struct error *err) {
    struct key_wish wish;
    yyjson_val *models, *model;
    size_t i, max;
    char *names[KEY_MODELS_MAX];
    if (!yyjson_is_arr(yyjson_obj_get(entry, "permissions"))) return false;
    if (!yyjson_obj_get(entry, "models")) return false;
    if (!key_wish_read(entry, &wish, &models, err)) return false;
    memcpy(key->name, wish.name, strlen(wish.name) + 1);
    key->permissions = wish.permissions;
    struct allowed_models allowed = { .keys = names, .count = yyjson_arr_size(models) };
    yyjson_arr_foreach(models, i, max, model) names[i] = (char *)yyjson_get_str(model);
    key->models = allowed_models_copy(&allowed);
    return true;
}

static bool read_key(struct key_table *table, yyjson_val *entry) {
    struct key key = { 0 };
    struct error ignored;
    const char *id = json_find_str(entry, "id");
    bool ok = yyjson_obj_size(entry) == MEMBERS && id && strlen(id) == KEY_ID_LEN &&
              !key_table_by_id(table, id) && table->count < KEYS_MAX &&
              read_time(entry, "created_at", &key.created_at) &&
              read_time(entry, "expires_at", &key.expires_at) &&
              read_time(entry, "last_used_at", &key.last_used_at) &&
              read_hex(entry, "salt", key.salt, KEY_SALT_LEN) &&
              read_hex(entry, "hash", key.hash, KEY_HASH_LEN) &&
              read_rights(entry, &key, &ignored);
    if (!ok) return false;
    memcpy(key.id, id, KEY_ID_LEN);
    table->keys[table->count++] = key;
    return true;
}

bool key_table_read(struct key_table *table, const char *text, size_t len, struct error *err) {
    yyjson_doc *doc = json_parse_object(text, len, err);
    yyjson_val *root = yyjson_doc_get_root(doc), *list = yyjson_obj_get(root, "keys"), *entry;
    size_t i, max, bad = 0;
    bool formed = yyjson_is_arr(list) && yyjson_obj_size(root) == 1;
    if (doc && !formed) error_set(err, ERR_INVALID_REQUEST, "it is not a list of keys");
    yyjson_arr_foreach(list, i, max, entry) bad += !read_key(table, entry);
    if (formed && bad) {
        error_set(err, ERR_INVALID_REQUEST, "%zu of %zu keys cannot be read", bad, max);
    }
    yyjson_doc_free(doc);
    return formed && bad == 0;
}
