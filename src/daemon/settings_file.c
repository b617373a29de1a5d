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

static enum file_state read_key(const char *path, char key[SETTINGS_KEY_SIZE]) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    struct error err;
    enum file_state state = FILE_DAMAGED;
    key[0] = '\0';
    if (file_read(path, &text, &err)) {
        yyjson_doc *doc = json_parse_object(buf_str(&text), text.len, &err);
        yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(doc), "api_key");
        size_t len = yyjson_get_len(value);
        if (yyjson_is_null(value)) state = FILE_WHOLE;
        if (yyjson_is_str(value) && len > 0 && len < SETTINGS_KEY_SIZE &&
            !memchr(yyjson_get_str(value), '\0', len)) {
            memcpy(key, yyjson_get_str(value), len + 1);
            state = FILE_WHOLE;
        }
        yyjson_doc_free(doc);
    } else if (err.code == ERR_NOT_FOUND) {
        state = FILE_ABSENT;
    }
    buf_clear(&text);
    return state;
}

void settings_file_format_key(const char *key, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    if (*key)
        yyjson_mut_obj_add_str(doc, root, "api_key", key);
    else
        yyjson_mut_obj_add_null(doc, root, "api_key");
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

static bool save_key(const char *path, const char *key, bool known) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    if (known)
        settings_file_format_key(key, &text);
    else
        buf_add_str(&text, "{}\n");
    return replace(path, &text);
}

/* ---- both ---- */

static void save_rows(const char *path, const struct settings *settings) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    settings_format(settings, &text);
    buf_add_str(&text, "\n");
    (void)replace(path, &text);
}

/* The key's file is written before settings.json is moved: a crash between them forgets
 * nothing. */
bool settings_file_read(const char *path, const char *key_path, struct settings *ret_settings) {
    struct error err = { 0 };
    char copy[SETTINGS_KEY_SIZE];
    bool says_none;
    settings_init(ret_settings);
    char *key = ret_settings->api_key;
    enum file_state rows = read_rows(path, ret_settings, &says_none, &err);
    enum file_state copied = read_key(key_path, copy);
    bool known = key[0] || copied == FILE_WHOLE ||
                 (copied == FILE_ABSENT && (rows != FILE_DAMAGED || says_none));
    if (!key[0] && copy[0]) {
        memcpy(key, copy, sizeof copy);
        log_warn("%s has no API key; the one in %s stays in force until it is removed with "
                 "`doze settings unset api_key`",
                 path, key_path);
    }
    bool differs = strcmp(key, copy) != 0 || (!known && copied == FILE_ABSENT);
    if (differs && !save_key(key_path, key, known)) return known;
    if (rows == FILE_DAMAGED && state_file_set_aside(path, err.text)) {
        save_rows(path, ret_settings);
    }
    return known;
}
