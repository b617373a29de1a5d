/* SPDX-License-Identifier: MIT */
#include "world.h"

static void test_failure_a_failed_load_answers_every_waiter(void **state) {
    (void)state;
    uint64_t r = ask(A), s = ask(A), l = ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);

    load_failed(0);
    assert_int_equal(failure(r), LC_FAIL_LOAD_FAILED);
    assert_int_equal(failure(s), LC_FAIL_LOAD_FAILED);
    assert_int_equal(failure(l), LC_FAIL_LOAD_FAILED);
    assert_int_equal(answer(r)->slot, 0);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(last_reason(0), LC_BECAUSE_LOAD_FAILED);
    assert_int_equal(count(LC_DO_STOP), 1);
}

static void test_failure_back_off_refuses_and_says_until_when(void **state) {
    (void)state;
    ask(A);
    clock_to(100);
    load_failed(0);
    uint64_t r = ask(A);
    assert_int_equal(failure(r), LC_FAIL_BACK_OFF);
    assert_int_equal(answer(r)->at, 1100);
    exited(0);
    assert_int_equal(total(LC_DO_FREE), 0); /* it has something to remember */
    clock_to(1099);
    r = ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);
    assert_int_equal(failure(r), LC_FAIL_BACK_OFF);
    assert_int_equal(answer(r)->slot, 0);
    clock_to(1100);
    assert_int_equal(fate(ask(A)), HELD);
    assert_int_equal(count(LC_DO_SPAWN), 1);
    assert_int_equal(lc.slots[0].model, A);
}

static void test_failure_back_off_doubles_to_a_minute(void **state) {
    (void)state;
    static const msec pauses[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000 };

    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        ask(A);
        load_failed(0);
        assert_int_equal(lc.slots[0].retry_at - lc.now, pauses[i]);
        exited(0);
        clock_to(lc.slots[0].retry_at);
    }
    for (int i = 0; i < 300; i++) { /* far more than a counter of failures can hold */
        ask(A);
        load_failed(0);
        assert_int_equal(lc.slots[0].retry_at - lc.now, 60000);
        exited(0);
        clock_to(lc.slots[0].retry_at);
    }
}

static void test_failure_back_off_is_reset_by_a_success(void **state) {
    (void)state;
    ask(A);
    load_failed(0);
    exited(0);
    clock_to(5000);
    int a = make_idle(A);
    unload(a);
    exited(a);
    ask(A);
    load_failed(lifecycle_find(&lc, A));
    assert_int_equal(lc.slots[0].retry_at - lc.now, 1000);
}

static void test_failure_back_off_is_reset_by_another_instance(void **state) {
    (void)state;
    make_explicit(A);
    load_own(A);
    load_failed(1);
    exited(1);
    assert_int_equal(lc.slots[1].model, A);
    unload(0);
    exited(0);
    assert_int_equal(failure(ask(A)), LC_FAIL_BACK_OFF);
    uint64_t l = load(B);
    ready(lifecycle_find(&lc, B));
    assert_int_equal(fate(l), LOADED);
    assert_int_equal(failure(ask(A)), LC_FAIL_BACK_OFF); /* B's success is not A's */
    load(A);
    ready(lifecycle_find(&lc, A));
    assert_int_equal(lc.slots[1].failures, 0);
}

static void test_failure_an_explicit_load_ignores_the_back_off(void **state) {
    (void)state;
    ask(A);
    load_failed(0);
    uint64_t l = load(A);
    assert_int_equal(fate(l), HELD); /* waits for the exit */
    exited(0);
    assert_int_equal(state_of(0), LC_LOADING);
    uint64_t r = ask(A); /* may join it */
    ready(0);
    assert_int_equal(fate(l), LOADED);
    assert_int_equal(fate(r), STARTED);
}

static void test_failure_an_explicit_load_takes_a_new_name(void **state) {
    (void)state;
    ask(A);
    load_failed(0);
    exited(0);
    load_own(A);
    assert_int_equal(count(LC_DO_FREE), 1); /* the remembered one gives up its identifier */
    assert_int_equal(count(LC_DO_ASSIGN), 1);
    load_failed(0);
    assert_int_equal(lc.slots[0].failures, 2);
}

static void test_failure_a_load_that_stalls_is_killed(void **state) {
    (void)state;
    uint64_t r = ask(A);

    pass(100 * 1000);
    progress(0, 10);
    pass(119 * 1000 + 999);
    assert_int_equal(state_of(0), LC_LOADING);
    pass(1);
    assert_int_equal(failure(r), LC_FAIL_LOAD_STALLED);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(count(LC_DO_KILL), 1);
    assert_int_equal(failure(ask(A)), LC_FAIL_BACK_OFF);
    pass(60 * 1000);
    assert_int_equal(total(LC_DO_KILL), 1);
    exited(0);
    assert_int_equal(lc.slots[0].failures, 1);
}

static void test_failure_a_worker_that_hangs_is_killed_once(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    pass(50 * 1000);
    heard(a);
    pass(59 * 1000 + 999);
    assert_int_equal(total(LC_DO_KILL), 0);
    pass(1);
    assert_int_equal(total(LC_DO_KILL), 1);
    heard(a); /* a last frame that was on its way */
    pass(300 * 1000);
    assert_int_equal(total(LC_DO_KILL), 1);
    assert_int_equal(fate(r), STARTED);
    exited(a);
    assert_int_equal(failure(r), LC_FAIL_DIED);
}

static void test_failure_done_is_a_sign_of_life(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    ask(A);
    pass(59 * 1000);
    done(r);
    pass(60 * 1000 - 1);
    assert_int_equal(total(LC_DO_KILL), 0);
    pass(1);
    assert_int_equal(total(LC_DO_KILL), 1);
}

static void test_failure_an_idle_worker_may_be_silent(void **state) {
    (void)state;
    int a = make_idle(A);

    pass(600 * 1000);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(total(LC_DO_KILL), 0);
    ask(A);
    pass(59 * 1000); /* the silence counts from the start of the work */
    assert_int_equal(total(LC_DO_KILL), 0);
}

static void test_failure_a_drained_worker_may_hang_too(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    ask(B);
    pass(60 * 1000);
    assert_int_equal(state_of(a), LC_DRAINING);
    assert_int_equal(total(LC_DO_KILL), 1);
}

static void test_failure_died_running_ones_fail_waiting_ones_get_a_new_worker(void **state) {
    (void)state;
    plan.parallel = 1;
    uint64_t r = ask_ttl(A, 5000), held = ask(A);

    ready(0);
    plan.need = 7777; /* what loads look like now is not what replaces a worker */
    exited(0);
    assert_int_equal(failure(r), LC_FAIL_DIED);
    assert_int_equal(fate(held), HELD);
    assert_int_equal(state_of(0), LC_LOADING);
    assert_int_equal(lc.slots[0].ttl, 5000);
    assert_int_equal(lc.slots[0].plan.need, 100);
    ready(0);
    assert_int_equal(fate(held), STARTED);
}

static void test_failure_died_explicit_stays_explicit(void **state) {
    (void)state;
    plan.parallel = 1;
    int b, a = make_explicit(A);

    ask(A);
    uint64_t held = ask_ttl(A, 5);
    make_busy(B, &b);
    exited(a);
    assert_int_equal(state_of(a), LC_LOADING); /* needs no place */
    assert_int_equal(lc.slots[a].origin, LC_ORIGIN_EXPLICIT);
    assert_true(lc.slots[a].ttl == MSEC_NEVER);
    ready(a);
    assert_int_equal(fate(held), STARTED);
}

static void test_failure_died_twice_is_an_error(void **state) {
    (void)state;
    uint64_t r = ask(A);

    exited(0);
    assert_int_equal(state_of(0), LC_LOADING);
    assert_int_equal(fate(r), HELD);
    uint64_t refused = ask(A); /* dying while loading counts as a failed load */
    assert_int_equal(failure(refused), LC_FAIL_BACK_OFF);
    clock_to(1000);
    uint64_t joins = ask(A);
    exited(0);
    assert_int_equal(failure(r), LC_FAIL_LOAD_FAILED); /* another try would change nothing */
    assert_int_equal(fate(joins), HELD);
    assert_int_equal(lc.slots[0].retry_at, 3000);
    ready(0);
    assert_int_equal(fate(joins), STARTED);
}

/* The second worker had served before it died: trying again may help. */
static void test_failure_died_twice_after_loads_that_worked(void **state) {
    (void)state;
    plan.parallel = 1;
    uint64_t served = ask(A), runs = ask(A), next = ask(A), held = ask(A);

    ready(0);
    done(served);
    uint64_t last = ask(A);
    exited(0);
    assert_int_equal(failure(runs), LC_FAIL_DIED);
    ready(0);
    done(next);
    exited(0);
    assert_int_equal(failure(held), LC_FAIL_DIED); /* it ran */
    assert_int_equal(failure(last), LC_FAIL_DIED); /* it waited for both */
}

static void test_failure_died_behind_the_gate_is_no_loss(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a), b = ask(B);

    pass(1000);
    uint64_t behind = ask(A);
    exited(a);
    assert_int_equal(last_reason(a), LC_BECAUSE_DIED);
    assert_int_equal(failure(r), LC_FAIL_DIED);
    int at_b = lifecycle_find(&lc, B);
    ready(at_b);
    done(b);
    exited(at_b);
    exited(a);
    assert_int_equal(fate(behind), HELD); /* its first loss */
    ready(a);
    assert_int_equal(fate(behind), STARTED);
}

static void test_failure_a_jit_one_that_died_idle_is_forgotten(void **state) {
    (void)state;
    int a = make_idle(A);

    exited(a);
    assert_int_equal(last_reason(a), LC_BECAUSE_DIED);
    assert_int_equal(count(LC_DO_FREE), 1);
    assert_int_equal(fate(ask(A)), HELD);
}

/* Idle when it died: identifier (the slot), origin, ttl and settings wait for a request. */
static void test_failure_intent_outlives_the_worker(void **state) {
    (void)state;
    plan.settings = 42;
    uint64_t r = load_ttl(A, 90 * 1000);
    int a = lifecycle_find(&lc, A);
    ready(a);
    assert_int_equal(fate(r), LOADED);
    exited(a);
    assert_int_equal(last_reason(a), LC_BECAUSE_DIED);
    assert_int_equal(count(LC_DO_FREE), 0);
    assert_int_equal(count(LC_DO_SPAWN), 0);
    plan.settings = 1; /* what a request by itself would have */
    make_idle(B);
    r = ask_ttl(A, 5);
    assert_int_equal(lifecycle_find(&lc, A), a);
    assert_int_equal(state_of(a), LC_LOADING); /* it evicts nobody and needs no place */
    ready(a);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(lc.slots[a].origin, LC_ORIGIN_EXPLICIT);
    assert_int_equal(lc.slots[a].ttl, 90 * 1000);
    assert_int_equal(lc.slots[a].plan.settings, 42);
}

static void test_failure_intent_outlives_a_failed_reload(void **state) {
    (void)state;
    int a = make_explicit(A);
    exited(a);
    uint64_t r = ask(A);
    load_failed(a);
    assert_int_equal(failure(r), LC_FAIL_LOAD_FAILED);
    exited(a);
    assert_int_equal(count(LC_DO_FREE), 0);
    assert_int_equal(failure(ask(A)), LC_FAIL_BACK_OFF);
    pass(1000);
    ask(A);
    ready(a);
    assert_int_equal(lc.slots[a].origin, LC_ORIGIN_EXPLICIT);
}

/* While the worker that could not load it leaves, a request changes nothing of what comes. */
static void test_failure_intent_is_not_replanned_by_a_request(void **state) {
    (void)state;
    plan.settings = 42;
    int a = make_explicit(A);
    exited(a);
    ask(A);
    progress(a, 100);
    load_failed(a);
    clock_to(1000); /* its worker takes its time to leave */
    plan.settings = 1;
    ask(A);
    exited(a);
    ready(a);
    assert_int_equal(lc.slots[a].plan.settings, 42);
}

/* With JIT off it is reloaded too: nobody asked for it to go. */
static void test_failure_intent_needs_no_jit(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;
    int a = make_explicit(A);
    settings.jit = false;
    configure(settings);
    exited(a);
    assert_int_equal(fate(ask(A)), HELD);
    assert_int_equal(state_of(a), LC_LOADING);
}

static void test_failure_a_kept_instance_may_be_loaded_again_at_once(void **state) {
    (void)state;
    int a = make_explicit(A);
    assert_int_equal(lifecycle_reload_at(&lc, a), MSEC_NEVER);
    uint64_t r = ask(A);
    done(r);
    clock_to(5000);
    exited(a);
    assert_int_equal(lifecycle_reload_at(&lc, a), 5000);
    ask(A); /* the next request causes the load */
    assert_int_equal(lifecycle_reload_at(&lc, a), MSEC_NEVER);
}

static void test_failure_a_kept_instance_is_not_loaded_again_in_its_back_off(void **state) {
    (void)state;
    clock_to(200 * 1000);
    int a = make_explicit(A);
    clock_to(300 * 1000);
    ask(A);
    exited(a); /* at its first use */
    assert_int_equal(lifecycle_reload_at(&lc, a), 301 * 1000);
}

static void
test_failure_a_kept_instance_that_never_serves_comes_back_once_a_minute(void **state) {
    (void)state;
    clock_to(7000);
    int a = make_explicit(A);
    clock_to(8000);
    exited(a);
    assert_int_equal(lifecycle_reload_at(&lc, a), 7000 + LC_RELOAD_PAUSE);
}

static void test_failure_nothing_is_loaded_again_in_a_shutdown(void **state) {
    (void)state;
    int a = make_explicit(A);
    ask(A); /* runs on in the shutdown's patience */
    shut_down();
    exited(a);
    assert_int_equal(lifecycle_reload_at(&lc, a), MSEC_NEVER);
}

static void test_failure_intent_ends_by_unload(void **state) {
    (void)state;
    int a = make_explicit(A);
    exited(a);
    unload(a);
    assert_int_equal(count(LC_DO_FREE), 1);
    ask(A);
    assert_int_equal(lc.slots[lifecycle_find(&lc, A)].origin, LC_ORIGIN_JIT);
}

static void test_failure_intent_ends_with_its_ttl(void **state) {
    (void)state;
    uint64_t r = load_ttl(A, 5000);
    int a = lifecycle_find(&lc, A);
    ready(a);
    assert_int_equal(fate(r), LOADED);
    exited(a);
    assert_int_equal(lifecycle_deadline(&lc), 5000);
    pass(4999);
    assert_int_equal(total(LC_DO_FREE), 0);
    pass(1);
    assert_int_equal(total(LC_DO_FREE), 1);
}

static void test_failure_intent_ends_with_the_shutdown(void **state) {
    (void)state;
    exited(make_explicit(A));
    shut_down();
    assert_int_equal(total(LC_DO_FREE), 1);
    assert_int_equal(total(LC_DO_FINISHED), 1);
}

static void test_failure_a_load_of_what_died_takes_its_place(void **state) {
    (void)state;
    int a = make_explicit(A);
    exited(a);
    plan.settings = 7;
    uint64_t r = load_ttl(A, 9000);
    assert_int_equal(state_of(a), LC_LOADING);
    ready(a);
    assert_int_equal(fate(r), LOADED);
    assert_int_equal(lc.slots[a].plan.settings, 7);
    assert_int_equal(lc.slots[a].ttl, 9000);
    assert_int_equal(total(LC_DO_ASSIGN), 1);
}

static void test_failure_a_first_load_that_fails_leaves_no_intent(void **state) {
    (void)state;
    load(A);
    load_failed(0);
    exited(0);
    pass(1000);
    ask(A);
    assert_int_equal(lc.slots[lifecycle_find(&lc, A)].origin, LC_ORIGIN_JIT);
}

static void test_failure_died_after_the_client_went(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    cancel(r);
    exited(a);
    assert_int_equal(failure(r), LC_FAIL_DIED); /* so that nobody remembers it for ever */
    assert_int_equal(lc.request_count, 0);
}

/* The lid was closed, or the process stopped: nobody could be heard. */
static void test_ttl_9_watchdogs_get_a_fresh_period_after_a_gap(void **state) {
    (void)state;
    int a;
    make_busy(A, &a);
    clock_to(63 * 1000);
    heard(a);
    assert_int_equal(total(LC_DO_KILL), 0);
    clock_to(3 * 3600 * 1000);
    update(a, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN); /* any event: the worker was not heard yet */
    assert_int_equal(total(LC_DO_KILL), 0);
    pass(60 * 1000 - 1);
    assert_int_equal(total(LC_DO_KILL), 0);
    pass(1);
    assert_int_equal(total(LC_DO_KILL), 1);
}

static void test_ttl_9_a_load_and_a_stop_get_a_fresh_period_too(void **state) {
    (void)state;
    int a = make_idle(A);
    unload(a);
    ask(B);
    int b = lifecycle_find(&lc, B);
    clock_to(600 * 1000);
    set_budget(UINT64_MAX);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(total(LC_DO_KILL), 0);
    exited(a);
    assert_int_equal(state_of(b), LC_LOADING);
}

static void test_ttl_9_hours_asleep_are_idle_hours(void **state) {
    (void)state;
    int a = make_idle(A);

    clock_to(3600 * 1000);
    set_budget(UINT64_MAX);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_TTL);
}

static void test_failure_dying_at_the_first_use_counts_as_a_failed_load(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    exited(a);
    assert_int_equal(failure(r), LC_FAIL_DIED);
    assert_int_equal(failure(ask(A)), LC_FAIL_BACK_OFF);
}

static void test_failure_dying_later_has_no_back_off(void **state) {
    (void)state;
    int a;
    done(make_busy(A, &a));
    ask(A);
    exited(a);
    assert_int_equal(fate(ask(A)), HELD);
}

static void test_failure_another_file_ends_the_back_off(void **state) {
    (void)state;
    plan.file = 7;
    ask(A);
    load_failed(0);
    exited(0);
    assert_int_equal(failure(ask(A)), LC_FAIL_BACK_OFF);
    plan.file = 8;
    assert_int_equal(fate(ask(A)), HELD);
    assert_int_equal(total(LC_DO_SPAWN), 2);
}

int failure_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_failure_a_failed_load_answers_every_waiter, world_reset),
        cmocka_unit_test_setup(test_failure_back_off_refuses_and_says_until_when, world_reset),
        cmocka_unit_test_setup(test_failure_back_off_doubles_to_a_minute, world_reset),
        cmocka_unit_test_setup(test_failure_back_off_is_reset_by_a_success, world_reset),
        cmocka_unit_test_setup(test_failure_back_off_is_reset_by_another_instance, world_reset),
        cmocka_unit_test_setup(test_failure_an_explicit_load_ignores_the_back_off, world_reset),
        cmocka_unit_test_setup(test_failure_an_explicit_load_takes_a_new_name, world_reset),
        cmocka_unit_test_setup(test_failure_a_load_that_stalls_is_killed, world_reset),
        cmocka_unit_test_setup(test_failure_a_worker_that_hangs_is_killed_once, world_reset),
        cmocka_unit_test_setup(test_failure_done_is_a_sign_of_life, world_reset),
        cmocka_unit_test_setup(test_failure_an_idle_worker_may_be_silent, world_reset),
        cmocka_unit_test_setup(test_failure_a_drained_worker_may_hang_too, world_reset),
        cmocka_unit_test_setup(
            test_failure_died_running_ones_fail_waiting_ones_get_a_new_worker, world_reset),
        cmocka_unit_test_setup(test_failure_died_explicit_stays_explicit, world_reset),
        cmocka_unit_test_setup(test_failure_died_twice_is_an_error, world_reset),
        cmocka_unit_test_setup(test_failure_died_twice_after_loads_that_worked, world_reset),
        cmocka_unit_test_setup(test_failure_died_behind_the_gate_is_no_loss, world_reset),
        cmocka_unit_test_setup(test_failure_a_jit_one_that_died_idle_is_forgotten, world_reset),
        cmocka_unit_test_setup(test_failure_intent_outlives_the_worker, world_reset),
        cmocka_unit_test_setup(test_failure_intent_outlives_a_failed_reload, world_reset),
        cmocka_unit_test_setup(test_failure_intent_is_not_replanned_by_a_request, world_reset),
        cmocka_unit_test_setup(test_failure_intent_needs_no_jit, world_reset),
        cmocka_unit_test_setup(test_failure_a_kept_instance_may_be_loaded_again_at_once,
                               world_reset),
        cmocka_unit_test_setup(test_failure_a_kept_instance_is_not_loaded_again_in_its_back_off,
                               world_reset),
        cmocka_unit_test_setup(
            test_failure_a_kept_instance_that_never_serves_comes_back_once_a_minute,
            world_reset),
        cmocka_unit_test_setup(test_failure_nothing_is_loaded_again_in_a_shutdown, world_reset),
        cmocka_unit_test_setup(test_failure_intent_ends_by_unload, world_reset),
        cmocka_unit_test_setup(test_failure_intent_ends_with_its_ttl, world_reset),
        cmocka_unit_test_setup(test_failure_intent_ends_with_the_shutdown, world_reset),
        cmocka_unit_test_setup(test_failure_a_load_of_what_died_takes_its_place, world_reset),
        cmocka_unit_test_setup(test_failure_a_first_load_that_fails_leaves_no_intent,
                               world_reset),
        cmocka_unit_test_setup(test_failure_died_after_the_client_went, world_reset),
        cmocka_unit_test_setup(test_ttl_9_watchdogs_get_a_fresh_period_after_a_gap,
                               world_reset),
        cmocka_unit_test_setup(test_ttl_9_a_load_and_a_stop_get_a_fresh_period_too,
                               world_reset),
        cmocka_unit_test_setup(test_ttl_9_hours_asleep_are_idle_hours, world_reset),
        cmocka_unit_test_setup(test_failure_dying_at_the_first_use_counts_as_a_failed_load,
                               world_reset),
        cmocka_unit_test_setup(test_failure_dying_later_has_no_back_off, world_reset),
        cmocka_unit_test_setup(test_failure_another_file_ends_the_back_off, world_reset),
    };
    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
