/* SPDX-License-Identifier: MIT */
#include "world.h"

static void test_unload_by_hand_ends_running_requests(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    uint64_t r = make_busy(A, &a), held = ask(A);
    uint32_t generation = lc.slots[a].generation;

    unload(a);
    assert_int_equal(failure(r), LC_FAIL_UNLOADED);
    assert_int_equal(failure(held), LC_FAIL_UNLOADED);
    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_USER);
    assert_int_equal(count(LC_DO_STOP), 1);
    report(LC_EV_DONE, a, generation, r); /* the worker says so late */
    assert_int_equal(acts.count, 0);
    exited(a);
    assert_int_equal(count(LC_DO_FREE), 1);
}

static void test_unload_of_an_explicit_instance_says_so_to_the_end(void **state) {
    (void)state;
    int slot = make_explicit(A);

    unload(slot);
    exited(slot);
    assert_int_equal(state_of(slot), LC_ABSENT);
    assert_int_equal(last_origin(slot), LC_ORIGIN_EXPLICIT);
}

static void test_unload_while_loading(void **state) {
    (void)state;
    uint64_t r = ask(A), l = ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);

    progress(0, 900);
    unload(0);
    assert_int_equal(failure(r), LC_FAIL_UNLOADED);
    assert_int_equal(failure(l), LC_FAIL_UNLOADED);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(last_reason(0), LC_BECAUSE_LOAD_CANCELLED); /* nothing was loaded yet */
    ready(0);                                                    /* too late */
    assert_int_equal(state_of(0), LC_UNLOADING);
}

static void test_unload_while_reloading_ends_the_intent(void **state) {
    (void)state;
    int a = make_explicit(A);

    exited(a);
    ask(A);
    unload(a);
    exited(a);
    assert_int_equal(total(LC_DO_FREE), 1);
    ask(A);
    assert_int_equal(lc.slots[lifecycle_find(&lc, A)].origin, LC_ORIGIN_JIT);
}

static void test_unload_spares_who_waits_behind_the_gate(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a), b = ask(B);

    pass(1000);
    uint64_t behind = ask(A);
    unload(a);
    assert_int_equal(failure(r), LC_FAIL_UNLOADED);
    assert_int_equal(fate(behind), HELD);
    assert_int_equal(last_reason(a), LC_BECAUSE_USER);
    cancel(b);
    exited(a);
    assert_int_equal(state_of(a), LC_LOADING);
}

static void test_unload_of_what_leaves_or_waits_changes_nothing(void **state) {
    (void)state;
    int a = make_idle(A);

    unload(a);
    unload(a);
    assert_int_equal(acts.count, 0);
    ask(B);
    unload(lifecycle_find(&lc, B));
    assert_int_equal(acts.count, 0);
    exited(a);
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
}

static void test_unload_waits_for_the_exit_then_kills_once(void **state) {
    (void)state;
    int a = make_idle(A);

    unload(a);
    assert_int_equal(lifecycle_deadline(&lc), 10 * 1000);
    pass(9999);
    assert_int_equal(total(LC_DO_KILL), 0);
    pass(1);
    assert_int_equal(total(LC_DO_KILL), 1);
    assert_int_equal(state_of(a), LC_UNLOADING);
    pass(60 * 1000);
    assert_int_equal(total(LC_DO_KILL), 1);
    exited(a);
    assert_int_equal(state_of(a), LC_ABSENT);
}

static void test_unload_bytes_count_until_the_exit(void **state) {
    (void)state;
    int a = make_idle(A);

    unload(a);
    assert_int_equal(lc.slots[a].bytes, 100);
    exited(a);
    assert_int_equal(lc.slots[a].bytes, 0);
}

static void test_generation_stale_reports_change_nothing(void **state) {
    (void)state;
    int a = make_idle(A);
    uint32_t old = lc.slots[a].generation;

    unload(a);
    exited(a);
    report(LC_EV_EXITED, a, old, 0); /* twice */
    assert_int_equal(acts.count, 0);
    uint64_t r = ask(A);
    for (int kind = LC_EV_PROGRESS; kind <= LC_EV_EXITED; kind++) {
        report((enum lc_event_kind)kind, a, old, r);
        assert_int_equal(acts.count, 0);
        assert_int_equal(state_of(a), LC_LOADING);
    }
    assert_int_equal(lc.slots[a].generation, old + 1);
}

static void test_generation_stale_orders_change_nothing(void **state) {
    (void)state;
    int a = make_idle(A);
    uint32_t old = lc.slots[a].generation;

    unload(a);
    exited(a);
    assert_int_equal(make_idle(A), a);
    msec ttl = lc.slots[a].ttl;
    report(LC_EV_UNLOAD, a, old, 0);
    assert_int_equal(acts.count, 0);
    report(LC_EV_UPDATE, a, old, 0); /* of the ttl, to 0 */
    assert_int_equal(acts.count, 0);
    assert_true(lc.slots[a].ttl == ttl);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_generation_survives_the_slot(void **state) {
    (void)state;
    int a = make_idle(A);

    unload(a);
    exited(a);
    ask(B);
    assert_int_equal(lc.slots[a].model, B);
    assert_int_equal(lc.slots[a].generation, 2);
}

static void test_worker_reports_that_do_not_fit_change_nothing(void **state) {
    (void)state;
    int a;
    uint64_t r = make_busy(A, &a);

    ready(a);
    load_failed(a);
    progress(a, 10);
    report(LC_EV_DONE, a, lc.slots[a].generation, 999);
    assert_int_equal(state_of(a), LC_BUSY);
    assert_int_equal(lc.request_count, 1);
    set_mode(LC_EVICT_OFF);
    int b = make_idle(B);
    report(LC_EV_DONE, b, lc.slots[b].generation, r); /* not its request */
    assert_int_equal(lc.request_count, 1);
    uint64_t c = ask(C);
    int slot = lifecycle_find(&lc, C);
    report(LC_EV_DONE, slot, lc.slots[slot].generation, c); /* not running yet */
    assert_int_equal(lc.request_count, 2);
    heard(slot);
    assert_int_equal(acts.count, 0);
}

static void test_seen_names_and_views(void **state) {
    (void)state;
    static const char *const states[] = { "absent", "loading",  "idle",
                                          "busy",   "draining", "unloading" };

    for (int i = 0; i < LC_STATE_COUNT; i++)
        assert_string_equal(lc_state_name((enum lc_state)i), states[i]);
    assert_string_equal(lc_reason_name(LC_BECAUSE_TTL), "ttl");
    assert_string_equal(lc_reason_name(LC_BECAUSE_EVICTED), "evicted_by");
    assert_string_equal(lc_reason_name(LC_BECAUSE_USER), "user");
    assert_string_equal(lc_reason_name(LC_BECAUSE_SHUTDOWN), "shutdown");
    assert_string_equal(lc_reason_name(LC_BECAUSE_DIED), "worker_died");
    assert_string_equal(lc_reason_name(LC_BECAUSE_MEMORY), "memory_pressure");
}

static void test_seen_last_used_and_loading_times(void **state) {
    (void)state;
    clock_to(100);
    uint64_t r = ask(A);

    clock_to(400);
    ready(0);
    assert_int_equal(lc.slots[0].loading_since, 100);
    assert_int_equal(lc.slots[0].last_used, 400);
    clock_to(900);
    done(r);
    assert_int_equal(lc.slots[0].last_used, 900);
    clock_to(1000);
    ask(A);
    assert_int_equal(lc.slots[0].last_used, 1000);
}

int unload_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_unload_by_hand_ends_running_requests, world_reset),
        cmocka_unit_test_setup(test_unload_of_an_explicit_instance_says_so_to_the_end,
                               world_reset),
        cmocka_unit_test_setup(test_unload_while_loading, world_reset),
        cmocka_unit_test_setup(test_unload_while_reloading_ends_the_intent, world_reset),
        cmocka_unit_test_setup(test_unload_spares_who_waits_behind_the_gate, world_reset),
        cmocka_unit_test_setup(test_unload_of_what_leaves_or_waits_changes_nothing,
                               world_reset),
        cmocka_unit_test_setup(test_unload_waits_for_the_exit_then_kills_once, world_reset),
        cmocka_unit_test_setup(test_unload_bytes_count_until_the_exit, world_reset),
        cmocka_unit_test_setup(test_generation_stale_reports_change_nothing, world_reset),
        cmocka_unit_test_setup(test_generation_stale_orders_change_nothing, world_reset),
        cmocka_unit_test_setup(test_generation_survives_the_slot, world_reset),
        cmocka_unit_test_setup(test_worker_reports_that_do_not_fit_change_nothing, world_reset),
        cmocka_unit_test_setup(test_seen_names_and_views, world_reset),
        cmocka_unit_test_setup(test_seen_last_used_and_loading_times, world_reset),
    };
    return cmocka_run_group_tests_name("unload", tests, NULL, NULL);
}
