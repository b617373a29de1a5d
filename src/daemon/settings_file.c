/* SPDX-License-Identifier: MIT */
#include "daemon/settings_file.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/state_file.h"

enum file_state { FILE_ABSENT, FILE_WHOLE, FILE_DAMAGED };

/* ---- settings.json ---- */

/* The length of the longest beginning that holds whole members of the outermost object; 0:
 * none. */
static size_t whole_members(const char *text, size_t len) {
    size_t end = 0;
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"') quoted = !quoted;
        if (quoted && text[i] == '\\') i++;
        if (quoted) continue;
        if (text[i] == '{' || text[i] == '[') depth++;
        if (text[i] == '}' || text[i] == ']') depth--;
        if (text[i] == ',' && depth == 1) end = i;
    }
    return end;
}

/* The members before the fault of a text that is not JSON; NULL: none. */
static yyjson_doc *parse_beginning(const char *text, size_t len) {
    yyjson_read_err fault = { 0 };
    yyjson_doc *doc = yyjson_read_opts((char *)text, len, 0, NULL, &fault);
    yyjson_doc_free(doc);
    struct error err;
    struct buf beginning = BUF_INIT(STATE_FILE_MAX);
    buf_add(&beginning, text, whole_members(text, fault.pos < len ? fault.pos : len));
    buf_add_str(&beginning, "}");
    doc = json_parse_object(buf_str(&beginning), beginning.len, &err);
    buf_clear(&beginning);
    return doc;
}

/* *ret_says_none: it says explicitly that there is no key. */
static enum file_state read_rows(const char *path, struct settings *settings,
                                 bool *ret_says_none, struct error *err) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    enum file_state state = FILE_DAMAGED;
    struct error row;
    *ret_says_none = false;
    if (file_read(path, &text, err)) {
        yyjson_doc *doc = json_parse_object(buf_str(&text), text.len, err);
        if (doc) state = FILE_WHOLE;
        if (!doc) doc = parse_beginning(buf_str(&text), text.len);
        yyjson_val *root = yyjson_doc_get_root(doc);
        bool refused = root && settings_restore(settings, root, &row) > 0;
        if (refused && state == FILE_WHOLE) *err = row;
        if (refused) state = FILE_DAMAGED;
        *ret_says_none = yyjson_is_null(yyjson_obj_get(root, "api_key"));
        yyjson_doc_free(doc);
    } else if (err->code == ERR_NOT_FOUND) {
        state = FILE_ABSENT;
    }
    buf_clear(&text);
    return state;
}

/* ---- api_key.json ---- */

struct copy {
    enum file_state state; /* whole: it says what key is set, or that none is */
    char key[SETTINGS_KEY_SIZE], tls_cert[SETTINGS_PATH_SIZE], tls_key[SETTINGS_PATH_SIZE];
};

/* False: it is not a text, or too long. */
static bool take_text(yyjson_val *root, const char *name, char *ret, size_t size) {
    yyjson_val *value = yyjson_obj_get(root, name);
    const char *text = yyjson_get_str(value);
    size_t len = yyjson_get_len(value);
    if (!text || len == 0 || len >= size || memchr(text, '\0', len)) return false;
    memcpy(ret, text, len + 1);
    return true;
}

static void read_copy(const char *path, struct copy *ret) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    struct error err;
    *ret = (struct copy){ .state = FILE_DAMAGED };
    if (file_read(path, &text, &err)) {
        yyjson_doc *doc = json_parse_object(buf_str(&text), text.len, &err);
        yyjson_val *root = yyjson_doc_get_root(doc);
        bool key = take_text(root, "api_key", ret->key, sizeof ret->key);
        if (key || yyjson_is_null(yyjson_obj_get(root, "api_key"))) ret->state = FILE_WHOLE;
        (void)take_text(root, "tls_cert", ret->tls_cert, sizeof ret->tls_cert);
        (void)take_text(root, "tls_key", ret->tls_key, sizeof ret->tls_key);
        yyjson_doc_free(doc);
    } else if (err.code == ERR_NOT_FOUND) {
        ret->state = FILE_ABSENT;
    }
    buf_clear(&text);
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *name,
                     const char *text) {
    if (*text)
        yyjson_mut_obj_add_str(doc, root, name, text);
    else
        yyjson_mut_obj_add_null(doc, root, name);
}

void settings_file_format_copy(const struct settings *settings, bool key_is_known,
                               struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    if (key_is_known) add_text(doc, root, "api_key", settings->api_key);
    add_text(doc, root, "tls_cert", settings->tls_cert);
    add_text(doc, root, "tls_key", settings->tls_key);
    (void)json_write(doc, out); /* it fits */
    buf_add_str(out, "\n");
    yyjson_mut_doc_free(doc);
}

static bool replace(const char *path, struct buf *text) {
    struct error err;
    bool ok = file_replace(path, buf_str(text), text->len, &err);
    if (!ok) log_warn("%s", err.text);
    buf_clear(text);
    return ok;
}

/* Unless the file says so already. */
static bool save_copy(const char *path, const struct settings *settings, bool key_is_known) {
    struct buf text = BUF_INIT(STATE_FILE_MAX), now = BUF_INIT(STATE_FILE_MAX);
    struct error err;
    settings_file_format_copy(settings, key_is_known, &text);
    bool same = file_read(path, &now, &err) && strcmp(buf_str(&now), buf_str(&text)) == 0;
    buf_clear(&now);
    if (!same) return replace(path, &text);
    buf_clear(&text);
    return true;
}

/* ---- both ---- */

static void save_rows(const char *path, const struct settings *settings) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    settings_format(settings, &text);
    buf_add_str(&text, "\n");
    (void)replace(path, &text);
}

static void keep_key(struct settings *settings, const struct copy *copy, const char *path,
                     const char *copy_path) {
    if (settings->api_key[0] || !copy->key[0]) return;
    memcpy(settings->api_key, copy->key, sizeof copy->key);
    log_warn("%s has no API key; the one in %s stays in force until it is removed with "
             "`doze settings unset api_key`",
             path, copy_path);
}

static void keep_certificate(struct settings *settings, const struct copy *copy,
                             const char *path, const char *copy_path) {
    const bool cert = !settings->tls_cert[0] && copy->tls_cert[0];
    if (cert) memcpy(settings->tls_cert, copy->tls_cert, sizeof copy->tls_cert);
    if (!settings->tls_key[0] && strcmp(settings->tls_cert, copy->tls_cert) == 0)
        memcpy(settings->tls_key, copy->tls_key, sizeof copy->tls_key);
    if (!cert) return;
    log_warn("%s has no certificate; the one that %s names stays in use until it is removed "
             "with `doze settings unset tls_cert`",
             path, copy_path);
}

/* The copy is written before settings.json is moved: a crash between them forgets nothing. */
bool settings_file_read(const char *path, const char *copy_path,
                        struct settings *ret_settings) {
    struct error err = { 0 };
    struct copy copy;
    bool says_none;
    settings_init(ret_settings);
    enum file_state rows = read_rows(path, ret_settings, &says_none, &err);
    read_copy(copy_path, &copy);
    bool known = ret_settings->api_key[0] || copy.state == FILE_WHOLE ||
                 (copy.state == FILE_ABSENT && (rows != FILE_DAMAGED || says_none));
    keep_key(ret_settings, &copy, path, copy_path);
    keep_certificate(ret_settings, &copy, path, copy_path);
    bool needed = copy.state != FILE_ABSENT || !known || ret_settings->api_key[0] ||
                  ret_settings->tls_cert[0];
    if (needed && !save_copy(copy_path, ret_settings, known)) return known;
    if (rows == FILE_DAMAGED && state_file_set_aside(path, err.text)) {
        save_rows(path, ret_settings);
    }
    return known;
}
