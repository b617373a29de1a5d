/* SPDX-License-Identifier: MIT */
/* Memory, rule 4: device memory makes idle instances leave, and refuses nobody. */
#include "world.h"

/* fit, with so much device memory; each load wishes this much of it. */
static void device(nbytes budget, nbytes wish) {
    set_mode(LC_EVICT_FIT);
    set_device(budget);
    plan.wish = wish;
}

static void test_memory_4_what_fits_on_the_device_stays(void **state) {
    (void)state;
    device(200, 100);
    int a = make_idle(A), b = make_idle(B);

    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(b), LC_IDLE);
}

static void test_memory_4_a_short_device_makes_an_idle_one_leave(void **state) {
    (void)state;
    device(200, 120);
    int a = make_idle(A);

    ask(B);
    int b = lifecycle_find(&lc, B);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_by(a), b);
    assert_int_equal(state_of(b), LC_ABSENT); /* until the memory is back */
    exited(a);
    assert_int_equal(state_of(b), LC_LOADING);
}

static void test_memory_4_who_has_nothing_there_stays(void **state) {
    (void)state;
    device(200, 0);
    int a = make_idle(A);

    clock_to(100);
    plan.wish = 150;
    int b = make_idle(B);
    plan.wish = 100;
    ask(C);
    assert_int_equal(state_of(a), LC_IDLE); /* though it is idle for longer */
    assert_int_equal(state_of(b), LC_UNLOADING);
}

static void test_memory_4_no_more_leave_than_necessary(void **state) {
    (void)state;
    device(300, 100);
    int a = make_idle(A), b = make_idle(B), c = make_idle(C);

    plan.wish = 150;
    ask(D);
    assert_int_equal(count(LC_DO_STOP), 2);
    assert_int_equal(
        (state_of(a) == LC_IDLE) + (state_of(b) == LC_IDLE) + (state_of(c) == LC_IDLE), 1);
}

static void test_memory_4_a_wish_that_cannot_be_met_is_not_refused(void **state) {
    (void)state;
    device(200, 150);
    int a = make_explicit(A); /* which nobody evicts */
    uint64_t r = ask(B);

    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
    ready(lifecycle_find(&lc, B));
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_memory_4_a_wish_beyond_the_device_takes_all_of_it(void **state) {
    (void)state;
    device(200, 80);
    int a = make_idle(A), b = make_idle(B);

    plan.wish = 5000;
    ask(C);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(state_of(b), LC_UNLOADING);
    exited(a);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_ABSENT);
    exited(b);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_LOADING);
}

static void test_memory_4_a_leaving_one_is_waited_for(void **state) {
    (void)state;
    device(200, 100);
    int a = make_idle(A), b = make_idle(B);

    unload(a);
    ask(C);
    assert_int_equal(state_of(b), LC_IDLE);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_ABSENT);
    exited(a);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_LOADING);
}

static void test_memory_4_a_load_under_way_counts(void **state) {
    (void)state;
    device(200, 150);
    uint64_t a = ask(A);

    ask(B);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_ABSENT);
    ready(lifecycle_find(&lc, A));
    assert_int_equal(fate(a), STARTED);
}

static void test_memory_4_off_evicts_nobody(void **state) {
    (void)state;
    device(200, 150);
    set_mode(LC_EVICT_OFF);
    int a = make_idle(A);

    ask(B);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
}

static void test_memory_4_a_forced_load_wishes_nothing(void **state) {
    (void)state;
    device(200, 150);
    int a = make_idle(A);

    load_forced(B);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
}

static void test_memory_4_a_load_that_takes_the_firsts_device_waits(void **state) {
    (void)state;
    int a;

    device(200, 100);
    make_busy(A, &a);
    plan.wish = 200;
    ask(B); /* waits for A's answer */
    plan.wish = 100;
    ask(C);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_ABSENT);
    plan.wish = 0;
    ask(D);
    assert_int_equal(state_of(lifecycle_find(&lc, D)), LC_LOADING);
}

static void test_memory_4_what_the_worker_says_counts(void **state) {
    (void)state;
    device(200, 150);
    int a = make_idle(A);

    report(LC_EV_MEMORY, a, lc.slots[a].generation, 0); /* it takes nothing there */
    ask(B);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
}

int device_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_memory_4_what_fits_on_the_device_stays, world_reset),
        cmocka_unit_test_setup(test_memory_4_a_short_device_makes_an_idle_one_leave,
                               world_reset),
        cmocka_unit_test_setup(test_memory_4_who_has_nothing_there_stays, world_reset),
        cmocka_unit_test_setup(test_memory_4_no_more_leave_than_necessary, world_reset),
        cmocka_unit_test_setup(test_memory_4_a_wish_that_cannot_be_met_is_not_refused,
                               world_reset),
        cmocka_unit_test_setup(test_memory_4_a_wish_beyond_the_device_takes_all_of_it,
                               world_reset),
        cmocka_unit_test_setup(test_memory_4_a_leaving_one_is_waited_for, world_reset),
        cmocka_unit_test_setup(test_memory_4_a_load_under_way_counts, world_reset),
        cmocka_unit_test_setup(test_memory_4_off_evicts_nobody, world_reset),
        cmocka_unit_test_setup(test_memory_4_a_forced_load_wishes_nothing, world_reset),
        cmocka_unit_test_setup(test_memory_4_a_load_that_takes_the_firsts_device_waits,
                               world_reset),
        cmocka_unit_test_setup(test_memory_4_what_the_worker_says_counts, world_reset),
    };
    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
