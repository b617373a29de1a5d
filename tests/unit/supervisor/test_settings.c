/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "base/json.h"
#include "supervisor/settings.h"

static bool patch(struct settings *settings, const char *json, struct error *err) {
    yyjson_doc *doc = json_parse(json, strlen(json), err);
    assert_non_null(doc);
    bool ok = settings_patch(settings, yyjson_doc_get_root(doc), err);
    yyjson_doc_free(doc);
    return ok;
}

static void check_shows(const struct settings *settings, const char *part) {
    struct buf out = BUF_INIT(1 << 16);
    settings_format(settings, &out);
    if (!strstr(buf_str(&out), part)) print_message("%s\n", buf_str(&out));
    assert_non_null(strstr(buf_str(&out), part));
    buf_clear(&out);
}

static void test_defaults_are_those_of_the_rules(void **state) {
    (void)state;
    struct settings s;
    settings_init(&s);
    check_shows(
        &s, "\"jit\":true,\"default_ttl\":3600,\"ttl_update\":\"set\",\"auto_evict\":\"on\","
            "\"switch_window_ms\":1000,\"memory_limit\":null,\"standby\":true,"
            "\"prompt_store\":\"on\",\"prompt_store_bytes\":4294967296,\"max_waiting\":128");
    settings_clear(&s);
}

static void test_every_setting_is_read_back_as_written(void **state) {
    (void)state;
    struct settings s, again;
    struct error err;
    struct buf out = BUF_INIT(1 << 16), twice = BUF_INIT(1 << 16);
    settings_init(&s);
    settings_init(&again);
    assert_true(patch(&s,
                      "{\"jit\":false,\"default_ttl\":1.5,\"ttl_update\":\"ignore\","
                      "\"auto_evict\":\"fit\",\"switch_window_ms\":0,\"memory_limit\":1000000,"
                      "\"max_waiting\":3,\"load_stall_seconds\":7,\"hang_seconds\":0.5,"
                      "\"cors\":true,\"api_key\":\"k\",\"load\":{\"parallel\":2},"
                      "\"models\":{\"a\":{\"context_length\":512}}}",
                      &err));
    settings_format(&s, &out);
    assert_true(patch(&again, buf_str(&out), &err));
    settings_format(&again, &twice);
    assert_string_equal(buf_str(&out), buf_str(&twice));
    check_shows(&again, "\"default_ttl\":1.5");
    check_shows(&again, "\"parallel\":2");
    buf_clear(&out);
    buf_clear(&twice);
    settings_clear(&s);
    settings_clear(&again);
}

static void test_a_refused_patch_changes_nothing(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_false(patch(&s, "{\"jit\":false,\"max_waiting\":0}", &err));
    assert_string_equal(err.param, "max_waiting");
    assert_true(s.rules.jit);
    assert_false(
        patch(&s, "{\"jit\":false,\"models\":{\"a\":{\"context_length\":\"x\"}}}", &err));
    assert_true(s.rules.jit);
    assert_null(s.models);
    settings_clear(&s);
}

static void test_unknown_names_and_words_are_refused_by_name(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_false(patch(&s, "{\"jitt\":true}", &err));
    assert_string_equal(err.param, "jitt");
    assert_false(patch(&s, "{\"auto_evict\":\"maybe\"}", &err));
    assert_non_null(strstr(err.text, "\"on\", \"off\", \"fit\""));
    settings_clear(&s);
}

static void test_null_or_minus_one_is_no_ttl(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_true(patch(&s, "{\"default_ttl\":null}", &err));
    assert_true(s.rules.default_ttl == MSEC_NEVER);
    assert_true(patch(&s, "{\"default_ttl\":0}", &err));
    assert_true(s.rules.default_ttl == 0);
    assert_true(patch(&s, "{\"default_ttl\":-1}", &err));
    assert_true(s.rules.default_ttl == MSEC_NEVER);
    assert_false(patch(&s, "{\"default_ttl\":-0.5}", &err));
    assert_false(patch(&s, "{\"default_ttl\":\"5m\"}", &err));
    settings_clear(&s);
}

static void test_models_are_merged_by_key(void **state) {
    (void)state;
    struct settings s, copy;
    struct load_settings load;
    struct error err;
    settings_init(&s);
    assert_true(
        patch(&s, "{\"models\":{\"a\":{\"parallel\":1},\"b\":{\"parallel\":2}}}", &err));
    settings_copy(&s, &copy);
    assert_true(patch(&s, "{\"models\":{\"a\":null,\"c\":{\"parallel\":3}}}", &err));
    assert_false(settings_for_model(&s, "a", &load));
    assert_true(settings_for_model(&s, "b", &load));
    assert_int_equal(load.parallel, 2);
    assert_true(settings_for_model(&s, "c", &load));
    assert_int_equal(load.parallel, 3);
    assert_true(settings_for_model(&copy, "a", &load));
    settings_clear(&s);
    settings_clear(&copy);
}

static void test_clients_do_not_see_the_api_key(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    struct buf out = BUF_INIT(1 << 16);
    settings_init(&s);
    assert_true(patch(&s, "{\"api_key\":\"secret\"}", &err));
    settings_show(&s, &out);
    assert_null(strstr(buf_str(&out), "secret"));
    assert_non_null(strstr(buf_str(&out), "\"api_key\":\"********\""));
    buf_clear(&out);
    settings_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_those_of_the_rules),
        cmocka_unit_test(test_every_setting_is_read_back_as_written),
        cmocka_unit_test(test_a_refused_patch_changes_nothing),
        cmocka_unit_test(test_unknown_names_and_words_are_refused_by_name),
        cmocka_unit_test(test_null_or_minus_one_is_no_ttl),
        cmocka_unit_test(test_models_are_merged_by_key),
        cmocka_unit_test(test_clients_do_not_see_the_api_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
