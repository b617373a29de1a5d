/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
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
    check_shows(&s,
                "\"jit\":true,\"default_ttl\":3600,\"explicit_ttl\":null,\"max_ttl\":null,"
                "\"ttl_update\":\"set\",\"auto_evict\":\"on\",\"jit_limit\":1,"
                "\"switch_window_ms\":1000,\"memory_limit\":null,\"device_memory_limit\":null,"
                "\"evict_on_pressure\":true,\"standby\":true,"
                "\"parked_workers\":\"auto\",\"parked_seconds\":3600,\"engine\":\"auto\","
                "\"prompt_store\":\"on\",\"prompt_store_bytes\":4294967296,"
                "\"response_store_bytes\":1073741824,\"response_store_age\":2592000,"
                "\"max_waiting\":128");
    settings_clear(&s);
}

/* A value for each that is not its default. */
static const char all_changed[] =
    "{\"jit\":false,\"default_ttl\":1.001,\"explicit_ttl\":60,\"max_ttl\":7200,"
    "\"ttl_update\":\"longest\",\"auto_evict\":\"per_type\",\"jit_limit\":2,"
    "\"switch_window_ms\":0,\"memory_limit\":1000000,\"device_memory_limit\":5000000,\"evict_"
    "on_pressure\":false,\"standby\":"
    "false,\"parked_workers\":\"on\",\"parked_seconds\":null,\"engine\":\"vulkan\","
    "\"prompt_store\":\"memory\",\"prompt_store_bytes\":0,\"response_store_bytes\":0,"
    "\"response_store_age\":60,\"max_waiting\":3,"
    "\"load_stall_seconds\":7,\"hang_seconds\":0.5,\"body_limit\":1048576,"
    "\"download_connections\":8,\"cors\":true,\"sdk_port\":false,"
    "\"allowed_hosts\":\"llm.example, *.lan\",\"allowed_origins\":\"https://*.example.com\","
    "\"ollama_default_keep_alive\":true,\"ollama_port\":11434,"
    "\"tls_cert\":\"/etc/doze/cert.pem\",\"tls_key\":\"/etc/doze/key.pem\","
    "\"lmstudio_compat\":false,\"api_key\":\"sesame\",\"load\":{\"parallel\":2},"
    "\"models\":{\"a\":{\"context_length\":512},\"b\":{}},"
    "\"model_aliases\":{\"gpt-*\":\"a\"},"
    "\"fleet\":{\"etcd\":[\"http://a:2379\",\"https://b\"],\"node\":\"n\",\"url\":\"http://"
    "n:1\","
    "\"key\":\"open sesame\"}}";

static yyjson_doc *formatted(const struct settings *settings) {
    struct buf out = BUF_INIT(1 << 16);
    struct error err;
    settings_format(settings, &out);
    yyjson_doc *doc = json_parse(buf_str(&out), out.len, &err);
    assert_non_null(doc);
    buf_clear(&out);
    return doc;
}

static void check_same(const struct settings *one, const struct settings *two) {
    yyjson_doc *first = formatted(one), *second = formatted(two);
    assert_true(yyjson_equals(yyjson_doc_get_root(first), yyjson_doc_get_root(second)));
    yyjson_doc_free(first);
    yyjson_doc_free(second);
}

static void test_allowed_names_are_lists_of_names(void **state) {
    static const char *const bad[] = { "\"*\"",     "\"a,*\"",   "\"*.\"",  "\"*a.example\"",
                                       "\"*.*.a\"", "\"a\\nb\"", "\"<a>\"", "[\"a\"]",
                                       "1",         "\"a;\\tb\"" };
    static const char *const good[] = { "\"\"",
                                        "null",
                                        "\"a.example\"",
                                        "\"a,b, *.c.example\"",
                                        "\"https://*.a.example:8443\"",
                                        "\"app://obsidian.md\"" };
    struct settings s;
    struct error err;
    (void)state;
    settings_init(&s);
    for (int row = 0; row < 2; row++) {
        const char *name = row ? "allowed_origins" : "allowed_hosts";
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            char json[96];
            snprintf(json, sizeof json, "{\"%s\":%s}", name, bad[i]);
            assert_false(patch(&s, json, &err));
            assert_string_equal(err.param, name);
        }
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
            char json[96];
            snprintf(json, sizeof json, "{\"%s\":%s}", name, good[i]);
            assert_true(patch(&s, json, &err));
        }
    }
    settings_clear(&s);
}

static void test_files_have_absolute_paths(void **state) {
    static const char *const bad[] = { "\"cert.pem\"", "\"~/cert.pem\"", "1", "[]" };
    struct settings s;
    struct error err;
    char json[1200];
    (void)state;
    settings_init(&s);
    for (int row = 0; row < 2; row++) {
        const char *name = row ? "tls_key" : "tls_cert";
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            snprintf(json, sizeof json, "{\"%s\":%s}", name, bad[i]);
            assert_false(patch(&s, json, &err));
            assert_string_equal(err.param, name);
        }
        for (int len = SETTINGS_PATH_SIZE - 1; len <= SETTINGS_PATH_SIZE; len++) {
            snprintf(json, sizeof json, "{\"%s\":\"/%0*d\"}", name, len - 1, 0);
            assert_int_equal(patch(&s, json, &err), len < SETTINGS_PATH_SIZE);
        }
        snprintf(json, sizeof json, "{\"%s\":null}", name);
        assert_true(patch(&s, json, &err));
    }
    assert_true(s.tls_cert[0] == '\0' && s.tls_key[0] == '\0');
    settings_clear(&s);
}

static void test_all_changed_is_all(void **state) {
    (void)state;
    struct settings plain, changed;
    struct error err;
    settings_init(&plain);
    settings_init(&changed);
    assert_true(patch(&changed, all_changed, &err));
    yyjson_doc *before = formatted(&plain), *after = formatted(&changed);
    size_t i, max;
    yyjson_val *name, *value;
    yyjson_obj_foreach(yyjson_doc_get_root(before), i, max, name, value) {
        yyjson_val *now = yyjson_obj_get(yyjson_doc_get_root(after), yyjson_get_str(name));
        if (yyjson_equals(value, now))
            fail_msg("%s is still its default", yyjson_get_str(name));
    }
    yyjson_doc_free(before);
    yyjson_doc_free(after);
    settings_clear(&plain);
    settings_clear(&changed);
}

static void test_every_setting_is_read_back_as_written(void **state) {
    (void)state;
    struct settings s, again;
    struct error err;
    struct buf out = BUF_INIT(1 << 16);
    settings_init(&s);
    settings_init(&again);
    assert_true(patch(&s, all_changed, &err));
    settings_format(&s, &out);
    assert_true(patch(&again, buf_str(&out), &err));
    check_same(&s, &again);
    buf_clear(&out);
    settings_clear(&s);
    settings_clear(&again);
}

static void test_what_clients_are_shown_changes_nothing(void **state) {
    (void)state;
    struct settings s, before;
    struct error err;
    struct buf out = BUF_INIT(1 << 16);
    settings_init(&s);
    assert_true(patch(&s, all_changed, &err));
    settings_copy(&s, &before);
    settings_show(&s, &out);
    assert_null(strstr(buf_str(&out), "sesame"));
    assert_true(patch(&s, buf_str(&out), &err));
    check_same(&before, &s);
    buf_clear(&out);
    settings_clear(&s);
    settings_clear(&before);
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
    check_shows(&s, "\"models\":{}");
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

static void test_booleans_are_words_where_those_exist(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_true(patch(&s, "{\"auto_evict\":false,\"prompt_store\":false}", &err));
    assert_int_equal(s.rules.auto_evict, LC_EVICT_OFF);
    assert_int_equal(s.prompt_store, PROMPT_STORE_OFF);
    assert_true(patch(&s, "{\"auto_evict\":true,\"prompt_store\":true}", &err));
    assert_int_equal(s.rules.auto_evict, LC_EVICT_ON);
    assert_int_equal(s.prompt_store, PROMPT_STORE_ON);
    assert_false(patch(&s, "{\"ttl_update\":true}", &err));
    assert_string_equal(err.param, "ttl_update");
    settings_clear(&s);
}

static void test_what_cannot_be_is_refused_by_name(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "{\"max_waiting\":2049}", "max_waiting" },
        { "{\"memory_limit\":-1}", "memory_limit" },
        { "{\"hang_seconds\":0.05}", "hang_seconds" },
        { "{\"hang_seconds\":86401}", "hang_seconds" },
        { "{\"response_store_bytes\":-1}", "response_store_bytes" },
        { "{\"response_store_age\":59}", "response_store_age" },
        { "{\"download_connections\":0}", "download_connections" },
        { "{\"download_connections\":9}", "download_connections" },
        { "{\"ollama_port\":-1}", "ollama_port" },
        { "{\"ollama_port\":65536}", "ollama_port" },
        { "{\"body_limit\":1048575}", "body_limit" },
        { "{\"body_limit\":67108865}", "body_limit" },
        { "{\"max_ttl\":315360001}", "max_ttl" },
        { "{\"jit\":1}", "jit" },
    };
    struct settings s;
    struct error err;
    settings_init(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(patch(&s, cases[i][0], &err));
        assert_string_equal(err.param, cases[i][1]);
    }
    assert_false(patch(&s, "[]", &err));
    settings_clear(&s);
}

static void test_null_changes_nothing_where_it_means_nothing(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_true(patch(&s, "{\"max_waiting\":null,\"hang_seconds\":null}", &err));
    assert_int_equal(s.rules.max_waiting, 128);
    assert_int_equal(s.rules.hang, 60000);
    settings_clear(&s);
}

static void test_load_is_merged(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_true(patch(&s, "{\"load\":{\"parallel\":2,\"mmap\":false}}", &err));
    assert_true(patch(&s, "{\"load\":{\"parallel\":null,\"threads\":3}}", &err));
    check_shows(&s, "\"load\":{\"threads\":3,\"mmap\":false}");
    assert_false(patch(&s, "{\"load\":{\"threads\":4,\"thread\":null}}", &err));
    assert_string_equal(err.param, "thread");
    check_shows(&s, "\"load\":{\"threads\":3,\"mmap\":false}");
    assert_true(patch(&s, "{\"load\":null}", &err));
    check_shows(&s, "\"load\":{}");
    settings_clear(&s);
}

/* The patches are gone when the settings are shown. */
static void test_a_model_has_adapters(void **state) {
    (void)state;
    struct settings s, copy;
    struct error err;
    settings_init(&s);
    assert_true(patch(
        &s, "{\"models\":{\"a\":{\"adapters\":[{\"path\":\"x.gguf\",\"scale\":0.5}]}}}", &err));
    settings_copy(&s, &copy);
    assert_true(patch(&s, "{\"models\":{\"a\":{\"threads\":5}}}", &err));
    check_shows(&s, "\"models\":{\"a\":{\"threads\":5,\"adapters\":"
                    "[{\"path\":\"x.gguf\",\"scale\":0.5}]}}");
    assert_false(patch(
        &s, "{\"models\":{\"a\":{\"adapters\":[{\"path\":\"y\"}],\"threads\":\"x\"}}}", &err));
    assert_true(patch(&s, "{\"models\":{\"a\":{\"adapters\":[]}}}", &err));
    check_shows(&s, "\"models\":{\"a\":{\"threads\":5,\"adapters\":[]}}");
    assert_true(patch(&s, "{\"models\":{\"a\":{\"adapters\":null}}}", &err));
    check_shows(&s, "\"models\":{\"a\":{\"threads\":5}}");
    settings_clear(&s);
    check_shows(&copy,
                "\"models\":{\"a\":{\"adapters\":[{\"path\":\"x.gguf\",\"scale\":0.5}]}}");
    settings_clear(&copy);
}

static void test_all_models_have_no_adapter_in_common(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_false(patch(&s, "{\"load\":{\"adapters\":[{\"path\":\"x.gguf\"}]}}", &err));
    assert_string_equal(err.param, "adapters");
    assert_true(patch(&s, "{\"load\":{\"adapters\":null}}", &err));
    settings_clear(&s);
}

static void test_models_are_merged(void **state) {
    (void)state;
    struct settings s, copy;
    struct error err;
    settings_init(&s);
    assert_true(
        patch(&s, "{\"models\":{\"a\":{\"parallel\":1},\"b\":{\"parallel\":2}}}", &err));
    settings_copy(&s, &copy);
    assert_true(patch(&s,
                      "{\"models\":{\"a\":null,\"b\":{\"threads\":5},"
                      "\"c\":{\"parallel\":3},\"d\":null}}",
                      &err));
    assert_null(model_settings_find(&s.models, "a"));
    assert_null(model_settings_find(&s.models, "d"));
    const struct model_entry *entry = model_settings_find(&s.models, "b");
    assert_non_null(entry);
    assert_int_equal(entry->load.parallel, 2);
    assert_int_equal(entry->load.threads, 5);
    assert_non_null(model_settings_find(&s.models, "c"));
    assert_non_null(model_settings_find(&copy.models, "a"));
    assert_true(patch(&s, "{\"models\":{\"b\":{\"parallel\":null}}}", &err));
    check_shows(&s, "\"models\":{\"b\":{\"threads\":5},\"c\":{\"parallel\":3}}");
    assert_false(patch(&s, "{\"models\":{\"b\":7}}", &err));
    assert_string_equal(err.param, "models");
    assert_true(patch(&s, "{\"models\":null}", &err));
    check_shows(&s, "\"models\":{}");
    settings_clear(&s);
    settings_clear(&copy);
}

static void test_a_model_may_have_a_ttl(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_true(
        patch(&s, "{\"models\":{\"a\":{\"ttl\":90},\"b\":{\"ttl\":-1},\"c\":{}}}", &err));
    assert_int_equal(model_settings_find(&s.models, "a")->ttl, 90000);
    assert_true(model_settings_find(&s.models, "b")->ttl == MSEC_NEVER);
    assert_true(model_settings_find(&s.models, "c")->ttl == MODEL_TTL_UNSET);
    check_shows(&s, "\"models\":{\"a\":{\"ttl\":90.0},\"b\":{\"ttl\":-1},\"c\":{}}");
    assert_true(patch(&s, "{\"models\":{\"a\":{\"ttl\":null}}}", &err));
    assert_true(model_settings_find(&s.models, "a")->ttl == MODEL_TTL_UNSET);
    static const char *const wrong[] = { "-2", "\"5m\"", "true", "315360001" };
    for (size_t i = 0; i < 4; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"models\":{\"b\":{\"ttl\":%s}}}", wrong[i]);
        assert_false(patch(&s, text, &err));
        assert_string_equal(err.param, "ttl");
    }
    assert_true(model_settings_find(&s.models, "b")->ttl == MSEC_NEVER);
    settings_clear(&s);
}

static bool patch_models(struct settings *s, int from, int count, struct error *err) {
    struct buf json = BUF_INIT(1 << 20);
    for (int i = 0; i < count; i++) {
        buf_addf(&json, "%s\"m%d\":{}", i ? "," : "{\"models\":{", from + i);
    }
    buf_add_str(&json, "}}");
    bool ok = patch(s, buf_str(&json), err);
    buf_clear(&json);
    return ok;
}

static void test_one_model_past_the_most_is_refused(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_false(patch_models(&s, 0, MODEL_SETTINGS_MAX + 1, &err));
    assert_true(patch_models(&s, 0, MODEL_SETTINGS_MAX, &err));
    assert_false(patch_models(&s, MODEL_SETTINGS_MAX, 1, &err));
    assert_string_equal(err.param, "models");
    assert_true(patch_models(&s, 0, 1, &err));
    settings_clear(&s);
}

static void test_the_stars_of_the_api_key_are_no_key(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    settings_init(&s);
    assert_false(patch(&s, "{\"api_key\":\"********\"}", &err));
    assert_string_equal(err.param, "api_key");
    assert_true(patch(&s, "{\"api_key\":\"secret\"}", &err));
    assert_true(patch(&s, "{\"api_key\":\"********\"}", &err));
    assert_string_equal(s.api_key, "secret");
    assert_true(patch(&s, "{\"api_key\":null}", &err));
    assert_string_equal(s.api_key, "");
    settings_clear(&s);
}

static void test_a_key_that_is_too_long_is_refused(void **state) {
    (void)state;
    struct settings s;
    struct error err;
    char json[200];
    settings_init(&s);
    snprintf(json, sizeof json, "{\"api_key\":\"%0127d\"}", 0);
    assert_true(patch(&s, json, &err));
    snprintf(json, sizeof json, "{\"api_key\":\"%0128d\"}", 0);
    assert_false(patch(&s, json, &err));
    assert_string_equal(err.param, "api_key");
    assert_int_equal(strlen(s.api_key), 127);
    settings_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_those_of_the_rules),
        cmocka_unit_test(test_a_model_may_have_a_ttl),
        cmocka_unit_test(test_allowed_names_are_lists_of_names),
        cmocka_unit_test(test_files_have_absolute_paths),
        cmocka_unit_test(test_all_changed_is_all),
        cmocka_unit_test(test_every_setting_is_read_back_as_written),
        cmocka_unit_test(test_what_clients_are_shown_changes_nothing),
        cmocka_unit_test(test_a_refused_patch_changes_nothing),
        cmocka_unit_test(test_unknown_names_and_words_are_refused_by_name),
        cmocka_unit_test(test_null_or_minus_one_is_no_ttl),
        cmocka_unit_test(test_booleans_are_words_where_those_exist),
        cmocka_unit_test(test_what_cannot_be_is_refused_by_name),
        cmocka_unit_test(test_null_changes_nothing_where_it_means_nothing),
        cmocka_unit_test(test_load_is_merged),
        cmocka_unit_test(test_a_model_has_adapters),
        cmocka_unit_test(test_all_models_have_no_adapter_in_common),
        cmocka_unit_test(test_models_are_merged),
        cmocka_unit_test(test_one_model_past_the_most_is_refused),
        cmocka_unit_test(test_the_stars_of_the_api_key_are_no_key),
        cmocka_unit_test(test_a_key_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
