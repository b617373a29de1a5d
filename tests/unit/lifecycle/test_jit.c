/* SPDX-License-Identifier: MIT */
#include "world.h"

static void test_jit_1_a_request_loads_its_model(void **state) {
    (void)state;
    uint64_t r = ask(A);

    assert_int_equal(count(LC_DO_ASSIGN), 1);
    assert_int_equal(acts.list[0].kind, LC_DO_ASSIGN);
    assert_int_equal(count(LC_DO_SPAWN), 1);
    assert_int_equal(lc.slots[0].origin, LC_ORIGIN_JIT);
    assert_int_equal(last_reason(0), LC_BECAUSE_REQUEST);
    assert_int_equal(fate(r), HELD);
    ready(0);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(state_of(0), LC_BUSY);
    done(r);
    assert_int_equal(state_of(0), LC_IDLE);
    assert_int_equal(last_reason(0), LC_BECAUSE_DONE);
}

static void jit_off(void) {
    struct lc_settings settings = lc.settings;

    settings.jit = false;
    configure(settings);
}

static void test_jit_2_off_refuses_what_is_not_loaded(void **state) {
    (void)state;
    jit_off();
    assert_int_equal(failure(ask(A)), LC_FAIL_JIT_OFF);
    assert_int_equal(failure(ask_kind(A, LC_KIND_LIGHT, LC_TTL_NOT_GIVEN)), LC_FAIL_JIT_OFF);
    assert_int_equal(total(LC_DO_SPAWN), 0);
    assert_int_equal(total(LC_DO_ASSIGN), 0);
}

static void test_jit_2_off_serves_what_is_loaded(void **state) {
    (void)state;
    make_explicit(A);
    jit_off();
    assert_int_equal(fate(ask(A)), STARTED);
}

static void test_jit_2_off_lets_get_or_load_load(void **state) {
    (void)state;
    jit_off();
    uint64_t r = ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);
    uint64_t joins = ask(A);

    assert_int_equal(last_reason(0), LC_BECAUSE_LOAD);
    ready(0);
    assert_int_equal(fate(r), LOADED);
    assert_true(answer(r)->fresh);
    assert_int_equal(fate(joins), STARTED);
}

static void test_jit_2_off_keeps_a_request_that_finds_its_model_leaving(void **state) {
    (void)state;
    int slot = make_idle(A);

    jit_off();
    unload(slot);
    uint64_t r = ask(A);
    assert_int_equal(fate(r), HELD);
    exited(slot);
    assert_int_equal(state_of(slot), LC_LOADING);
}

static void test_jit_3_coalescing_many_first_requests_one_load(void **state) {
    (void)state;
    uint64_t r[50];

    for (int i = 0; i < 50; i++) r[i] = ask(A);
    assert_int_equal(total(LC_DO_SPAWN), 1);
    ready(0);
    for (int i = 0; i < 4; i++) assert_int_equal(fate(r[i]), STARTED);
    for (int i = 4; i < 50; i++) assert_int_equal(fate(r[i]), HELD);
    for (int i = 0; i < 46; i++) {
        done(r[i]);
        assert_int_equal(fate(r[i + 4]), STARTED);
    }
    assert_int_equal(total(LC_DO_SPAWN), 1);
}

static void test_jit_3_coalescing_while_leaving_one_fresh_load(void **state) {
    (void)state;
    int first = make_explicit(A);
    int second = 1 - first;

    load_own(A);
    ready(second);
    unload(first);
    unload(second);
    uint64_t r = ask(A), s = ask(A);
    exited(first);
    exited(second);
    assert_int_equal(total(LC_DO_SPAWN), 3);
    int fresh = lifecycle_find(&lc, A);
    ready(fresh);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(fate(s), STARTED);
}

static void test_jit_4_a_load_nobody_waits_for_goes_on_for_a_grace(void **state) {
    (void)state;
    uint64_t r = ask(A), s = ask(A);

    progress(0, 499);
    cancel(r);
    pass(3000);
    cancel(s);
    assert_int_equal(state_of(0), LC_LOADING);
    assert_int_equal(lifecycle_deadline(&lc), 13000);
    pass(9999);
    assert_int_equal(state_of(0), LC_LOADING);
    pass(1);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(last_reason(0), LC_BECAUSE_LOAD_CANCELLED);
    assert_int_equal(count(LC_DO_STOP), 1);
    exited(0);
    assert_int_equal(count(LC_DO_FREE), 1);
    assert_int_equal(lifecycle_find(&lc, A), LC_NO_SLOT);
}

static void test_jit_4_progress_does_not_go_back(void **state) {
    (void)state;
    uint64_t r = ask(A);

    progress(0, 600);
    progress(0, 100);
    cancel(r);
    pass(60000);
    assert_int_equal(state_of(0), LC_LOADING);
}

static void test_jit_4_the_grace_is_as_long_as_the_load_took_so_far(void **state) {
    (void)state;
    uint64_t r = ask(A);

    pass(25000);
    cancel(r);
    pass(24999);
    assert_int_equal(state_of(0), LC_LOADING);
    pass(1);
    assert_int_equal(state_of(0), LC_UNLOADING);
}

/* A client that gives up early and tries again gets its model. */
static void test_jit_4_asked_again_and_again_a_load_is_finished(void **state) {
    (void)state;
    for (int i = 0; i < 12; i++) {
        uint64_t r = ask(A);
        pass(400);
        cancel(r);
        pass(600);
    }
    assert_int_equal(total(LC_DO_SPAWN), 1);
    ready(0);
    assert_int_equal(state_of(0), LC_IDLE);
    assert_int_equal(lc.slots[0].ttl, 3600 * 1000);
}

static void test_jit_4_an_unwanted_load_makes_room_for_who_waits(void **state) {
    (void)state;
    uint64_t r = ask(A), s = ask(B);

    cancel(r);
    pass(999);
    assert_int_equal(state_of(0), LC_LOADING);
    pass(1);
    assert_int_equal(state_of(0), LC_UNLOADING);
    exited(0);
    ready(lifecycle_find(&lc, B));
    assert_int_equal(fate(s), STARTED);
}

static void test_jit_7_the_worker_is_there_before_the_eviction(void **state) {
    (void)state;
    int a = make_idle(A);

    assert_int_equal(total(LC_DO_PREPARE), 0); /* nobody had to leave for it */
    uint64_t r = ask(B);
    int b = lifecycle_find(&lc, B);
    assert_int_equal(total(LC_DO_PREPARE), 1);
    assert_int_equal(state_of(a), LC_UNLOADING);
    exited(a);
    assert_int_equal(count(LC_DO_SPAWN), 1);
    ready(b);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(total(LC_DO_PREPARE), 1);
    assert_int_equal(total(LC_DO_RELEASE), 0);
}

static void test_jit_7_a_worker_that_does_not_start_evicts_nobody(void **state) {
    (void)state;
    int a = make_idle(A);

    workers_start = false;
    plan.file = 1;
    assert_int_equal(failure(ask(B)), LC_FAIL_LOAD_FAILED);
    assert_int_equal(failure(ask(B)), LC_FAIL_BACK_OFF); /* like a load that failed */
    plan.file = 2;
    assert_int_equal(failure(ask(B)), LC_FAIL_LOAD_FAILED); /* another file */
    pass(10 * 1000);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(total(LC_DO_STOP), 0);
    assert_int_equal(total(LC_DO_RELEASE), 0);
    assert_int_equal(fate(ask(A)), STARTED);
}

static void test_jit_7_a_worker_that_does_not_start_drains_nobody(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    workers_start = false;
    assert_int_equal(failure(ask(B)), LC_FAIL_LOAD_FAILED); /* before the gate closes */
    pass(5000);
    assert_int_equal(state_of(a), LC_BUSY);
    assert_int_equal(fate(ask(A)), STARTED);
}

static void test_jit_7_an_explicit_load_has_its_worker_first_too(void **state) {
    (void)state;
    set_budget(150);
    int a = make_idle(A);

    workers_start = false;
    assert_int_equal(failure(load(B)), LC_FAIL_LOAD_FAILED);
    assert_int_equal(state_of(a), LC_IDLE);
    workers_start = true;
    load(B);
    assert_int_equal(state_of(a), LC_UNLOADING);
}

static void test_jit_7_a_worker_for_nobody_is_released(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    uint64_t r = ask(B);
    int b = lifecycle_find(&lc, B);
    assert_int_equal(total(LC_DO_PREPARE), 1);
    cancel(r);
    assert_int_equal(count(LC_DO_RELEASE), 1);
    assert_int_equal(lc.slots[b].model, LC_NO_MODEL);
    ask(B); /* and another for later requests */
    assert_int_equal(total(LC_DO_PREPARE), 2);
}

static void test_jit_7_an_answer_nobody_awaits_changes_nothing(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    uint64_t r = ask(B);
    int b = lifecycle_find(&lc, B);
    report(LC_EV_PREPARE_FAILED, b, lc.slots[b].generation, 0); /* it was prepared */
    assert_int_equal(fate(r), HELD);
    report(LC_EV_PREPARED, a, lc.slots[a].generation, 0);
    assert_int_equal(lc.slots[a].prepared, LC_UNPREPARED);
    assert_int_equal(state_of(a), LC_BUSY);
}

static void test_jit_8_a_get_or_load_is_a_lease(void **state) {
    (void)state;
    int a;
    uint64_t busy = make_busy(A, &a), get = ask_kind(B, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);

    pass(1000);
    uint64_t behind = ask(A);
    done(busy);
    exited(a);
    int b = lifecycle_find(&lc, B);
    pass(1000);
    ready(b);
    assert_int_equal(fate(get), LOADED);
    assert_int_equal(state_of(b), LC_IDLE);
    pass(4999);
    assert_int_equal(state_of(b), LC_IDLE);
    uint64_t first = ask(B);
    assert_int_equal(fate(first), STARTED);
    /* The lease is used; the turn of the other one comes. */
    assert_int_equal(state_of(b), LC_DRAINING);
    assert_int_equal(fate(behind), HELD);
}

static void test_jit_8_a_lease_ends(void **state) {
    (void)state;
    (void)ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);
    ready(0);
    ask(B);
    assert_int_equal(lifecycle_deadline(&lc), 5000);
    pass(5000);
    assert_int_equal(state_of(0), LC_UNLOADING);
}

/* A limit lowered meanwhile, or a machine with less memory than before. */
static void test_jit_8_a_lease_is_kept_when_the_budget_shrinks(void **state) {
    (void)state;
    (void)ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);
    ready(0);
    set_budget(50);
    assert_int_equal(state_of(0), LC_IDLE);
    assert_int_equal(lifecycle_deadline(&lc), 5000);
    pass(4999);
    assert_int_equal(state_of(0), LC_IDLE);
    pass(1);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(last_reason(0), LC_BECAUSE_MEMORY);
}

static void test_jit_4_a_load_half_done_goes_on_without_its_client(void **state) {
    (void)state;
    uint64_t r = ask(A);

    progress(0, 500);
    cancel(r);
    assert_int_equal(state_of(0), LC_LOADING);
    clock_to(700);
    ready(0);
    assert_int_equal(state_of(0), LC_IDLE);
    assert_int_equal(last_reason(0), LC_BECAUSE_READY);
    assert_int_equal(lifecycle_view(&lc, 0).expires, 700 + 3600 * 1000);
}

static void test_jit_4_progress_never_goes_back(void **state) {
    (void)state;
    uint64_t r = ask(A);

    progress(0, 700);
    progress(0, 100);
    cancel(r);
    assert_int_equal(state_of(0), LC_LOADING);
}

static void test_jit_5_the_least_busy_instance_serves(void **state) {
    (void)state;
    int first = make_explicit(A);
    uint64_t r = load_own(A);
    int second = 1 - first;

    ready(second);
    assert_int_equal(fate(r), LOADED);
    assert_int_equal(lifecycle_find(&lc, A), first);
    uint64_t s = ask(A);
    assert_int_equal(lifecycle_view(&lc, first).running, 1);
    assert_int_equal(lifecycle_find(&lc, A), second);
    ask(A);
    assert_int_equal(lifecycle_view(&lc, second).running, 1);
    ask(A);
    assert_int_equal(lifecycle_view(&lc, first).running, 2);
    done(s);
    ask_slot(A, first);
    assert_int_equal(lifecycle_view(&lc, first).running, 2);
    unload(first);
    assert_int_equal(lifecycle_find(&lc, A), second);
}

static void test_jit_5_loaded_before_loading(void **state) {
    (void)state;
    int first = make_explicit(A);
    uint64_t r = load_own(A);

    cancel(r);
    assert_int_equal(lifecycle_find(&lc, A), first);
    unload(first);
    r = load_own(A);
    assert_int_equal(state_of(lifecycle_find(&lc, A)), LC_LOADING);
}

static void test_jit_5_a_named_slot_serves_also_while_leaving(void **state) {
    (void)state;
    int first = make_explicit(A);

    load_own(A);
    ready(1 - first);
    unload(first);
    uint64_t r = ask_slot(A, first);
    assert_int_equal(fate(r), HELD);
    exited(first);
    assert_int_equal(state_of(first), LC_LOADING);
    ready(first);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(fate(ask_slot(B, first)), HELD); /* not B's: a load of its own */
    assert_int_equal(lc.slots[lifecycle_find(&lc, B)].model, B);
}

static void test_places_infer_takes_one_and_light_takes_none(void **state) {
    (void)state;
    plan.parallel = 2;
    int slot;
    uint64_t a = make_busy(A, &slot), b = ask(A), c = ask(A);

    assert_int_equal(fate(b), STARTED);
    assert_int_equal(fate(c), HELD);
    uint64_t light = ask_kind(A, LC_KIND_LIGHT, LC_TTL_NOT_GIVEN);
    assert_int_equal(fate(light), STARTED);
    assert_int_equal(lifecycle_view(&lc, slot).running, 3);
    assert_int_equal(lifecycle_view(&lc, slot).waiting, 1);
    done(light);
    assert_int_equal(fate(c), HELD);
    done(a);
    assert_int_equal(fate(c), STARTED);
}

static void test_places_as_the_worker_says(void **state) {
    (void)state;
    plan.parallel = 4;
    uint64_t a = ask(A), b = ask(A);

    ready_with(0, 100, 1);
    assert_int_equal(fate(a), STARTED);
    assert_int_equal(fate(b), HELD);
}

static void test_places_a_worker_that_claims_none_has_one(void **state) {
    (void)state;
    uint64_t a = ask(A), b = ask(A);

    ready_with(0, 100, 0);
    assert_int_equal(fate(a), STARTED);
    assert_int_equal(fate(b), HELD);
}

static void test_cancel_while_waiting_for_a_place(void **state) {
    (void)state;
    plan.parallel = 1;
    int slot;
    uint64_t a = make_busy(A, &slot), b = ask(A), c = ask(A);

    cancel(b);
    assert_int_equal(count(LC_DO_ABORT), 0);
    done(a);
    assert_int_equal(fate(b), HELD);
    assert_int_equal(fate(c), STARTED);
}

static void test_cancel_while_running_aborts_once(void **state) {
    (void)state;
    int slot;
    uint64_t a = make_busy(A, &slot);

    cancel(a);
    assert_int_equal(count(LC_DO_ABORT), 1);
    assert_int_equal(state_of(slot), LC_BUSY);
    cancel(a);
    assert_int_equal(count(LC_DO_ABORT), 0);
    clock_to(300);
    done(a);
    assert_int_equal(state_of(slot), LC_IDLE);
    assert_int_equal(lc.slots[slot].idle_since, 300);
    cancel(a);
    assert_int_equal(acts.count, 0);
}

int jit_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_jit_1_a_request_loads_its_model, world_reset),
        cmocka_unit_test_setup(test_jit_2_off_refuses_what_is_not_loaded, world_reset),
        cmocka_unit_test_setup(test_jit_2_off_serves_what_is_loaded, world_reset),
        cmocka_unit_test_setup(test_jit_2_off_lets_get_or_load_load, world_reset),
        cmocka_unit_test_setup(test_jit_2_off_keeps_a_request_that_finds_its_model_leaving,
                               world_reset),
        cmocka_unit_test_setup(test_jit_3_coalescing_many_first_requests_one_load, world_reset),
        cmocka_unit_test_setup(test_jit_3_coalescing_while_leaving_one_fresh_load, world_reset),
        cmocka_unit_test_setup(test_jit_4_a_load_nobody_waits_for_goes_on_for_a_grace,
                               world_reset),
        cmocka_unit_test_setup(test_jit_4_progress_does_not_go_back, world_reset),
        cmocka_unit_test_setup(test_jit_4_the_grace_is_as_long_as_the_load_took_so_far,
                               world_reset),
        cmocka_unit_test_setup(test_jit_4_asked_again_and_again_a_load_is_finished,
                               world_reset),
        cmocka_unit_test_setup(test_jit_4_an_unwanted_load_makes_room_for_who_waits,
                               world_reset),
        cmocka_unit_test_setup(test_jit_7_the_worker_is_there_before_the_eviction, world_reset),
        cmocka_unit_test_setup(test_jit_7_a_worker_that_does_not_start_evicts_nobody,
                               world_reset),
        cmocka_unit_test_setup(test_jit_7_a_worker_that_does_not_start_drains_nobody,
                               world_reset),
        cmocka_unit_test_setup(test_jit_7_an_explicit_load_has_its_worker_first_too,
                               world_reset),
        cmocka_unit_test_setup(test_jit_7_a_worker_for_nobody_is_released, world_reset),
        cmocka_unit_test_setup(test_jit_7_an_answer_nobody_awaits_changes_nothing, world_reset),
        cmocka_unit_test_setup(test_jit_8_a_get_or_load_is_a_lease, world_reset),
        cmocka_unit_test_setup(test_jit_8_a_lease_ends, world_reset),
        cmocka_unit_test_setup(test_jit_8_a_lease_is_kept_when_the_budget_shrinks, world_reset),
        cmocka_unit_test_setup(test_jit_4_a_load_half_done_goes_on_without_its_client,
                               world_reset),
        cmocka_unit_test_setup(test_jit_4_progress_never_goes_back, world_reset),
        cmocka_unit_test_setup(test_jit_5_the_least_busy_instance_serves, world_reset),
        cmocka_unit_test_setup(test_jit_5_loaded_before_loading, world_reset),
        cmocka_unit_test_setup(test_jit_5_a_named_slot_serves_also_while_leaving, world_reset),
        cmocka_unit_test_setup(test_places_infer_takes_one_and_light_takes_none, world_reset),
        cmocka_unit_test_setup(test_places_as_the_worker_says, world_reset),
        cmocka_unit_test_setup(test_places_a_worker_that_claims_none_has_one, world_reset),
        cmocka_unit_test_setup(test_cancel_while_waiting_for_a_place, world_reset),
        cmocka_unit_test_setup(test_cancel_while_running_aborts_once, world_reset),
    };
    return cmocka_run_group_tests_name("jit", tests, NULL, NULL);
}
