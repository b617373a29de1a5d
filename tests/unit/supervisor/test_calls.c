/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "supervisor/calls.h"

static void test_a_number_is_never_used_twice(void **state) {
    (void)state;
    struct calls *calls = calls_new();
    struct call *call = call_open(calls);
    call_id first = call->id;
    assert_ptr_equal(call_find(calls, first), call);
    call_close(calls, call);
    assert_null(call_find(calls, first));
    call = call_open(calls); /* takes the same place */
    assert_true(call->id != first);
    assert_null(call_find(calls, first));
    assert_null(call_find(calls, 0));
    assert_null(call_find(calls, UINT64_MAX));
    calls_free(calls);
}

static void test_one_past_the_most_is_refused(void **state) {
    (void)state;
    struct calls *calls = calls_new();
    struct call *last = NULL;
    for (int i = 0; i < CALLS_MAX; i++) {
        last = call_open(calls);
        assert_non_null(last);
    }
    assert_null(call_open(calls));
    call_close(calls, last);
    assert_non_null(call_open(calls));
    calls_free(calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_number_is_never_used_twice),
        cmocka_unit_test(test_one_past_the_most_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
