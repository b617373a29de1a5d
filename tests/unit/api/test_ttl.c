/* SPDX-License-Identifier: MIT */
/* The idle ttl of a body: lifecycle rules "Idle TTL" 7 and 8. */
#include <string.h>

#include "api/ttl.h"
#include "base/json.h"
#include "cmocka_prelude.h"

struct accepted {
    const char *body;
    msec value;
};

static bool read_body(const char *body, struct ttl *ret, struct error *err) {
    yyjson_doc *doc = json_parse_object(body, strlen(body), err);
    assert_non_null(doc);
    bool ok = api_read_ttl(yyjson_doc_get_root(doc), ret, err);
    yyjson_doc_free(doc);
    return ok;
}

static void check_accepted(const struct accepted *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct ttl ttl = { 0 };
        struct error err = { 0 };
        if (!read_body(rows[i].body, &ttl, &err)) fail_msg("%s: %s", rows[i].body, err.text);
        if (!ttl.given || ttl.value != rows[i].value) {
            fail_msg("%s gives %lld", rows[i].body, (long long)ttl.value);
        }
    }
}

static void check_refused(const char *const *bodies, size_t count, const char *param) {
    for (size_t i = 0; i < count; i++) {
        struct ttl ttl = { .value = 77 };
        struct error err = { 0 };
        if (read_body(bodies[i], &ttl, &err)) fail_msg("%s was taken", bodies[i]);
        assert_int_equal(err.code, ERR_INVALID_REQUEST);
        assert_string_equal(err.param, param);
        assert_int_equal(ttl.value, 77);
    }
}

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void test_rule_7_valid(void **state) {
    static const struct accepted rows[] = {
        { "{\"ttl\":0}", 0 },
        { "{\"ttl\":300}", 300000 },
        { "{\"ttl\":1.5}", 1500 },
        { "{\"ttl\":0.0001}", 1 }, /* never before its time */
        { "{\"ttl\":-1}", MSEC_NEVER },
        { "{\"ttl\":-1.0}", MSEC_NEVER },
        { "{\"ttl\":null}", MSEC_NEVER },
        { "{\"ttl\":315360000}", 315360000000 },
    };
    (void)state;
    check_accepted(rows, COUNT(rows));
}

static void test_rule_7_invalid(void **state) {
    static const char *const bodies[] = {
        "{\"ttl\":\"300\"}", "{\"ttl\":true}",   "{\"ttl\":-2}",
        "{\"ttl\":-0.5}",    "{\"ttl\":[]}",     "{\"ttl\":315360001}",
        "{\"ttl\":1e300}",   "{\"ttl\":{}}",     "{\"ttl\":-1.5}",
        "{\"ttl\":\"-1\"}",  "{\"ttl\":\"5m\"}", "{\"ttl\":18446744073709551615}",
    };
    (void)state;
    check_refused(bodies, COUNT(bodies), "ttl");
}

static void test_rule_8_keep_alive_is_a_synonym(void **state) {
    static const struct accepted rows[] = {
        { "{\"keep_alive\":0}", 0 },
        { "{\"keep_alive\":300}", 300000 },
        { "{\"keep_alive\":-1}", MSEC_NEVER },
        { "{\"keep_alive\":-5}", MSEC_NEVER },
        { "{\"keep_alive\":\"5m\"}", 300000 },
        { "{\"keep_alive\":\"1h30m\"}", 5400000 },
        { "{\"keep_alive\":\"1.5h\"}", 5400000 },
        { "{\"keep_alive\":\"300ms\"}", 300 },
        { "{\"keep_alive\":\"1m300ms\"}", 60300 },
        { "{\"keep_alive\":\"2s500000us\"}", 2500 },
        { "{\"keep_alive\":\"1500\\u00b5s\"}", 2 },
        { "{\"keep_alive\":\"1000000ns\"}", 1 },
        { "{\"keep_alive\":\"-1\"}", MSEC_NEVER },
        { "{\"keep_alive\":\"-1m\"}", MSEC_NEVER },
        { "{\"keep_alive\":\"0\"}", 0 },
        { "{\"keep_alive\":\"90\"}", 90000 },
        { "{\"keep_alive\":\"+1s\"}", 1000 },
        { "{\"keep_alive\":\".5s\"}", 500 },
    };
    (void)state;
    check_accepted(rows, COUNT(rows));
}

static void test_keep_alive_invalid(void **state) {
    static const char *const bodies[] = {
        "{\"keep_alive\":\"\"}",       "{\"keep_alive\":\"m\"}",
        "{\"keep_alive\":\"5 m\"}",    "{\"keep_alive\":\"5m \"}",
        "{\"keep_alive\":\"5x\"}",     "{\"keep_alive\":\"inf\"}",
        "{\"keep_alive\":\"0x10s\"}",  "{\"keep_alive\":\"1e3s\"}",
        "{\"keep_alive\":\"1.2.3s\"}", "{\"keep_alive\":\"--1\"}",
        "{\"keep_alive\":\"1h30\"}",   "{\"keep_alive\":\"100000h\"}",
        "{\"keep_alive\":true}",       "{\"keep_alive\":{}}",
        "{\"keep_alive\":\"-\"}",      "{\"keep_alive\":\"5m\\u00005\"}",
        "{\"keep_alive\":\".s\"}",     "{\"keep_alive\":\"9999999999999999999s\"}",
    };
    (void)state;
    check_refused(bodies, COUNT(bodies), "keep_alive");
}

static void test_rule_8_ttl_wins(void **state) {
    static const struct accepted rows[] = {
        { "{\"keep_alive\":\"5m\",\"ttl\":7}", 7000 },
        { "{\"ttl\":null,\"keep_alive\":0}", MSEC_NEVER },
        { "{\"ttl\":7,\"keep_alive\":\"nonsense\"}", 7000 },
    };
    (void)state;
    check_accepted(rows, COUNT(rows));
}

static void test_absent_is_not_given(void **state) {
    static const char *const bodies[] = { "{}", "{\"keep_alive\":null}" };
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct ttl ttl = { .given = true, .value = 5 };
        struct error err = { 0 };
        assert_true(read_body(bodies[i], &ttl, &err));
        assert_false(ttl.given);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_7_valid),
        cmocka_unit_test(test_rule_7_invalid),
        cmocka_unit_test(test_rule_8_keep_alive_is_a_synonym),
        cmocka_unit_test(test_keep_alive_invalid),
        cmocka_unit_test(test_rule_8_ttl_wins),
        cmocka_unit_test(test_absent_is_not_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
