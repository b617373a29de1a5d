/* SPDX-License-Identifier: MIT */
#include "world.h"

static void test_shutdown_lets_running_answers_finish(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    uint64_t r = make_busy(A, &a), held = ask(A), waits = ask(B);

    shut_down();
    assert_int_equal(failure(held), LC_FAIL_SHUTDOWN);
    assert_int_equal(failure(waits), LC_FAIL_SHUTDOWN);
    assert_int_equal(state_of(a), LC_DRAINING);
    assert_int_equal(last_reason(a), LC_BECAUSE_SHUTDOWN);
    assert_int_equal(failure(ask(A)), LC_FAIL_SHUTDOWN);
    assert_int_equal(failure(load(C)), LC_FAIL_SHUTDOWN);
    clock_to(9999);
    done(r);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_SHUTDOWN);
    assert_int_equal(total(LC_DO_FINISHED), 0);
    exited(a);
    assert_int_equal(total(LC_DO_FINISHED), 1);
    assert_true(lifecycle_deadline(&lc) == MSEC_NEVER);
}

static void test_shutdown_ends_them_after_the_grace(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    shut_down();
    assert_int_equal(lifecycle_deadline(&lc), 10 * 1000);
    pass(9999);
    assert_int_equal(fate(r), STARTED);
    pass(1);
    assert_int_equal(failure(r), LC_FAIL_SHUTDOWN);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(total(LC_DO_KILL), 0);
    pass(10 * 1000);
    assert_int_equal(total(LC_DO_KILL), 1);
    exited(a);
    assert_int_equal(total(LC_DO_FINISHED), 1);
}

static void test_shutdown_twice_is_at_once(void **state) {
    (void)state;
    int a, b = make_explicit(B);
    uint64_t r = make_busy(A, &a);

    shut_down();
    assert_int_equal(state_of(b), LC_UNLOADING);
    clock_to(5);
    shut_down();
    assert_int_equal(failure(r), LC_FAIL_SHUTDOWN);
    assert_int_equal(count(LC_DO_KILL), 2);
    exited(a);
    exited(b);
    assert_int_equal(total(LC_DO_FINISHED), 1);
    shut_down();
    assert_int_equal(acts.count, 0);
}

static void test_shutdown_of_loading_and_idle_ones(void **state) {
    (void)state;
    int a = make_explicit(A);
    uint64_t r = ask(B);
    int b = lifecycle_find(&lc, B);

    shut_down();
    assert_int_equal(failure(r), LC_FAIL_SHUTDOWN);
    assert_int_equal(last_reason(a), LC_BECAUSE_SHUTDOWN);
    assert_int_equal(last_reason(b), LC_BECAUSE_SHUTDOWN);
    exited(b);
    exited(a);
    assert_int_equal(count(LC_DO_FINISHED), 1);
}

static void test_shutdown_of_nothing_is_finished_at_once(void **state) {
    (void)state;
    shut_down();
    assert_int_equal(count(LC_DO_FINISHED), 1);
}

static void test_shutdown_during_eviction(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a), b = ask(B);

    pass(1000);
    uint64_t behind = ask(A);
    shut_down();
    assert_int_equal(failure(b), LC_FAIL_SHUTDOWN);
    assert_int_equal(failure(behind), LC_FAIL_SHUTDOWN);
    done(r);
    exited(a);
    assert_int_equal(count(LC_DO_FINISHED), 1);
}

static void test_shutdown_a_worker_that_dies_meanwhile(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    shut_down();
    exited(a);
    assert_int_equal(failure(r), LC_FAIL_DIED);
    assert_int_equal(count(LC_DO_FINISHED), 1);
}

int shutdown_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_shutdown_lets_running_answers_finish, world_reset),
        cmocka_unit_test_setup(test_shutdown_ends_them_after_the_grace, world_reset),
        cmocka_unit_test_setup(test_shutdown_twice_is_at_once, world_reset),
        cmocka_unit_test_setup(test_shutdown_of_loading_and_idle_ones, world_reset),
        cmocka_unit_test_setup(test_shutdown_of_nothing_is_finished_at_once, world_reset),
        cmocka_unit_test_setup(test_shutdown_during_eviction, world_reset),
        cmocka_unit_test_setup(test_shutdown_a_worker_that_dies_meanwhile, world_reset),
    };
    return cmocka_run_group_tests_name("shutdown", tests, NULL, NULL);
}
