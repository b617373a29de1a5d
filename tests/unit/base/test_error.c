/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

/* api.md, "Errors". */
static void test_statuses_and_names(void **state) {
    (void)state;
    static const struct {
        enum err_code code;
        int status;
        const char *name;
    } rows[] = {
        { ERR_INVALID_REQUEST, 400, "invalid_request_error" },
        { ERR_CONTEXT_LENGTH, 400, "context_length_exceeded" },
        { ERR_API_KEY, 401, "invalid_api_key" },
        { ERR_FORBIDDEN, 403, "forbidden" },
        { ERR_MODEL_NOT_FOUND, 404, "model_not_found" },
        { ERR_METHOD, 405, "method_not_allowed" },
        { ERR_IDENTIFIER_IN_USE, 409, "identifier_in_use" },
        { ERR_MODEL_IN_USE, 409, "model_in_use" },
        { ERR_TOO_LARGE, 413, "request_too_large" },
        { ERR_QUEUE_FULL, 429, "queue_full" },
        { ERR_LOAD_FAILED, 500, "model_load_failed" },
        { ERR_WORKER_DIED, 502, "worker_died" },
        { ERR_MODEL_UNLOADED, 503, "model_unloaded" },
        { ERR_NO_MEMORY, 507, "insufficient_memory" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(error_status(rows[i].code), rows[i].status);
        assert_string_equal(error_name(rows[i].code), rows[i].name);
    }
}

/* Codes cross between processes by their names: each must have one of its own. */
static void test_every_code_goes_by_name_and_back(void **state) {
    (void)state;
    for (int i = 0; i < ERR_CODE_COUNT; i++) {
        assert_non_null(error_name((enum err_code)i));
        assert_int_equal(error_from_name(error_name((enum err_code)i)), i);
        assert_in_range(error_status((enum err_code)i), 200, 599);
    }
    assert_int_equal(error_from_name("no such code"), ERR_INTERNAL);
    assert_int_equal(error_from_name(""), ERR_INTERNAL);
}

static void test_set_fills_all(void **state) {
    (void)state;
    struct error err;
    memset(&err, 0x5a, sizeof err);
    assert_false(error_set(&err, ERR_IO, "File %d of %s.", 3, "many"));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.text, "File 3 of many.");
    assert_string_equal(err.param, "");
    assert_int_equal(err.retry_after, 0);
    assert_false(error_set_param(&err, ERR_INVALID_REQUEST, "ttl", "'%s' is wrong.", "ttl"));
    assert_string_equal(err.param, "ttl");
    assert_string_equal(err.text, "'ttl' is wrong.");
}

static void test_text_is_safe_to_show(void **state) {
    (void)state;
    struct error err;
    error_set(&err, ERR_IO, "a\nb\rc\x1b[31m\x7f");
    assert_string_equal(err.text, "a?b?c?[31m?");
}

static void test_long_texts_end_with_a_whole_character(void **state) {
    (void)state;
    struct error err;
    for (int pad = 0; pad < 4; pad++) {
        char text[1000] = { 0 };
        memset(text, 'x', (size_t)pad);
        for (size_t i = 0; (size_t)pad + i + 1 < sizeof text; i++) {
            text[(size_t)pad + i] = "\xe2\x82\xac"[i % 3];
        }
        error_set(&err, ERR_IO, "%s", text);
        size_t len = strlen(err.text);
        assert_true(len < sizeof err.text && len > sizeof err.text - 5);
        assert_int_equal((len - (size_t)pad) % 3, 0);
        error_set_param(&err, ERR_IO, text, "x");
        assert_true(strlen(err.param) < sizeof err.param);
    }
}

static void test_a_name_that_was_cut_is_still_text(void **state) {
    (void)state;
    struct error err;
    error_set(&err, ERR_IO, "'%.5s' is not there.", "caf\xc3\xa9\xc3\xa9");
    assert_string_equal(err.text, "'caf\xc3\xa9' is not there.");
    error_set(&err, ERR_IO, "'%.4s' is not there.", "caf\xc3\xa9\xc3\xa9");
    assert_string_equal(err.text, "'caf?' is not there.");
    error_set(&err, ERR_IO, "'%s' is not there.", "\xff\xed\xa0\x80\xf0\x9f\x98\x80");
    assert_string_equal(err.text, "'????\xf0\x9f\x98\x80' is not there.");
}

/* "While loading: <the error before>" is a common form. */
static void test_an_error_may_quote_itself(void **state) {
    (void)state;
    struct error err;
    error_set(&err, ERR_IO, "The disk is full.");
    error_set(&err, ERR_LOAD_FAILED, "Loading: %s", err.text);
    assert_string_equal(err.text, "Loading: The disk is full.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses_and_names),
        cmocka_unit_test(test_every_code_goes_by_name_and_back),
        cmocka_unit_test(test_set_fills_all),
        cmocka_unit_test(test_text_is_safe_to_show),
        cmocka_unit_test(test_long_texts_end_with_a_whole_character),
        cmocka_unit_test(test_a_name_that_was_cut_is_still_text),
        cmocka_unit_test(test_an_error_may_quote_itself),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
