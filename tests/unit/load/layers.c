/* SPDX-License-Identifier: MIT */
#include "layers.h"

#include "cmocka_prelude.h"

#include <string.h>

bool parse_settings(const char *text, struct load_settings *settings, struct error *err) {
    yyjson_doc *doc = json_parse(text, strlen(text), err);
    assert_non_null(doc);
    bool ok = load_settings_parse(yyjson_doc_get_root(doc), settings, err);
    yyjson_doc_free(doc);
    return ok;
}

struct load_settings layer(const char *text) {
    struct load_settings settings;
    struct error err;
    assert_true(parse_settings(text, &settings, &err));
    return settings;
}

yyjson_doc *read_adapters(const char *text, struct load_settings *ret) {
    struct error err;
    yyjson_doc *doc = json_parse(text, strlen(text), &err);
    assert_non_null(doc);
    assert_true(load_settings_parse(yyjson_doc_get_root(doc), ret, &err));
    return doc;
}
