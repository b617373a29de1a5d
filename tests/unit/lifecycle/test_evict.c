/* SPDX-License-Identifier: MIT */
#include "world.h"

static void test_evict_1_the_load_waits_until_the_other_is_gone(void **state) {
    (void)state;
    int a = make_idle(A);
    uint64_t r = ask(B);
    int b = lifecycle_find(&lc, B);

    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_EVICTED);
    assert_int_equal(last_by(a), b);
    assert_int_equal(state_of(b), LC_ABSENT);
    assert_int_equal(count(LC_DO_SPAWN), 0);
    exited(a);
    assert_int_equal(state_of(b), LC_LOADING);
    ready(b);
    assert_int_equal(fate(r), STARTED);
}

static void test_evict_1_every_other_jit_instance_goes(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    int a = make_idle(A), b = make_idle(B);

    set_mode(LC_EVICT_ON);
    assert_int_equal(state_of(a), LC_IDLE); /* a mode counts from the next load on */
    ask(C);
    int c = lifecycle_find(&lc, C);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(state_of(b), LC_UNLOADING);
    exited(a);
    assert_int_equal(state_of(c), LC_ABSENT);
    exited(b);
    assert_int_equal(state_of(c), LC_LOADING);
}

static void test_evict_2_explicit_ones_stay_and_need_no_place(void **state) {
    (void)state;
    int a = make_explicit(A), b = make_explicit(B), c = make_idle(C);

    ask(D);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(b), LC_IDLE);
    assert_int_equal(state_of(c), LC_UNLOADING);
}

static void test_evict_2_an_explicit_load_evicts_nothing(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    make_explicit(B);
    assert_int_equal(state_of(a), LC_BUSY);
    pass(5000);
    assert_int_equal(state_of(a), LC_BUSY);
}

static void test_evict_2_an_explicit_load_overtakes_the_line(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    ask(B);
    load(C);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_LOADING);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_ABSENT);
}

static void test_evict_3_off_evicts_nothing(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    int a = make_idle(A), b = make_idle(B), c = make_idle(C);

    pass(60 * 1000);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(b), LC_IDLE);
    assert_int_equal(state_of(c), LC_IDLE);
    assert_int_equal(total(LC_DO_STOP), 0);
}

static void test_evict_5_a_busy_victim_is_drained_not_killed(void **state) {
    (void)state;
    plan.parallel = 2;
    int a;
    uint64_t r = make_busy(A, &a), second = ask(A);

    ask(B);
    pass(1000);
    assert_int_equal(state_of(a), LC_DRAINING);
    assert_int_equal(count(LC_DO_STOP), 0);
    done(r);
    assert_int_equal(state_of(a), LC_DRAINING);
    done(second);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_EVICTED);
    assert_int_equal(last_by(a), lifecycle_find(&lc, B));
    assert_int_equal(total(LC_DO_KILL), 0);
}

static void test_evict_6_only_running_answers_drain(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    uint64_t running = make_busy(A, &a), older[20], newer[20];

    for (int i = 0; i < 20; i++) older[i] = ask(A);
    uint64_t waiter = ask(B);
    int b = lifecycle_find(&lc, B);
    for (int i = 0; i < 20; i++) newer[i] = ask(A);
    pass(1000);
    done(running);
    assert_int_equal(state_of(a), LC_UNLOADING);
    exited(a);
    assert_int_equal(state_of(b), LC_LOADING);
    ready(b);
    assert_int_equal(fate(waiter), STARTED);
    pass(1000);
    done(waiter);
    exited(b);
    ready(lifecycle_find(&lc, A));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fate(older[i]), STARTED);
        done(older[i]);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fate(newer[i]), STARTED);
        done(newer[i]);
    }
}

static void test_evict_6_what_goes_behind_the_waiter_keeps_its_ttl(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    uint64_t running = make_busy(A, &a), queued = ask_ttl(A, 7000), waiter = ask(B);

    pass(1000);
    done(running);
    exited(a);
    ready(lifecycle_find(&lc, B));
    done(waiter);
    pass(1000);
    exited(lifecycle_find(&lc, B));
    a = lifecycle_find(&lc, A);
    ready(a);
    done(queued);
    assert_int_equal(lc.slots[a].ttl, 7000);
}

static void test_evict_6_a_load_serves_what_waited_for_it(void **state) {
    (void)state;
    plan.parallel = 1;
    make_idle(A);
    uint64_t first = ask(B), second = ask(B), other = ask(C);

    exited(lifecycle_find(&lc, A));
    int b = lifecycle_find(&lc, B);
    pass(2000);
    ready(b);
    assert_int_equal(state_of(b), LC_DRAINING);
    assert_int_equal(fate(first), STARTED);
    done(first);
    assert_int_equal(fate(second), STARTED);
    done(second);
    assert_int_equal(state_of(b), LC_UNLOADING);
    assert_int_equal(fate(other), HELD);
}

static void test_evict_6_a_waiter_that_came_after_the_load_is_not_held_up_by_it(void **state) {
    (void)state;
    plan.parallel = 1;
    uint64_t first = ask(A), second = ask(A);
    int a = lifecycle_find(&lc, A);

    ready(a);
    clock_to(1);
    ask(B);
    pass(1000);
    assert_int_equal(state_of(a), LC_DRAINING);
    done(first);
    assert_int_equal(fate(second), HELD);
    assert_int_equal(state_of(a), LC_UNLOADING);
}

static void test_evict_6_the_gate_opens_again_when_the_last_waiter_leaves(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    uint64_t running = make_busy(A, &a), queued = ask(A), waiter = ask(B);

    pass(1000);
    assert_int_equal(state_of(a), LC_DRAINING);
    cancel(waiter);
    assert_int_equal(state_of(a), LC_BUSY);
    assert_int_equal(last_reason(a), LC_BECAUSE_RECALLED);
    done(running);
    assert_int_equal(fate(queued), STARTED);
    assert_int_equal(total(LC_DO_STOP), 0);
}

static void test_evict_6_loads_are_answered_when_the_gate_opens_again(void **state) {
    (void)state;
    int a;
    make_busy(A, &a);
    uint64_t waiter = ask(B);

    pass(1000);
    uint64_t pin = load(A), get = ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);
    assert_int_equal(fate(pin), HELD);
    cancel(waiter);
    assert_int_equal(fate(pin), LOADED);
    assert_int_equal(fate(get), LOADED);
    assert_false(answer(pin)->fresh);
    assert_int_equal(lc.slots[a].origin, LC_ORIGIN_EXPLICIT);
    assert_int_equal(lc.slots[a].ttl, MSEC_NEVER);
}

static void test_evict_6_the_victim_lets_in_within_the_window_only(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    clock_to(100);
    ask(B);
    assert_int_equal(lifecycle_deadline(&lc), 1100);
    clock_to(1099);
    uint64_t within = ask(A);
    assert_int_equal(fate(within), STARTED);
    clock_to(1100);
    uint64_t after = ask(A); /* no tick was needed to close the gate */
    assert_int_equal(fate(after), HELD);
    assert_int_equal(state_of(a), LC_DRAINING);
    done(r);
    done(within);
    exited(a);
    int b = lifecycle_find(&lc, B);
    assert_int_equal(state_of(b), LC_LOADING);
    assert_int_equal(state_of(a), LC_ABSENT);
    assert_int_equal(fate(after), HELD);
}

static void test_evict_6_the_victim_comes_back_after_the_waiter(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a), s = ask(B);

    pass(1000);
    uint64_t after = ask(A);
    done(r);
    exited(a);
    int b = lifecycle_find(&lc, B);
    pass(5000); /* the window of the one behind has passed; what waits for B is still served */
    uint64_t s2 = ask(B);
    ready(b);
    assert_int_equal(fate(s), STARTED);
    assert_int_equal(fate(s2), STARTED);
    assert_int_equal(state_of(b), LC_DRAINING);
    assert_int_equal(fate(ask(B)), HELD);
    done(s);
    done(s2);
    exited(b);
    assert_int_equal(state_of(a), LC_LOADING);
    ready(a);
    assert_int_equal(fate(after), STARTED);
}

static void test_evict_6_a_victim_that_gets_idle_goes_at_once(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    ask(B);
    clock_to(10);
    done(r);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_EVICTED);
}

static void test_evict_6_steady_traffic_starves_nobody(void **state) {
    (void)state;
    plan.parallel = 2;
    int a;
    uint64_t running = make_busy(A, &a), waiter = ask(B);
    msec t = 0;

    while (state_of(a) != LC_UNLOADING) {
        clock_to(t += 100);
        uint64_t next = ask(A);
        done(running);
        if (fate(next) == STARTED) running = next;
        assert_true(t <= 1100);
    }
    exited(a);
    ready(lifecycle_find(&lc, B));
    assert_int_equal(fate(waiter), STARTED);
}

static void test_evict_6_waiters_are_served_in_order_of_arrival(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a), b = ask(B), c = ask(C), b2 = ask(B);

    done(r);
    exited(a);
    int at_b = lifecycle_find(&lc, B), at_c = lifecycle_find(&lc, C);
    assert_int_equal(state_of(at_b), LC_LOADING);
    assert_int_equal(state_of(at_c), LC_ABSENT);
    ready(at_b);
    assert_int_equal(fate(b), STARTED);
    assert_int_equal(fate(b2), STARTED);
    done(b);
    done(b2);
    assert_int_equal(state_of(at_b), LC_UNLOADING);
    exited(at_b);
    ready(at_c);
    assert_int_equal(fate(c), STARTED);
}

static void test_evict_6_a_loading_victim_serves_first(void **state) {
    (void)state;
    uint64_t a = ask(A), b = ask(B);

    pass(5000);
    assert_int_equal(state_of(0), LC_LOADING);
    uint64_t a2 = ask(A);
    ready(0);
    assert_int_equal(fate(a), STARTED);
    assert_int_equal(fate(a2), STARTED);
    assert_int_equal(state_of(0), LC_DRAINING);
    done(a);
    done(a2);
    exited(0);
    ready(1);
    assert_int_equal(fate(b), STARTED);
}

static void test_evict_6_the_gate_stays_open_when_the_waiter_goes(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    uint64_t b = ask(B);
    clock_to(500);
    cancel(b);
    pass(5000);
    assert_int_equal(state_of(a), LC_BUSY);
    assert_int_equal(fate(ask(A)), STARTED);
}

static void test_evict_6_the_window_is_a_setting(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;
    int a;

    make_busy(A, &a);
    ask(B);
    settings.switch_window = 10;
    clock_to(10);
    configure(settings);
    assert_int_equal(state_of(a), LC_DRAINING);
}

static void test_evict_6_a_pinned_victim_frees_the_waiter(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    ask(B);
    update(a, LC_ORIGIN_EXPLICIT, LC_TTL_NOT_GIVEN);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
    assert_int_equal(state_of(a), LC_BUSY);
}

/* Two clients in closed loops on two models: the victim's client is back within the window. */
static void test_evict_6_a_victim_idle_just_now_has_a_grace(void **state) {
    (void)state;
    uint64_t r = ask(A);
    int a = lifecycle_find(&lc, A);

    pass(400);
    ready(a);
    ask(B);
    done(r);
    assert_int_equal(state_of(a), LC_IDLE);
    pass(399);
    r = ask(A);
    assert_int_equal(fate(r), STARTED);
    done(r);
    pass(399);
    assert_int_equal(state_of(a), LC_IDLE);
    pass(1);
    assert_int_equal(state_of(a), LC_UNLOADING);
}

static void test_evict_6_the_grace_ends_with_the_window(void **state) {
    (void)state;
    uint64_t r = ask(A);
    int a = lifecycle_find(&lc, A);

    pass(5000);
    ready(a);
    ask(B);
    pass(600);
    done(r);
    pass(399);
    assert_int_equal(state_of(a), LC_IDLE);
    pass(1);
    assert_int_equal(state_of(a), LC_UNLOADING);
}

static void test_evict_1_jit_limit_keeps_the_recently_used(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;

    settings.jit_limit = 2;
    configure(settings);
    int a = make_idle(A);
    pass(10);
    int b = make_idle(B);
    pass(10);
    ask(C);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(state_of(b), LC_IDLE);
    exited(a);
    assert_int_equal(state_of(lifecycle_find(&lc, C)), LC_LOADING);
}

static void test_evict_1_a_lower_jit_limit_counts_from_the_next_load(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;

    settings.jit_limit = 3;
    configure(settings);
    int a = make_idle(A), b = make_idle(B), c = make_idle(C);
    settings.jit_limit = 1;
    configure(settings);
    assert_int_equal(state_of(a), LC_IDLE);
    ask(D);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(state_of(b), LC_UNLOADING);
    assert_int_equal(state_of(c), LC_UNLOADING);
}

static void test_evict_1_per_type_keeps_one_of_each(void **state) {
    (void)state;
    set_mode(LC_EVICT_PER_TYPE);
    int chat = make_idle(A);
    plan.type = LC_TYPE_EMBEDDING;
    int embedder = make_idle(B);

    assert_int_equal(state_of(chat), LC_IDLE);
    ask(C);
    assert_int_equal(state_of(chat), LC_IDLE);
    assert_int_equal(state_of(embedder), LC_UNLOADING);
    assert_int_equal(last_by(embedder), lifecycle_find(&lc, C));
}

static void test_evict_2_short_of_memory_an_explicit_load_evicts_idle_ones(void **state) {
    (void)state;
    int a = make_idle(A);

    set_budget(150);
    uint64_t r = load(B);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_EVICTED);
    exited(a);
    ready(lifecycle_find(&lc, B));
    assert_int_equal(fate(r), LOADED);
}

static void test_evict_2_an_explicit_load_drains_no_busy_one(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    set_budget(150);
    uint64_t r = load(B);
    assert_int_equal(failure(r), LC_FAIL_NO_MEMORY);
    assert_int_equal(state_of(a), LC_BUSY);
}

static void test_evict_unpinned_takes_the_jit_place(void **state) {
    (void)state;
    int pinned = make_explicit(A), idle = make_idle(B);

    update(pinned, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN);
    assert_int_equal(state_of(idle), LC_UNLOADING);
    assert_int_equal(last_by(idle), pinned);
    assert_int_equal(state_of(pinned), LC_IDLE);
    update(pinned, LC_ORIGIN_JIT, 1000);
    assert_int_equal(state_of(pinned), LC_IDLE);
}

static void test_evict_unpinned_drains_a_busy_one_and_a_loading_one(void **state) {
    (void)state;
    int pinned = make_explicit(A);
    uint64_t r = ask(B);
    int other = lifecycle_find(&lc, B);

    update(pinned, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN);
    assert_int_equal(state_of(other), LC_LOADING);
    ready(other);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(state_of(other), LC_DRAINING);
    done(r);
    assert_int_equal(last_by(other), pinned);
}

static void test_evict_unpinned_evicts_nothing_in_other_modes(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    int pinned = make_explicit(A), idle = make_idle(B);

    update(pinned, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN);
    assert_int_equal(state_of(idle), LC_IDLE);
}

static void test_evict_get_or_load_is_a_waiter_too(void **state) {
    (void)state;
    int a = make_idle(A);
    uint64_t r = ask_kind(B, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);

    assert_int_equal(state_of(a), LC_UNLOADING);
    exited(a);
    ready(lifecycle_find(&lc, B));
    assert_int_equal(fate(r), LOADED);
    assert_true(answer(r)->fresh);
    assert_int_equal(lc.slots[lifecycle_find(&lc, B)].origin, LC_ORIGIN_JIT);
}

int evict_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_evict_1_the_load_waits_until_the_other_is_gone,
                               world_reset),
        cmocka_unit_test_setup(test_evict_1_every_other_jit_instance_goes, world_reset),
        cmocka_unit_test_setup(test_evict_2_explicit_ones_stay_and_need_no_place, world_reset),
        cmocka_unit_test_setup(test_evict_2_an_explicit_load_evicts_nothing, world_reset),
        cmocka_unit_test_setup(test_evict_2_an_explicit_load_overtakes_the_line, world_reset),
        cmocka_unit_test_setup(test_evict_3_off_evicts_nothing, world_reset),
        cmocka_unit_test_setup(test_evict_5_a_busy_victim_is_drained_not_killed, world_reset),
        cmocka_unit_test_setup(test_evict_6_only_running_answers_drain, world_reset),
        cmocka_unit_test_setup(test_evict_6_what_goes_behind_the_waiter_keeps_its_ttl,
                               world_reset),
        cmocka_unit_test_setup(test_evict_6_a_load_serves_what_waited_for_it, world_reset),
        cmocka_unit_test_setup(
            test_evict_6_a_waiter_that_came_after_the_load_is_not_held_up_by_it, world_reset),
        cmocka_unit_test_setup(test_evict_6_the_gate_opens_again_when_the_last_waiter_leaves,
                               world_reset),
        cmocka_unit_test_setup(test_evict_6_loads_are_answered_when_the_gate_opens_again,
                               world_reset),
        cmocka_unit_test_setup(test_evict_6_the_victim_lets_in_within_the_window_only,
                               world_reset),
        cmocka_unit_test_setup(test_evict_6_the_victim_comes_back_after_the_waiter,
                               world_reset),
        cmocka_unit_test_setup(test_evict_6_a_victim_that_gets_idle_goes_at_once, world_reset),
        cmocka_unit_test_setup(test_evict_6_steady_traffic_starves_nobody, world_reset),
        cmocka_unit_test_setup(test_evict_6_waiters_are_served_in_order_of_arrival,
                               world_reset),
        cmocka_unit_test_setup(test_evict_6_a_loading_victim_serves_first, world_reset),
        cmocka_unit_test_setup(test_evict_6_the_gate_stays_open_when_the_waiter_goes,
                               world_reset),
        cmocka_unit_test_setup(test_evict_6_the_window_is_a_setting, world_reset),
        cmocka_unit_test_setup(test_evict_6_a_pinned_victim_frees_the_waiter, world_reset),
        cmocka_unit_test_setup(test_evict_6_a_victim_idle_just_now_has_a_grace, world_reset),
        cmocka_unit_test_setup(test_evict_6_the_grace_ends_with_the_window, world_reset),
        cmocka_unit_test_setup(test_evict_1_jit_limit_keeps_the_recently_used, world_reset),
        cmocka_unit_test_setup(test_evict_1_a_lower_jit_limit_counts_from_the_next_load,
                               world_reset),
        cmocka_unit_test_setup(test_evict_1_per_type_keeps_one_of_each, world_reset),
        cmocka_unit_test_setup(test_evict_2_short_of_memory_an_explicit_load_evicts_idle_ones,
                               world_reset),
        cmocka_unit_test_setup(test_evict_2_an_explicit_load_drains_no_busy_one, world_reset),
        cmocka_unit_test_setup(test_evict_unpinned_takes_the_jit_place, world_reset),
        cmocka_unit_test_setup(test_evict_unpinned_drains_a_busy_one_and_a_loading_one,
                               world_reset),
        cmocka_unit_test_setup(test_evict_unpinned_evicts_nothing_in_other_modes, world_reset),
        cmocka_unit_test_setup(test_evict_get_or_load_is_a_waiter_too, world_reset),
    };
    return cmocka_run_group_tests_name("evict", tests, NULL, NULL);
}
