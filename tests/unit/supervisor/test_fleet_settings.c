/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "supervisor/fleet_settings.h"

static bool patch(struct fleet_settings *s, const char *text, struct error *err) {
    yyjson_doc *doc = json_parse(text, strlen(text), err);
    assert_non_null(doc);
    *err = (struct error){ 0 };
    bool ok = fleet_settings_patch(s, yyjson_doc_get_root(doc), err);
    yyjson_doc_free(doc);
    return ok;
}

static void check(const struct fleet_settings *s, const char *text) {
    struct buf out = BUF_INIT(4096);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, fleet_settings_format(s, doc));
    assert_true(json_write(doc, &out));
    assert_string_equal(buf_str(&out), text);
    yyjson_mut_doc_free(doc);
    buf_clear(&out);
}

static void test_members_are_merged_and_null_unsets_one(void **state) {
    (void)state;
    struct fleet_settings s = { 0 };
    struct error err;
    check(&s, "{\"etcd\":null,\"node\":null,\"url\":null,\"key\":null,\"lend_memory\":0}");
    assert_true(patch(&s, "{\"etcd\":\"http://a:2379\",\"node\":\"n-1\"}", &err));
    assert_true(patch(&s, "{\"url\":\"http://10.0.0.1:1234\",\"node\":null}", &err));
    check(&s, "{\"etcd\":\"http://a:2379\",\"node\":null,\"url\":\"http://10.0.0.1:1234\","
              "\"key\":null,\"lend_memory\":0}");
}

static void test_memory_is_lent_in_bytes(void **state) {
    (void)state;
    struct fleet_settings s = { 0 };
    struct error err;
    assert_true(patch(&s, "{\"lend_memory\":9007199254740991}", &err));
    assert_int_equal(s.lend_memory, 9007199254740991);
    assert_true(patch(&s, "{\"node\":\"n\"}", &err));
    assert_int_equal(s.lend_memory, 9007199254740991);
    assert_true(patch(&s, "{\"lend_memory\":null}", &err));
    assert_int_equal(s.lend_memory, 0);
}

static void test_etcd_is_one_url_or_a_list(void **state) {
    (void)state;
    struct fleet_settings s = { 0 };
    struct error err;
    assert_true(patch(&s, "{\"etcd\":[\"http://a:1\",\"https://b:2\"]}", &err));
    check(&s, "{\"etcd\":[\"http://a:1\",\"https://b:2\"],\"node\":null,\"url\":null,"
              "\"key\":null,\"lend_memory\":0}");
    assert_string_equal(s.etcd, "http://a:1 https://b:2");
    assert_true(patch(&s, "{\"etcd\":[]}", &err));
    assert_string_equal(s.etcd, "");
}

static void test_what_cannot_be_is_refused_and_changes_nothing(void **state) {
    (void)state;
    static const char *const cases[] = {
        "{\"etcd\":\"a:2379\"}",
        "{\"etcd\":\"ftp://a\"}",
        "{\"etcd\":\"http://\"}",
        "{\"etcd\":\"http:///v3\"}",
        "{\"etcd\":\"http://root:secret@a\"}",
        "{\"etcd\":\"http://a b\"}",
        "{\"etcd\":7}",
        "{\"etcd\":[\"http://a\",7]}",
        "{\"node\":\"a/b\"}",
        "{\"node\":\"a b\"}",
        "{\"url\":\"10.0.0.1\"}",
        "{\"key\":\"********\"}",
        "{\"lend\":1}",
        "{\"lend_memory\":-1}",
        "{\"lend_memory\":1.5}",
        "{\"lend_memory\":\"1\"}",
        "{\"lend_memory\":9007199254740992}",
    };
    struct fleet_settings s = { 0 }, before;
    struct error err;
    assert_true(patch(&s, "{\"etcd\":\"http://a:2379\"}", &err));
    before = s;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (patch(&s, cases[i], &err)) fail_msg("%s is accepted", cases[i]);
        assert_int_equal(err.code, ERR_INVALID_REQUEST);
        assert_memory_equal(&s, &before, sizeof s);
    }
    /* a fault at the end, too */
    assert_false(patch(&s, "{\"node\":\"b\",\"url\":\"x\"}", &err));
    assert_memory_equal(&s, &before, sizeof s);
}

static void test_texts_have_a_maximum(void **state) {
    (void)state;
    char text[2048];
    struct fleet_settings s = { 0 };
    struct error err;
    (void)snprintf(text, sizeof text, "{\"node\":\"%063d\"}", 1);
    assert_true(patch(&s, text, &err));
    (void)snprintf(text, sizeof text, "{\"node\":\"%064d\"}", 1);
    assert_false(patch(&s, text, &err));
    (void)snprintf(text, sizeof text, "{\"key\":\"%0128d\"}", 1);
    assert_false(patch(&s, text, &err));
    (void)snprintf(text, sizeof text, "{\"etcd\":[\"http://%0600d\",\"http://%0600d\"]}", 1, 2);
    assert_false(patch(&s, text, &err));
}

static void test_the_stars_leave_the_key_as_it_is(void **state) {
    (void)state;
    struct fleet_settings s = { 0 }, shown;
    struct error err;
    assert_true(patch(&s, "{\"key\":\"sesame\"}", &err));
    shown = s;
    fleet_settings_mask(&shown);
    check(&shown, "{\"etcd\":null,\"node\":null,\"url\":null,\"key\":\"********\","
                  "\"lend_memory\":0}");
    assert_true(patch(&s, "{\"key\":\"********\",\"node\":\"b\"}", &err));
    assert_string_equal(s.key, "sesame");
    assert_true(patch(&s, "{\"key\":\"a\"}", &err));
    assert_string_equal(s.key, "a");
}

static bool changes(const struct fleet_settings *s, const char *text) {
    struct error err;
    yyjson_doc *doc = json_parse(text, strlen(text), &err);
    bool yes = fleet_settings_patch_changes_key(s, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    return yes;
}

static void test_who_may_set_the_key_is_asked_only_when_it_changes(void **state) {
    (void)state;
    struct fleet_settings none = { 0 }, s = { .key = "sesame" };
    assert_true(changes(&none, "{\"key\":\"a\"}"));
    assert_true(changes(&s, "{\"key\":null,\"lend_memory\":0}"));
    assert_true(changes(&s, "null"));
    assert_false(changes(&none, "null"));
    assert_false(changes(&none, "{\"key\":null,\"lend_memory\":0}"));
    assert_false(changes(&s, "{\"key\":\"********\"}"));
    assert_false(changes(&s, "{\"node\":\"a\"}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_merged_and_null_unsets_one),
        cmocka_unit_test(test_memory_is_lent_in_bytes),
        cmocka_unit_test(test_etcd_is_one_url_or_a_list),
        cmocka_unit_test(test_what_cannot_be_is_refused_and_changes_nothing),
        cmocka_unit_test(test_texts_have_a_maximum),
        cmocka_unit_test(test_the_stars_leave_the_key_as_it_is),
        cmocka_unit_test(test_who_may_set_the_key_is_asked_only_when_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
