/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "supervisor/calls.h"

static void test_a_number_is_never_used_twice(void **state) {
    (void)state;
    struct metrics metrics = { 0 };
    struct calls *calls = calls_new(&metrics);
    struct call *call = call_open(calls, CALL_REQUEST);
    call_id first = call->id;
    assert_ptr_equal(call_find(calls, first), call);
    call_close(calls, call);
    assert_null(call_find(calls, first));
    call = call_open(calls, CALL_REQUEST); /* takes the same place */
    assert_true(call->id != first);
    assert_null(call_find(calls, first));
    assert_null(call_find(calls, 0));
    assert_null(call_find(calls, UINT64_MAX));
    calls_free(calls);
}

static void on_event(void *ctx, call_id call, const struct service_event *ev) {
    struct error *told = ctx;
    (void)call;
    *told = *ev->error;
}

static void test_one_past_the_most_is_refused(void **state) {
    (void)state;
    struct metrics metrics = { 0 };
    struct calls *calls = calls_new(&metrics);
    struct call *call = NULL;
    struct error told = { 0 };
    for (int i = 0; i < CALLS_MAX; i++) {
        call = call_open(calls, CALL_REQUEST);
        assert_int_equal(call->refusal.code, ERR_NONE);
    }
    struct call *refused = call_open(calls, CALL_REQUEST);
    assert_int_equal(refused->refusal.code, ERR_QUEUE_FULL);
    assert_int_equal(refused->refusal.retry_after, 5);
    refused->request.sink = (struct service_sink){ on_event, &told };
    call_fail(calls, refused, &(struct error){ .code = ERR_QUEUE_FULL, .text = "Full." });
    assert_int_equal(told.code, ERR_QUEUE_FULL);
    assert_int_equal(metrics.request_errors[ERR_QUEUE_FULL], 1);
    call_close(calls, call);
    assert_int_equal(call_open(calls, CALL_REQUEST)->refusal.code, ERR_NONE);
    calls_free(calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_number_is_never_used_twice),
        cmocka_unit_test(test_one_past_the_most_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
