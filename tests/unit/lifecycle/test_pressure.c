/* SPDX-License-Identifier: MIT */
#include "world.h"

/* Loaded in 100 ms and idle since; the clock stands at `at`. */
static int make_idle_at(msec at, uint32_t model) {
    clock_to(at - 100);
    uint64_t r = ask(model);
    int slot = lifecycle_find(&lc, model);

    clock_to(at);
    ready(slot);
    done(r);
    return slot;
}

static void test_memory_3_pressure_unloads_the_least_valuable_idle_one(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    int a = make_idle_at(1000, A), b = make_idle_at(2000, B);

    clock_to(5000);
    press();
    assert_int_equal(state_of(a), LC_UNLOADING); /* idle for longer */
    assert_int_equal(last_reason(a), LC_BECAUSE_MEMORY);
    assert_int_equal(state_of(b), LC_IDLE);
}

static void test_memory_3_pressure_weighs_the_idle_time_by_the_reload(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    plan.reload = 60000;
    int a = make_idle_at(1000, A);
    plan.reload = 100;
    int b = make_idle_at(2000, B);

    clock_to(5000);
    press();
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(b), LC_UNLOADING);
}

static void test_memory_3_pressure_unloads_one_after_the_other(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    int a = make_idle_at(1000, A), b = make_idle_at(2000, B);

    clock_to(5000);
    press();
    press();
    assert_int_equal(state_of(b), LC_IDLE); /* the first one's memory is not back yet */
    exited(a);
    assert_int_equal(state_of(b), LC_IDLE); /* it may have been enough */
    press();
    assert_int_equal(state_of(b), LC_UNLOADING);
}

static void test_memory_3_pressure_never_cuts_an_answer(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    pass(5000);
    press();
    assert_int_equal(state_of(a), LC_BUSY);
    done(r);
    assert_int_equal(state_of(a), LC_IDLE); /* and is over with the event */
}

static void test_memory_3_pressure_leaves_explicit_ones(void **state) {
    (void)state;
    int a = make_explicit(A);

    pass(5000);
    press();
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_memory_3_pressure_with_auto_evict_off_unloads_nothing(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    int a = make_idle_at(1000, A);

    clock_to(5000);
    press();
    assert_int_equal(state_of(a), LC_IDLE);
}

/* Between two requests of a client its model is not idle for long. */
static void test_memory_3_pressure_spares_what_was_idle_for_less_than_its_load(void **state) {
    (void)state;
    int a = make_idle_at(1000, A);

    clock_to(1099);
    press();
    assert_int_equal(state_of(a), LC_IDLE);
    clock_to(1100);
    press();
    assert_int_equal(state_of(a), LC_UNLOADING);
}

static void test_memory_3_pressure_keeps_a_lease(void **state) {
    (void)state;
    ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);
    ready(0);

    clock_to(4999);
    press();
    assert_int_equal(state_of(0), LC_IDLE);
    clock_to(5000);
    press();
    assert_int_equal(state_of(0), LC_UNLOADING);
}

int pressure_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_memory_3_pressure_unloads_the_least_valuable_idle_one,
                               world_reset),
        cmocka_unit_test_setup(test_memory_3_pressure_weighs_the_idle_time_by_the_reload,
                               world_reset),
        cmocka_unit_test_setup(test_memory_3_pressure_unloads_one_after_the_other, world_reset),
        cmocka_unit_test_setup(test_memory_3_pressure_never_cuts_an_answer, world_reset),
        cmocka_unit_test_setup(test_memory_3_pressure_leaves_explicit_ones, world_reset),
        cmocka_unit_test_setup(test_memory_3_pressure_with_auto_evict_off_unloads_nothing,
                               world_reset),
        cmocka_unit_test_setup(
            test_memory_3_pressure_spares_what_was_idle_for_less_than_its_load, world_reset),
        cmocka_unit_test_setup(test_memory_3_pressure_keeps_a_lease, world_reset),
    };
    return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
