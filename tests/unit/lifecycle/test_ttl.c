/* SPDX-License-Identifier: MIT */
#include "world.h"

static void ttl_update(enum lc_ttl_update mode) {
    struct lc_settings settings = lc.settings;

    settings.ttl_update = mode;
    configure(settings);
}

static void test_ttl_1_defaults_by_origin(void **state) {
    (void)state;
    int jit = make_idle(A), explicit = make_explicit(B);

    assert_int_equal(lc.slots[jit].ttl, 3600 * 1000);
    assert_true(lc.slots[explicit].ttl == MSEC_NEVER);
    assert_true(lifecycle_view(&lc, explicit).expires == MSEC_NEVER);
}

static void test_ttl_1_default_may_be_none(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;

    settings.default_ttl = MSEC_NEVER;
    configure(settings);
    int slot = make_idle(A);
    assert_true(lifecycle_view(&lc, slot).expires == MSEC_NEVER);
    assert_true(lifecycle_deadline(&lc) == MSEC_NEVER);
}

static void test_ttl_1_a_new_default_counts_for_new_loads_only(void **state) {
    (void)state;
    int slot = make_idle(A);
    struct lc_settings settings = lc.settings;

    settings.default_ttl = 5;
    configure(settings);
    pass(100);
    assert_int_equal(state_of(slot), LC_IDLE);
}

static void test_ttl_3_the_loading_request_sets_it(void **state) {
    (void)state;
    ask_ttl(A, 5000);
    assert_int_equal(lc.slots[0].ttl, 5000);
}

static void test_ttl_3_a_later_request_replaces_it(void **state) {
    (void)state;
    uint64_t a = ask_ttl(A, 5000);

    ask_ttl(A, 7000);
    assert_int_equal(lc.slots[0].ttl, 7000);
    ready(0);
    ask_ttl(A, 8000);
    assert_int_equal(lc.slots[0].ttl, 8000);
    done(a);
    ask(A);
    assert_int_equal(lc.slots[0].ttl, 8000);
    ask_kind(A, LC_KIND_LIGHT, MSEC_NEVER);
    assert_true(lc.slots[0].ttl == MSEC_NEVER);
}

static void test_ttl_3_ttl_update_ignore_keeps_it(void **state) {
    (void)state;
    ttl_update(LC_TTL_IGNORE);
    ask_ttl(A, 5000);
    ask_ttl(A, 7000);
    ready(0);
    ask_ttl(A, 8000);
    assert_int_equal(lc.slots[0].ttl, 5000);
}

static void test_ttl_3_an_explicit_instance_keeps_its_own(void **state) {
    (void)state;
    load_ttl(A, 9000);
    ask_ttl(A, 1000);
    ready(0);
    done(ask_ttl(A, 2000));
    assert_int_equal(lc.slots[0].ttl, 9000);
}

static void test_ttl_3_get_or_load_never_changes_it(void **state) {
    (void)state;
    int slot;
    uint64_t r = make_busy(A, &slot);

    assert_int_equal(fate(ask_kind(A, LC_KIND_GET_OR_LOAD, 1000)), LOADED);
    assert_int_equal(lc.slots[slot].ttl, 3600 * 1000);
    done(r);
    ask_kind(B, LC_KIND_GET_OR_LOAD, 1000);
    exited(slot);
    int other = lifecycle_find(&lc, B);
    assert_int_equal(lc.slots[other].ttl, 1000); /* but sets it by causing a load */
    ask_kind(B, LC_KIND_GET_OR_LOAD, 2000);
    assert_int_equal(lc.slots[other].ttl, 1000);
}

static void test_ttl_3_counts_for_the_fresh_load_while_leaving(void **state) {
    (void)state;
    int slot = make_idle(A);

    unload(slot);
    ask_ttl(A, 5000);
    ask(A);
    exited(slot);
    assert_int_equal(lc.slots[slot].ttl, 5000);
    ask_ttl(A, 6000);
    assert_int_equal(lc.slots[slot].ttl, 6000);
}

static void test_ttl_3_first_waiter_of_a_fresh_load_causes_it(void **state) {
    (void)state;
    int slot = make_idle(A);

    ttl_update(LC_TTL_IGNORE);
    unload(slot);
    ask(A);
    ask_ttl(A, 5000);
    exited(slot);
    assert_int_equal(lc.slots[slot].ttl, 3600 * 1000);
}

static void test_ttl_3_a_request_counts_once(void **state) {
    (void)state;
    plan.parallel = 1;
    uint64_t r = ask(A), held = ask_ttl(A, 5000);

    ready(0);
    update(0, LC_ORIGIN_JIT, 9000);
    exited(0); /* the held one waits for a new worker, with the ttl that was tuned since */
    assert_int_equal(failure(r), LC_FAIL_DIED);
    assert_int_equal(fate(held), HELD);
    assert_int_equal(lc.slots[0].ttl, 9000);
}

static void test_ttl_4_the_clock_starts_when_the_last_request_ends(void **state) {
    (void)state;
    uint64_t a = ask_ttl(A, 1000), b = ask(A);

    ready(0);
    clock_to(10 * 1000);
    heard(0);
    done(a);
    clock_to(20 * 1000);
    heard(0);
    assert_int_equal(state_of(0), LC_BUSY);
    done(b);
    assert_int_equal(lifecycle_view(&lc, 0).expires, 21 * 1000);
}

static void test_ttl_4_a_stream_may_be_longer_than_its_ttl(void **state) {
    (void)state;
    uint64_t r = ask_ttl(A, 1000);

    ready(0);
    for (int i = 1; i < 100; i++) {
        clock_to(i * 30 * 1000);
        heard(0);
    }
    assert_int_equal(state_of(0), LC_BUSY);
    done(r);
    assert_int_equal(state_of(0), LC_IDLE);
}

static void test_ttl_4_the_clock_starts_when_a_load_without_request_ends(void **state) {
    (void)state;
    ask_kind(A, LC_KIND_GET_OR_LOAD, 1000);
    clock_to(40 * 1000);
    ready(0);
    assert_int_equal(lifecycle_view(&lc, 0).expires, 41 * 1000);
}

static void test_ttl_4_the_clock_starts_when_a_client_goes(void **state) {
    (void)state;
    uint64_t r = ask_ttl(A, 1000);

    ready(0);
    clock_to(500);
    cancel(r);
    assert_true(lifecycle_view(&lc, 0).expires == MSEC_NEVER);
    clock_to(600);
    done(r);
    assert_int_equal(lifecycle_view(&lc, 0).expires, 1600);
}

static void test_ttl_4_a_new_request_starts_it_anew(void **state) {
    (void)state;
    uint64_t r = ask_ttl(A, 1000);

    ready(0);
    done(r);
    clock_to(900);
    r = ask(A);
    pass(5000);
    assert_int_equal(state_of(0), LC_BUSY);
    done(r);
    pass(999);
    assert_int_equal(state_of(0), LC_IDLE);
    pass(1);
    assert_int_equal(state_of(0), LC_UNLOADING);
}

static void test_ttl_5_unloaded_at_the_deadline_never_before(void **state) {
    (void)state;
    uint64_t r = ask_ttl(A, 1000);

    ready(0);
    clock_to(50);
    done(r);
    assert_int_equal(lifecycle_deadline(&lc), 1050);
    pass(999);
    assert_int_equal(state_of(0), LC_IDLE);
    pass(1);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(last_reason(0), LC_BECAUSE_TTL);
    assert_int_equal(count(LC_DO_STOP), 1);
    exited(0);
    assert_int_equal(last_reason(0), LC_BECAUSE_EXITED);
    assert_int_equal(count(LC_DO_FREE), 1);
    assert_true(lifecycle_deadline(&lc) == MSEC_NEVER);
}

/* The difference is how late it was. */
static void test_ttl_5_the_report_says_when_it_was_due(void **state) {
    (void)state;
    uint64_t r = ask_ttl(A, 1000);

    ready(0);
    clock_to(50);
    done(r);
    clock_to(1077); /* the tick of 1050 never came */
    heard(0);
    assert_int_equal(last_reason(0), LC_BECAUSE_TTL);
    assert_int_equal(last_due(0), 1050);
    exited(0);
    assert_int_equal(last_due(0), 0);
}

static void test_ttl_6_a_request_while_leaving_gets_a_fresh_load(void **state) {
    (void)state;
    uint64_t r = ask_ttl(A, 1000);

    ready(0);
    done(r);
    pass(1000);
    r = ask(A);
    assert_int_equal(fate(r), HELD);
    assert_int_equal(count(LC_DO_SPAWN), 0);
    exited(0);
    assert_int_equal(count(LC_DO_SPAWN), 1);
    assert_int_equal(total(LC_DO_FREE), 0);
    ready(0);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(lc.slots[0].origin, LC_ORIGIN_JIT);
    assert_int_equal(lc.slots[0].ttl, 3600 * 1000);
}

static void test_ttl_6_the_fresh_load_is_planned_anew(void **state) {
    (void)state;
    int slot = make_idle(A);

    unload(slot);
    plan.need = 200;
    plan.settings = 2;
    ask(A);
    assert_int_equal(lc.slots[slot].bytes, 100);
    exited(slot);
    assert_int_equal(lc.slots[slot].plan.settings, 2);
    assert_int_equal(lc.slots[slot].bytes, 200);
}

static void test_ttl_6_an_explicit_one_comes_back_as_jit(void **state) {
    (void)state;
    int slot = make_explicit(A);

    unload(slot);
    ask(A);
    exited(slot);
    assert_int_equal(lc.slots[slot].origin, LC_ORIGIN_JIT);
    assert_int_equal(lc.slots[slot].ttl, 3600 * 1000);
}

static void test_ttl_7_zero_unloads_as_soon_as_idle(void **state) {
    (void)state;
    uint64_t r = ask_ttl(A, 0);

    ready(0);
    assert_int_equal(state_of(0), LC_BUSY);
    done(r);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(last_reason(0), LC_BECAUSE_TTL);
}

static void test_ttl_7_the_longest_does_not_overflow(void **state) {
    (void)state;
    clock_to(MSEC_NEVER - LC_TTL_MAX);
    uint64_t r = ask_ttl(A, LC_TTL_MAX);

    ready(0);
    done(r);
    assert_int_equal(state_of(0), LC_IDLE);
    assert_true(lifecycle_deadline(&lc) == MSEC_NEVER);
}

static void test_ttl_update_follows_the_idle_clock(void **state) {
    (void)state;
    int slot = make_idle(A);

    clock_to(5000);
    update(slot, LC_ORIGIN_JIT, 8000);
    assert_int_equal(lifecycle_view(&lc, slot).expires, 8000);
    update(slot, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN);
    assert_int_equal(lifecycle_view(&lc, slot).expires, 8000);
    update(slot, LC_ORIGIN_EXPLICIT, MSEC_NEVER);
    assert_true(lifecycle_view(&lc, slot).expires == MSEC_NEVER);
    assert_int_equal(lc.slots[slot].origin, LC_ORIGIN_EXPLICIT);
    update(slot, LC_ORIGIN_EXPLICIT, 5000);
    assert_int_equal(state_of(slot), LC_UNLOADING);
    update(slot, LC_ORIGIN_JIT, 7);
    assert_int_equal(lc.slots[slot].origin, LC_ORIGIN_EXPLICIT);
}

static void test_ttl_tick_before_the_deadline_changes_nothing(void **state) {
    (void)state;
    make_idle(A);
    struct lifecycle before = lc;

    pass(1000);
    assert_int_equal(acts.count, 0);
    assert_memory_equal(before.slots, lc.slots, sizeof before.slots);
}

static void test_ttl_3_the_models_ttl_goes_before_the_default(void **state) {
    (void)state;
    plan.ttl = 7000;
    int a = make_idle(A);

    assert_int_equal(lc.slots[a].ttl, 7000);
    uint64_t r = ask_ttl(B, 100);
    exited(a);
    ready(lifecycle_find(&lc, B));
    done(r);
    assert_int_equal(lc.slots[lifecycle_find(&lc, B)].ttl, 100);
}

static void test_ttl_3_max_ttl_caps_what_a_request_asks_for(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;

    settings.max_ttl = 60000;
    configure(settings);
    uint64_t r = ask_ttl(A, MSEC_NEVER);
    ready(0);
    done(r);
    assert_int_equal(lc.slots[0].ttl, 60000);
    assert_int_equal(lc.slots[make_explicit(B)].ttl, MSEC_NEVER); /* by hand: anything */
}

static void test_ttl_3_longest_the_largest_that_still_lives_holds(void **state) {
    (void)state;
    ttl_update(LC_TTL_LONGEST);
    uint64_t longest = ask_ttl(A, 50000), brief = ask_ttl(A, 1000);

    ready(0);
    done(longest);
    pass(10000);
    done(brief);
    assert_int_equal(lc.slots[0].ttl, 40000);
    uint64_t later = ask_ttl(A, 1000);
    pass(39500);
    done(later);
    assert_int_equal(lc.slots[0].ttl, 1000); /* the long one's 50 s are over in 500 ms */
}

static void test_ttl_3_longest_zero_unloads_only_when_no_other_lives(void **state) {
    (void)state;
    ttl_update(LC_TTL_LONGEST);
    uint64_t first = ask_ttl(A, 5000);

    ready(0);
    done(first);
    pass(1000);
    done(ask_ttl(A, 0));
    assert_int_equal(state_of(0), LC_IDLE);
    assert_int_equal(lifecycle_deadline(&lc), 5000);
    pass(4000);
    assert_int_equal(state_of(0), LC_UNLOADING);
}

static void test_ttl_3_longest_zero_alone_unloads_at_once(void **state) {
    (void)state;
    ttl_update(LC_TTL_LONGEST);
    uint64_t r = ask_ttl(A, 0);

    ready(0);
    done(r);
    assert_int_equal(state_of(0), LC_UNLOADING);
}

static void test_ttl_3_longest_a_ttl_by_hand_is_not_undone(void **state) {
    (void)state;
    ttl_update(LC_TTL_LONGEST);
    uint64_t r = ask_ttl(A, 50000);

    ready(0);
    update(0, LC_ORIGIN_JIT, 2000);
    done(r);
    assert_int_equal(lc.slots[0].ttl, 2000);
}

static void test_ttl_1_explicit_ttl_is_for_loads_that_say_none(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;

    settings.explicit_ttl = 9000;
    configure(settings);
    assert_int_equal(lc.slots[make_explicit(A)].ttl, 9000);
    uint64_t r = load_ttl(B, 100);
    ready(lifecycle_find(&lc, B));
    assert_int_equal(fate(r), LOADED);
    assert_int_equal(lc.slots[lifecycle_find(&lc, B)].ttl, 100);
}

static void test_ttl_10_pinning_clears_the_ttl(void **state) {
    (void)state;
    int a = make_idle(A);

    update(a, LC_ORIGIN_EXPLICIT, LC_TTL_NOT_GIVEN);
    assert_int_equal(lc.slots[a].ttl, MSEC_NEVER);
    update(a, LC_ORIGIN_EXPLICIT, 4000);
    update(a, LC_ORIGIN_EXPLICIT, LC_TTL_NOT_GIVEN); /* pinned already: no change */
    assert_int_equal(lc.slots[a].ttl, 4000);
}

/* Its gate opens again: the ttls of what was queued have counted already. */
static void test_ttl_3_a_called_off_eviction_changes_no_ttl(void **state) {
    (void)state;
    ask(A);
    ready_with(0, 100, 1);
    uint64_t queued = ask_ttl(A, 30000);
    ask_ttl(A, 500);
    assert_int_equal(lc.slots[0].ttl, 500);
    uint64_t waiter = ask(B);
    pass(1000);
    assert_int_equal(state_of(0), LC_DRAINING);
    ask_ttl(A, 700); /* this one has not */
    cancel(waiter);
    assert_int_equal(state_of(0), LC_BUSY);
    assert_int_equal(lc.slots[0].ttl, 700);
    assert_int_equal(fate(queued), HELD);
}

/* ... but for the load after an eviction they count again, and the first of them says it. */
static void test_ttl_3_what_was_queued_sets_the_ttl_of_the_next_load(void **state) {
    (void)state;
    uint64_t first = ask(A);
    ready_with(0, 100, 1);
    ask_ttl(A, 30000);
    uint64_t waiter = ask(B);
    pass(1000);
    done(first);
    exited(0);
    ready(1);
    done(waiter);
    pass(1000);
    exited(1);
    ready(0);
    assert_int_equal(lc.slots[0].ttl, 30000);
}

int ttl_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ttl_1_defaults_by_origin, world_reset),
        cmocka_unit_test_setup(test_ttl_1_default_may_be_none, world_reset),
        cmocka_unit_test_setup(test_ttl_1_a_new_default_counts_for_new_loads_only, world_reset),
        cmocka_unit_test_setup(test_ttl_3_the_loading_request_sets_it, world_reset),
        cmocka_unit_test_setup(test_ttl_3_a_later_request_replaces_it, world_reset),
        cmocka_unit_test_setup(test_ttl_3_ttl_update_ignore_keeps_it, world_reset),
        cmocka_unit_test_setup(test_ttl_3_an_explicit_instance_keeps_its_own, world_reset),
        cmocka_unit_test_setup(test_ttl_3_get_or_load_never_changes_it, world_reset),
        cmocka_unit_test_setup(test_ttl_3_counts_for_the_fresh_load_while_leaving, world_reset),
        cmocka_unit_test_setup(test_ttl_3_first_waiter_of_a_fresh_load_causes_it, world_reset),
        cmocka_unit_test_setup(test_ttl_3_a_request_counts_once, world_reset),
        cmocka_unit_test_setup(test_ttl_4_the_clock_starts_when_the_last_request_ends,
                               world_reset),
        cmocka_unit_test_setup(test_ttl_4_a_stream_may_be_longer_than_its_ttl, world_reset),
        cmocka_unit_test_setup(test_ttl_4_the_clock_starts_when_a_load_without_request_ends,
                               world_reset),
        cmocka_unit_test_setup(test_ttl_4_the_clock_starts_when_a_client_goes, world_reset),
        cmocka_unit_test_setup(test_ttl_4_a_new_request_starts_it_anew, world_reset),
        cmocka_unit_test_setup(test_ttl_5_unloaded_at_the_deadline_never_before, world_reset),
        cmocka_unit_test_setup(test_ttl_5_the_report_says_when_it_was_due, world_reset),
        cmocka_unit_test_setup(test_ttl_6_a_request_while_leaving_gets_a_fresh_load,
                               world_reset),
        cmocka_unit_test_setup(test_ttl_6_the_fresh_load_is_planned_anew, world_reset),
        cmocka_unit_test_setup(test_ttl_6_an_explicit_one_comes_back_as_jit, world_reset),
        cmocka_unit_test_setup(test_ttl_7_zero_unloads_as_soon_as_idle, world_reset),
        cmocka_unit_test_setup(test_ttl_7_the_longest_does_not_overflow, world_reset),
        cmocka_unit_test_setup(test_ttl_update_follows_the_idle_clock, world_reset),
        cmocka_unit_test_setup(test_ttl_tick_before_the_deadline_changes_nothing, world_reset),
        cmocka_unit_test_setup(test_ttl_3_the_models_ttl_goes_before_the_default, world_reset),
        cmocka_unit_test_setup(test_ttl_3_max_ttl_caps_what_a_request_asks_for, world_reset),
        cmocka_unit_test_setup(test_ttl_3_longest_the_largest_that_still_lives_holds,
                               world_reset),
        cmocka_unit_test_setup(test_ttl_3_longest_zero_unloads_only_when_no_other_lives,
                               world_reset),
        cmocka_unit_test_setup(test_ttl_3_longest_zero_alone_unloads_at_once, world_reset),
        cmocka_unit_test_setup(test_ttl_3_longest_a_ttl_by_hand_is_not_undone, world_reset),
        cmocka_unit_test_setup(test_ttl_1_explicit_ttl_is_for_loads_that_say_none, world_reset),
        cmocka_unit_test_setup(test_ttl_10_pinning_clears_the_ttl, world_reset),
        cmocka_unit_test_setup(test_ttl_3_a_called_off_eviction_changes_no_ttl, world_reset),
        cmocka_unit_test_setup(test_ttl_3_what_was_queued_sets_the_ttl_of_the_next_load,
                               world_reset),
    };
    return cmocka_run_group_tests_name("ttl", tests, NULL, NULL);
}
