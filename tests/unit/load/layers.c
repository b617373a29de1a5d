/* SPDX-License-Identifier: MIT */
#include "layers.h"

#include "cmocka_prelude.h"

#include <string.h>

bool parse_settings(const char *text, struct load_settings *settings, struct error *err) {
    yyjson_doc *doc = json_parse(text, strlen(text), err);
    assert_non_null(doc);
    struct load_settings patched = LOAD_SETTINGS_UNSET;
    bool ok = load_settings_patch(&patched, yyjson_doc_get_root(doc), err);
    if (ok) *settings = patched;
    yyjson_doc_free(doc);
    return ok;
}

struct load_settings layer(const char *text) {
    struct load_settings settings;
    struct error err;
    assert_true(parse_settings(text, &settings, &err));
    assert_int_equal(settings.adapters.count, -1);
    return settings;
}

yyjson_doc *read_adapters(const char *text, struct load_settings *ret) {
    struct error err;
    yyjson_doc *doc = json_parse(text, strlen(text), &err);
    assert_non_null(doc);
    *ret = (struct load_settings)LOAD_SETTINGS_UNSET;
    assert_true(load_settings_patch(ret, yyjson_doc_get_root(doc), &err));
    return doc;
}
