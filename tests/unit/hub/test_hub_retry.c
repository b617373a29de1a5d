/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "hub/hub_retry.h"

static enum hub_verdict judged(long status, const char *code, struct error *err) {
    struct hub_answer answer = { .status = status };
    (void)snprintf(answer.error_code, sizeof answer.error_code, "%s", code);
    *err = (struct error){ 0 };
    return hub_judge(&answer, "a/b", err);
}

static void test_what_may_pass_is_tried_again(void **state) {
    (void)state;
    static const long again[] = { 0, 408, 429, 500, 502, 503, 504 };
    struct error err;
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        assert_int_equal(judged(again[i], "", &err), HUB_RETRY);
        assert_int_equal(err.code, ERR_IO);
    }
    assert_int_equal(judged(200, "", &err), HUB_OK);
    assert_int_equal(judged(206, "", &err), HUB_OK);
}

static void test_each_refusal_says_what_to_do(void **state) {
    (void)state;
    struct error err;
    assert_int_equal(judged(401, "GatedRepo", &err), HUB_FAILED);
    assert_non_null(strstr(err.text, "a/b is gated: accept its terms"));
    assert_int_equal(err.code, ERR_FORBIDDEN);
    assert_int_equal(judged(401, "RepoNotFound", &err), HUB_FAILED);
    assert_non_null(strstr(err.text, "no repository a/b"));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(judged(404, "EntryNotFound", &err), HUB_FAILED);
    assert_non_null(strstr(err.text, "no such file"));
    assert_int_equal(judged(404, "RevisionNotFound", &err), HUB_FAILED);
    assert_int_equal(judged(403, "", &err), HUB_FAILED);
    assert_non_null(strstr(err.text, "gated"));
    assert_int_equal(judged(404, "", &err), HUB_FAILED);
    assert_int_equal(judged(418, "", &err), HUB_FAILED);
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
}

static void test_waits_grow_to_a_minute(void **state) {
    (void)state;
    assert_int_equal(hub_delay(1, 0, 0), 500);
    assert_int_equal(hub_delay(1, 0, 1), 1000);
    assert_int_equal(hub_delay(2, 0, 1), 2000);
    assert_int_equal(hub_delay(6, 0, 1), 32000);
    assert_int_equal(hub_delay(7, 0, 1), 60000);
    assert_int_equal(hub_delay(4000000000U, 0, 0), 30000);
}

static void test_retry_after_is_obeyed_up_to_an_hour(void **state) {
    (void)state;
    assert_int_equal(hub_delay(1, 7, 0), 7000);
    assert_int_equal(hub_delay(9, 1000000, 0.5), 3600000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_pass_is_tried_again),
        cmocka_unit_test(test_each_refusal_says_what_to_do),
        cmocka_unit_test(test_waits_grow_to_a_minute),
        cmocka_unit_test(test_retry_after_is_obeyed_up_to_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
