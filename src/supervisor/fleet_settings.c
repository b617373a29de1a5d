/* SPDX-License-Identifier: MIT */
#include "supervisor/fleet_settings.h"

#include <string.h>

#include "base/json.h"
#include "base/words.h"

static const char key_mask[] = "********";
static const char *const members[] = { "etcd", "node", "url", "key", "lend_memory" };

static bool refuse(const char *what, struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, "fleet", "%s", what);
}

/* "http://host:2379" or https: printable, with a host, and no user or password. */
static bool is_url(const char *text) {
    size_t scheme = strncmp(text, "http://", 7) == 0    ? 7
                    : strncmp(text, "https://", 8) == 0 ? 8
                                                        : 0;
    if (!scheme || !text[scheme] || strchr("/:?#", text[scheme])) return false;
    for (const char *at = text; *at; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"\\<>@?#", *at)) return false;
    }
    return true;
}

/* Letters, digits, '.', '-' and '_'. */
static bool is_name(const char *text) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_";
    return *text && strspn(text, allowed) == strlen(text);
}

/* The text of a member that is in the patch; "" for null. */
static bool read_text(yyjson_val *patch, const char *name, char *member, size_t size,
                      struct error *err) {
    const char *text = "";
    if (!yyjson_obj_get(patch, name)) return true;
    if (!json_read_str(patch, name, &text, err)) return false;
    if (strlen(text) >= size) {
        return error_set_param(err, ERR_INVALID_REQUEST, "fleet",
                               "'%s' of 'fleet' must be shorter than %zu bytes.", name, size);
    }
    memset(member, 0, size);
    memcpy(member, text, strlen(text) + 1);
    return true;
}

static bool add_url(struct fleet_settings *next, yyjson_val *url, struct error *err) {
    const char *text = yyjson_get_str(url);
    size_t used = strlen(next->etcd), len = yyjson_get_len(url);
    if (!text || strlen(text) != len || !is_url(text)) {
        return refuse("'etcd' of 'fleet' must be a URL such as \"http://10.0.0.1:2379\", or an "
                      "array of them.",
                      err);
    }
    if (used + 1 + len >= sizeof next->etcd) {
        return refuse("The URLs of 'etcd' must be shorter than 1024 bytes together.", err);
    }
    if (used) next->etcd[used++] = ' ';
    memcpy(next->etcd + used, text, len + 1);
    return true;
}

static bool read_etcd(struct fleet_settings *next, yyjson_val *patch, struct error *err) {
    yyjson_val *etcd = yyjson_obj_get(patch, "etcd"), *url;
    size_t i, max;
    if (!etcd) return true;
    memset(next->etcd, 0, sizeof next->etcd);
    if (yyjson_is_null(etcd)) return true;
    if (!yyjson_is_arr(etcd)) return add_url(next, etcd, err);
    if (yyjson_arr_size(etcd) > FLEET_ETCD_MAX)
        return refuse("'etcd' of 'fleet' can have at most 16 URLs.", err);
    yyjson_arr_foreach(etcd, i, max, url) {
        if (!add_url(next, url, err)) return false;
    }
    return true;
}

static bool read_key(struct fleet_settings *next, yyjson_val *patch, struct error *err) {
    if (!yyjson_equals_str(yyjson_obj_get(patch, "key"), key_mask))
        return read_text(patch, "key", next->key, sizeof next->key, err);
    return next->key[0] ||
           refuse("'key' of 'fleet' is shown as stars; send the key itself.", err);
}

static bool read_lend(struct fleet_settings *next, yyjson_val *patch, struct error *err) {
    yyjson_val *lend = yyjson_obj_get(patch, "lend_memory");
    if (!lend) return true;
    if (!yyjson_is_null(lend) && !yyjson_is_uint(lend))
        return refuse("'lend_memory' of 'fleet' must be a whole number of bytes.", err);
    next->lend_memory = yyjson_get_uint(lend);
    return next->lend_memory < (nbytes)1 << 53 ||
           refuse("'lend_memory' of 'fleet' is too large.", err);
}

static bool has_known_members(yyjson_val *patch, struct error *err) {
    size_t i, max;
    yyjson_val *name, *value;
    yyjson_obj_foreach(patch, i, max, name, value) {
        (void)value;
        if (WORDS_FIND(members, yyjson_get_str(name)) < 0)
            return refuse("'fleet' can have \"etcd\", \"node\", \"url\", \"key\" and "
                          "\"lend_memory\".",
                          err);
    }
    return true;
}

bool fleet_settings_patch(struct fleet_settings *settings, yyjson_val *patch,
                          struct error *err) {
    struct fleet_settings next = *settings;
    if (!has_known_members(patch, err) || !read_etcd(&next, patch, err) ||
        !read_text(patch, "node", next.node, sizeof next.node, err) ||
        !read_text(patch, "url", next.url, sizeof next.url, err) ||
        !read_key(&next, patch, err) || !read_lend(&next, patch, err))
        return false;
    if (next.node[0] && !is_name(next.node)) {
        return refuse("'node' of 'fleet' must be a name of letters, digits, '.', '-' and '_'.",
                      err);
    }
    if (next.url[0] && !is_url(next.url)) {
        return refuse("'url' of 'fleet' must be how the others reach this node, such as "
                      "\"http://10.0.0.1:1234\".",
                      err);
    }
    *settings = next;
    return true;
}

bool fleet_settings_patch_changes_key(const struct fleet_settings *settings,
                                      yyjson_val *patch) {
    yyjson_val *key = yyjson_obj_get(patch, "key");
    if (yyjson_is_null(patch)) return settings->key[0] != '\0';
    if (!key || yyjson_equals_str(key, key_mask)) return false;
    return !yyjson_is_null(key) || settings->key[0];
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name,
                     const char *text) {
    if (*text)
        yyjson_mut_obj_add_strcpy(doc, obj, name, text);
    else
        yyjson_mut_obj_add_null(doc, obj, name);
}

/* As it is given: one URL is a text. */
static void add_etcd(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *urls) {
    if (!strchr(urls, ' ')) {
        add_text(doc, obj, "etcd", urls);
        return;
    }
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, obj, "etcd");
    for (size_t len = 0; *urls; urls += len + (urls[len] == ' ')) {
        len = strcspn(urls, " ");
        yyjson_mut_arr_add_strncpy(doc, list, urls, len);
    }
}

yyjson_mut_val *fleet_settings_format(const struct fleet_settings *settings,
                                      yyjson_mut_doc *doc) {
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    add_etcd(doc, obj, settings->etcd);
    add_text(doc, obj, "node", settings->node);
    add_text(doc, obj, "url", settings->url);
    add_text(doc, obj, "key", settings->key);
    yyjson_mut_obj_add_uint(doc, obj, "lend_memory", settings->lend_memory);
    return obj;
}

void fleet_settings_mask(struct fleet_settings *settings) {
    if (settings->key[0]) memcpy(settings->key, key_mask, sizeof key_mask);
}
