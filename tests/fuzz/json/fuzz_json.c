/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json.c - any bytes as a body: read or refused with a sentence; what was read can be
 * written and read again; load settings that are accepted survive the way to the settings file
 * and back.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "load/load_settings.h"

static void check_fields(yyjson_val *obj) {
    bool b = false;
    int64_t n = 5;
    double d = 5;
    const char *s = "";
    yyjson_val *v = NULL;
    struct error err;
    if (json_read_int(obj, "n", 1, 9, &n, &err)) assert(n >= 1 && n <= 9);
    if (json_read_double(obj, "n", 1, 9, &d, &err)) assert(d >= 1 && d <= 9);
    if (!json_read_bool(obj, "n", &b, &err)) assert(strcmp(err.param, "n") == 0);
    if (!json_read_str(obj, "n", &s, &err)) assert(strcmp(err.param, "n") == 0);
    if (json_read_array(obj, "n", &v, &err) && v) assert(yyjson_is_arr(v));
    if (json_read_object(obj, "n", &v, &err) && v) assert(yyjson_is_arr(v) || yyjson_is_obj(v));
}

static void check_settings(yyjson_val *root) {
    struct load_settings first = LOAD_SETTINGS_UNSET, second = LOAD_SETTINGS_UNSET;
    struct error err = { 0 };
    if (!load_settings_patch(&first, root, &err)) {
        assert(err.code == ERR_INVALID_REQUEST && err.text[0]);
        return;
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *said = load_settings_format(&first, doc);
    yyjson_mut_doc_set_root(doc, said);
    yyjson_doc *copy = yyjson_mut_doc_imut_copy(doc, NULL);
    assert(load_settings_patch(&second, yyjson_doc_get_root(copy), &err));
    assert(load_settings_hash(&first) == load_settings_hash(&second));
    yyjson_doc_free(copy);
    yyjson_mut_doc_free(doc);
}

static void check_rewrite(yyjson_doc *doc) {
    struct buf text = BUF_INIT(64 << 20), again = BUF_INIT(64 << 20);
    struct error err;
    assert(json_write_val(yyjson_doc_get_root(doc), &text));
    yyjson_doc *copy = json_parse(buf_str(&text), text.len, &err);
    assert(copy && json_write_val(yyjson_doc_get_root(copy), &again));
    assert(text.len == again.len && memcmp(text.data, again.data, text.len) == 0);
    yyjson_doc_free(copy);
    buf_clear(&text);
    buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err = { 0 };
    yyjson_doc *doc = json_parse((const char *)data, size, &err);
    if (!doc) {
        assert(err.code == ERR_INVALID_REQUEST && err.text[0]);
        return 0;
    }
    check_rewrite(doc);
    check_settings(yyjson_doc_get_root(doc));
    check_fields(yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    return 0;
}
