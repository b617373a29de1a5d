/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "daemon/history_query.h"

static const msec now = 1795352746066;
static const msec hour = 3600000;

static void test_the_last_day_is_the_default(void **state) {
    (void)state;
    struct history_query q;
    struct error err;
    assert_true(history_query_parse(NULL, NULL, NULL, now, &q, &err));
    assert_int_equal(q.until, now);
    assert_int_equal(q.from, now - 24 * hour);
    assert_int_equal(q.limit, HISTORY_LIMIT_DEFAULT);
    assert_true(history_query_parse(NULL, "2d", NULL, now, &q, &err));
    assert_int_equal(q.from, now - 72 * hour); /* the day before until */
}

static void test_points_and_spans(void **state) {
    (void)state;
    struct history_query q;
    struct error err;
    assert_true(history_query_parse("1795352000000", "1795352746066", "7", now, &q, &err));
    assert_int_equal(q.from, 1795352000000);
    assert_int_equal(q.until, now);
    assert_int_equal(q.limit, 7);
    assert_true(history_query_parse("12h", "30m", NULL, now, &q, &err));
    assert_int_equal(q.from, now - 12 * hour);
    assert_int_equal(q.until, now - hour / 2);
    assert_true(history_query_parse("90s", NULL, NULL, now, &q, &err));
    assert_int_equal(q.from, now - 90000);
    assert_true(history_query_parse("1h30m", NULL, NULL, now, &q, &err));
    assert_int_equal(q.from, now - hour - hour / 2);
    assert_true(history_query_parse("3650d", NULL, NULL, now, &q, &err));
    assert_true(history_query_parse("0", "0", "50000", now, &q, &err));
}

static void check_refused(const char *since, const char *until, const char *limit,
                          const char *param) {
    struct history_query q = { .limit = -7 };
    struct error err;
    assert_false(history_query_parse(since, until, limit, now, &q, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, param);
    assert_int_equal(q.limit, -7); /* untouched */
}

static void test_anything_else_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",      "d",
        "-1",    "+1",
        "1.5",   "1w",
        "1dd",   "1h30",
        " 1d",   "1d ",
        "today", "9999999999999999",
        "3651d", "99999999999999d",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_refused(bad[i], NULL, NULL, "since");
        check_refused("0", bad[i], NULL, "until");
    }
    static const char *const bad_limits[] = { "", "0", "-1", "50001", "1d", "ten", "1e3" };
    for (size_t i = 0; i < sizeof bad_limits / sizeof bad_limits[0]; i++) {
        check_refused(NULL, NULL, bad_limits[i], "limit");
    }
    check_refused("1h", "2h", NULL, "since"); /* from after until */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_day_is_the_default),
        cmocka_unit_test(test_points_and_spans),
        cmocka_unit_test(test_anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
