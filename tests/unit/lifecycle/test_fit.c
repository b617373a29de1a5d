/* SPDX-License-Identifier: MIT */
#include "world.h"

/* fit, with room for this many bytes; instances take 100 unless plan.need says else. */
static void fit(nbytes budget) {
    set_mode(LC_EVICT_FIT);
    set_budget(budget);
}

static void test_evict_4_fit_holds_what_the_budget_holds(void **state) {
    (void)state;
    fit(300);
    int a = make_idle(A), b = make_idle(B), c = make_idle(C);

    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(b), LC_IDLE);
    assert_int_equal(state_of(c), LC_IDLE);
    ask(D);
    assert_int_equal(count(LC_DO_STOP), 1); /* just enough of them */
}

static void test_evict_4_fit_longest_idle_by_reload_goes_first(void **state) {
    (void)state;
    fit(300);
    plan.reload = 4000;
    int a = make_idle(A); /* idle 900 of 4000 at the end */

    clock_to(200);
    plan.reload = 1000;
    int b = make_idle(B); /* 700 of 1000: the largest */
    clock_to(800);
    plan.reload = 200;
    int c = make_idle(C); /* 100 of 200 */
    clock_to(900);
    ask(D);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(b), LC_UNLOADING);
    assert_int_equal(last_by(b), lifecycle_find(&lc, D));
    assert_int_equal(state_of(c), LC_IDLE);
    exited(b);
    assert_int_equal(state_of(lifecycle_find(&lc, D)), LC_LOADING);
}

static void test_evict_4_fit_scores_do_not_overflow(void **state) {
    (void)state;
    fit(200);
    plan.reload = MSEC_NEVER - 1;
    int a = make_explicit(A);

    update(a, LC_ORIGIN_JIT, MSEC_NEVER);
    clock_to(MSEC_NEVER / 2);
    plan.reload = MSEC_NEVER - 2;
    int b = make_explicit(B);
    update(b, LC_ORIGIN_JIT, MSEC_NEVER);
    clock_to(MSEC_NEVER - 10);
    ask(C);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(state_of(b), LC_IDLE);
}

static void test_evict_4_fit_counts_bytes_that_are_leaving(void **state) {
    (void)state;
    fit(200);
    int a = make_idle(A), b = make_idle(B);

    unload(a);
    ask(C);
    assert_int_equal(state_of(b), LC_IDLE);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_ABSENT);
    exited(a);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_LOADING);
}

static void test_evict_4_fit_drains_the_least_recently_used_busy_one(void **state) {
    (void)state;
    fit(200);
    int a, b;
    uint64_t ra = make_busy(A, &a);

    clock_to(50);
    uint64_t rb = make_busy(B, &b);
    clock_to(60);
    done(ask(A)); /* A was used later than B */
    uint64_t rc = ask(C);
    assert_int_equal(lifecycle_deadline(&lc), 1060);
    clock_to(1059);
    assert_int_equal(fate(ask(B)), STARTED);
    pass(1);
    assert_int_equal(state_of(a), LC_DRAINING); /* now B is the later one */
    assert_int_equal(state_of(b), LC_BUSY);
    done(ra);
    exited(a);
    ready(lifecycle_find(&lc, C));
    assert_int_equal(fate(rc), STARTED);
    assert_int_equal(fate(rb), STARTED);
}

static void test_evict_4_fit_loading_ones_are_waited_for(void **state) {
    (void)state;
    fit(100);
    uint64_t a = ask(A), b = ask(B);

    pass(2000);
    assert_int_equal(state_of(0), LC_LOADING);
    ready(0);
    assert_int_equal(fate(a), STARTED);
    assert_int_equal(state_of(0), LC_DRAINING);
    done(a);
    exited(0);
    ready(1);
    assert_int_equal(fate(b), STARTED);
}

static void test_evict_4_fit_serves_the_line_in_order(void **state) {
    (void)state;
    fit(200);
    int a;

    make_busy(A, &a);
    plan.need = 200;
    ask(B);
    plan.need = 100;
    ask(C); /* would fit, but B is before it */
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_ABSENT);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_ABSENT);
}

static void test_evict_4_fit_what_can_never_fit_is_refused(void **state) {
    (void)state;
    fit(300);
    make_explicit(A);
    int b = make_idle(B);

    plan.need = 201;
    uint64_t r = ask(C);
    assert_int_equal(failure(r), LC_FAIL_NO_MEMORY);
    assert_int_equal(answer(r)->need, 201);
    assert_int_equal(answer(r)->free, 200);
    assert_int_equal(state_of(b), LC_IDLE); /* nobody leaves for nothing */
    assert_int_equal(lifecycle_find(&lc, C), LC_NO_SLOT);
    plan.need = 200;
    assert_int_equal(fate(ask(C)), HELD);
    assert_int_equal(state_of(b), LC_UNLOADING);
}

static void test_evict_2_fit_idle_ones_make_room_for_an_explicit_load(void **state) {
    (void)state;
    fit(200);
    int a = make_idle(A), b;
    uint64_t busy = make_busy(B, &b);
    uint64_t r = load(C);

    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(state_of(b), LC_BUSY);
    exited(a);
    ready(lifecycle_find(&lc, C));
    assert_int_equal(fate(r), LOADED);
    assert_int_equal(failure(load(D)),
                     LC_FAIL_NO_MEMORY); /* busy ones are not drained for it */
    pass(5000);
    assert_int_equal(state_of(b), LC_BUSY);
    done(busy);
}

static void test_evict_4_fit_a_smaller_budget_evicts_idle_ones(void **state) {
    (void)state;
    fit(300);
    int a = make_idle(A), b;

    clock_to(10);
    uint64_t r = make_busy(B, &b);
    int c = make_idle(C);
    clock_to(20);
    set_budget(250);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_MEMORY);
    assert_int_equal(state_of(c), LC_IDLE);
    set_budget(50);
    assert_int_equal(state_of(c), LC_UNLOADING);
    assert_int_equal(state_of(b), LC_BUSY);
    done(r); /* it leaves as soon as it is idle */
    assert_int_equal(state_of(b), LC_UNLOADING);
    assert_int_equal(last_reason(b), LC_BECAUSE_MEMORY);
}

static void test_evict_4_budget_evicts_in_fit_only(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    int a = make_idle(A);

    set_budget(10);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_evict_4_fit_counts_what_the_worker_says(void **state) {
    (void)state;
    fit(250);
    ask(A);
    ready_with(0, 200, 4);
    done(1);
    ask(B);
    assert_int_equal(state_of(0), LC_UNLOADING);
}

static void test_failure_no_memory_in_the_other_modes(void **state) {
    (void)state;
    enum lc_auto_evict modes[] = { LC_EVICT_ON, LC_EVICT_OFF };

    for (int i = 0; i < 2; i++) {
        world_reset(NULL);
        set_mode(modes[i]);
        set_budget(150);
        make_explicit(A);
        uint64_t r = ask(B);
        assert_int_equal(failure(r), LC_FAIL_NO_MEMORY);
        assert_int_equal(answer(r)->need, 100);
        assert_int_equal(answer(r)->free, 50);
        assert_int_equal(failure(load(B)), LC_FAIL_NO_MEMORY);
        assert_int_equal(failure(ask(B)), LC_FAIL_NO_MEMORY); /* no back-off */
        assert_int_equal(fate(load_forced(B)), HELD);
        assert_int_equal(count(LC_DO_SPAWN), 1);
    }
}

static void test_failure_no_memory_after_the_budget_shrank(void **state) {
    (void)state;
    int a = make_idle(A);
    uint64_t r = ask(B), s = ask(B);

    set_budget(99);
    assert_int_equal(failure(r), LC_FAIL_NO_MEMORY);
    assert_int_equal(failure(s), LC_FAIL_NO_MEMORY);
    exited(a);
    assert_int_equal(total(LC_DO_FREE), 2);
}

static void test_memory_that_is_coming_back_is_waited_for(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    set_budget(150);
    int a = make_idle(A);

    unload(a);
    uint64_t r = load(B);
    assert_int_equal(fate(r), HELD);
    exited(a);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
}

/* A context that grew counts; one that shrank makes room for a request that waits. */
static void test_evict_4_fit_counts_what_an_instance_grows_by(void **state) {
    (void)state;
    fit(300);
    int a, b = make_idle(B);
    uint64_t ra = make_busy(A, &a);

    takes(a, 250); /* 50 more than there are */
    assert_int_equal(state_of(b), LC_UNLOADING);
    assert_int_equal(last_reason(b), LC_BECAUSE_MEMORY);
    exited(b);
    uint64_t rc = ask(C);
    assert_int_equal(fate(rc), HELD);
    takes(a, 120);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_LOADING);
    done(ra);
}

static void test_evict_4_fit_a_load_is_counted_by_its_plan(void **state) {
    (void)state;
    fit(300);
    ask(A);
    int a = lifecycle_find(&lc, A);

    takes(a, 5000); /* not before READY */
    assert_int_equal(lc.slots[a].bytes, 100);
    ready(a);
    assert_int_equal(lc.slots[a].bytes, 100);
}

static void test_evict_4_a_smaller_load_that_fits_beside_passes(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    set_budget(1000);
    plan.need = 600;
    int a;
    make_busy(A, &a);
    plan.need = 800;
    uint64_t big = ask(B);
    plan.need = 200;
    uint64_t small = ask(C);

    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_ABSENT);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_LOADING);
    assert_int_equal(fate(big), HELD);
    assert_int_equal(fate(small), HELD);
}

static void test_evict_4_a_smaller_load_that_would_delay_the_first_waits(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    set_budget(1000);
    plan.need = 600;
    int a;
    make_busy(A, &a);
    plan.need = 900;
    ask(B);
    plan.need = 200;
    ask(C);

    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_ABSENT);
}

static void test_evict_4_a_smaller_load_that_costs_a_victim_more_waits(void **state) {
    (void)state;
    int a, b;

    set_mode(LC_EVICT_FIT);
    set_budget(1000);
    plan.need = 300;
    make_busy(A, &a);
    make_busy(B, &b);
    plan.need = 700;
    ask(C);
    plan.need = 200;
    ask(D);
    assert_int_equal(state_of(lifecycle_find(&lc, D)), LC_ABSENT);
}

int fit_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_evict_4_fit_holds_what_the_budget_holds, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_longest_idle_by_reload_goes_first, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_scores_do_not_overflow, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_counts_bytes_that_are_leaving, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_drains_the_least_recently_used_busy_one,
                               world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_loading_ones_are_waited_for, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_serves_the_line_in_order, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_what_can_never_fit_is_refused, world_reset),
        cmocka_unit_test_setup(test_evict_2_fit_idle_ones_make_room_for_an_explicit_load,
                               world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_a_smaller_budget_evicts_idle_ones, world_reset),
        cmocka_unit_test_setup(test_evict_4_budget_evicts_in_fit_only, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_counts_what_the_worker_says, world_reset),
        cmocka_unit_test_setup(test_failure_no_memory_in_the_other_modes, world_reset),
        cmocka_unit_test_setup(test_failure_no_memory_after_the_budget_shrank, world_reset),
        cmocka_unit_test_setup(test_memory_that_is_coming_back_is_waited_for, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_counts_what_an_instance_grows_by, world_reset),
        cmocka_unit_test_setup(test_evict_4_fit_a_load_is_counted_by_its_plan, world_reset),
        cmocka_unit_test_setup(test_evict_4_a_smaller_load_that_fits_beside_passes,
                               world_reset),
        cmocka_unit_test_setup(test_evict_4_a_smaller_load_that_would_delay_the_first_waits,
                               world_reset),
        cmocka_unit_test_setup(test_evict_4_a_smaller_load_that_costs_a_victim_more_waits,
                               world_reset),
    };
    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
