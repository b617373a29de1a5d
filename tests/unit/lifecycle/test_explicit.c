/* SPDX-License-Identifier: MIT */
#include "world.h"

static void test_evict_7_a_load_promotes_the_only_jit_instance(void **state) {
    (void)state;
    int a = make_idle(A);
    uint64_t r = load_ttl(A, 5000);

    assert_int_equal(fate(r), LOADED);
    assert_false(answer(r)->fresh);
    assert_int_equal(answer(r)->slot, a);
    assert_int_equal(lc.slots[a].origin, LC_ORIGIN_EXPLICIT);
    assert_int_equal(lc.slots[a].ttl, 5000);
}

static void test_evict_7_promoted_without_ttl_stays(void **state) {
    (void)state;
    int a = make_idle(A);

    load(A);
    assert_true(lc.slots[a].ttl == MSEC_NEVER);
}

static void test_evict_7_promoted_while_loading_and_busy(void **state) {
    (void)state;
    uint64_t r = ask(A), l = load(A);

    assert_int_equal(total(LC_DO_SPAWN), 1);
    assert_int_equal(fate(l), HELD);
    ready(0);
    assert_int_equal(fate(l), LOADED);
    assert_true(answer(l)->fresh);
    assert_int_equal(fate(r), STARTED);
    update(0, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN);
    assert_int_equal(fate(load(A)), LOADED);
    assert_int_equal(lc.slots[0].origin, LC_ORIGIN_EXPLICIT);
}

static void test_evict_7_with_other_settings_a_jit_instance_is_loaded_again(void **state) {
    (void)state;
    int a = make_idle(A);
    plan.settings = plan.lasting = 2;
    uint64_t r = load(A);

    assert_int_equal(state_of(a), LC_UNLOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_USER);
    assert_int_equal(count(LC_DO_ASSIGN), 0);
    exited(a);
    assert_int_equal(lc.slots[a].plan.settings, 2);
    ready(a);
    assert_int_equal(fate(r), LOADED);
    assert_int_equal(lc.slots[a].origin, LC_ORIGIN_EXPLICIT);
}

static void test_evict_7_its_running_answers_end_first(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    uint64_t running = make_busy(A, &a), queued = ask(A);

    plan.settings = plan.lasting = 2;
    uint64_t r = load(A);
    assert_int_equal(state_of(a), LC_DRAINING);
    done(running);
    exited(a);
    ready(a);
    assert_int_equal(fate(r), LOADED);
    assert_int_equal(fate(queued), STARTED);
}

/* The plan of a load that differs from the others in the number of places only. */
static void plan_places(uint32_t parallel) {
    plan.settings = 10 + parallel;
    plan.parallel = parallel;
}

static void test_evict_7_fewer_places_are_taken_in_place(void **state) {
    (void)state;
    int a = make_idle(A);

    plan_places(1);
    uint64_t l = load_ttl(A, 5000), r = ask(A), queued = ask(A);
    assert_int_equal(fate(l), LOADED);
    assert_false(answer(l)->fresh);
    assert_int_equal(total(LC_DO_SPAWN), 1);
    assert_int_equal(lc.slots[a].ttl, 5000);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(fate(queued), HELD);
    done(r);
    assert_int_equal(fate(queued), STARTED);
}

static void test_evict_7_answers_beyond_fewer_places_go_on(void **state) {
    (void)state;
    int a;
    uint64_t r[3] = { make_busy(A, &a), ask(A), ask(A) };

    plan_places(2);
    assert_int_equal(fate(load(A)), LOADED);
    assert_int_equal(state_of(a), LC_BUSY);
    uint64_t queued = ask(A);
    done(r[0]);
    assert_int_equal(fate(queued), HELD);
    done(r[1]);
    assert_int_equal(fate(queued), STARTED);
    assert_int_equal(fate(ask(A)), HELD);
    done(r[2]);
    assert_int_equal(lifecycle_view(&lc, a).running, 2);
}

static void
test_evict_7_more_places_are_taken_in_place_where_the_worker_has_them(void **state) {
    (void)state;
    int a = make_idle(A);

    plan_places(1);
    load(A);
    update(a, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN);
    uint64_t r = ask(A), queued = ask(A);
    assert_int_equal(fate(queued), HELD);
    plan_places(4);
    assert_int_equal(fate(load(A)), LOADED);
    assert_int_equal(total(LC_DO_SPAWN), 1);
    assert_int_equal(fate(queued), STARTED);
    done(r);
}

static void test_evict_7_more_places_than_the_worker_has_need_another_load(void **state) {
    (void)state;
    uint64_t r = ask(A);

    ready_with(0, 100, 2);
    done(r);
    plan_places(3);
    uint64_t l = load(A);
    assert_int_equal(fate(l), HELD);
    assert_int_equal(state_of(0), LC_UNLOADING);
    exited(0);
    ready(0);
    assert_int_equal(fate(l), LOADED);
    assert_int_equal(lc.slots[0].plan.parallel, 3);
}

static void test_evict_7_fewer_places_while_it_loads(void **state) {
    (void)state;
    uint64_t r = ask(A);

    plan_places(1);
    uint64_t l = load(A), queued = ask(A);
    assert_int_equal(state_of(0), LC_LOADING);
    ready_with(0, 100, 4);
    assert_int_equal(fate(l), LOADED);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(fate(queued), HELD);
    assert_int_equal(total(LC_DO_SPAWN), 1);
}

static void test_failure_changed_places_survive_the_worker(void **state) {
    (void)state;
    int a = make_idle(A);

    plan_places(2);
    load(A);
    exited(a);
    plan_places(4);
    ask(A);
    assert_int_equal(state_of(a), LC_LOADING);
    assert_int_equal(lc.slots[a].plan.parallel, 2);
}

/* B's client gives up while A drains for it, so that A stays, and with it what a load asks. */
static void test_evict_6_a_recalled_instance_has_the_places_of_the_load(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    uint64_t waiter = ask(B);
    pass(1000);
    assert_int_equal(state_of(a), LC_DRAINING);
    plan_places(1);
    uint64_t l = load(A);
    cancel(waiter);
    assert_int_equal(state_of(a), LC_BUSY);
    assert_int_equal(fate(l), LOADED);
    assert_int_equal(fate(ask(A)), HELD);
}

static void test_evict_7_a_load_with_other_settings_is_not_recalled(void **state) {
    (void)state;
    int a;
    uint64_t running = make_busy(A, &a), waiter = ask(B);

    pass(1000);
    assert_int_equal(state_of(a), LC_DRAINING);
    plan.settings = plan.lasting = 2;
    uint64_t l = load(A);
    cancel(waiter);
    assert_int_equal(fate(l), HELD);
    assert_int_equal(state_of(a), LC_DRAINING);
    done(running);
    assert_int_equal(last_reason(a), LC_BECAUSE_USER);
    exited(a);
    ready(a);
    assert_int_equal(fate(l), LOADED);
    assert_int_equal(lc.slots[a].plan.settings, 2);
}

static void test_evict_7_a_name_of_its_own_makes_a_new_instance(void **state) {
    (void)state;
    make_idle(A);
    load_own(A);
    assert_int_equal(count(LC_DO_SPAWN), 1);
}

static void test_evict_7_beside_an_explicit_one_makes_a_new_instance(void **state) {
    (void)state;
    make_explicit(A);
    load(A);
    assert_int_equal(count(LC_DO_SPAWN), 1);
}

static void test_evict_7_beside_two_instances_makes_a_new_one(void **state) {
    (void)state;
    make_explicit(A);
    load_own(A);
    ready(1);
    update(1, LC_ORIGIN_JIT, LC_TTL_NOT_GIVEN);
    load(A);
    assert_int_equal(count(LC_DO_SPAWN), 1);
}

static void test_evict_7_a_leaving_one_comes_back_explicit(void **state) {
    (void)state;
    int a = make_idle(A);

    unload(a);
    ask(B);
    uint64_t r = load_ttl(A, 7000), s = ask_ttl(A, 1);
    assert_int_equal(count(LC_DO_ASSIGN), 0);
    exited(a);
    assert_int_equal(state_of(a), LC_LOADING); /* B got the jit place; this one needs none */
    assert_int_equal(state_of(lifecycle_find(&lc, B)), LC_LOADING);
    assert_int_equal(last_reason(a), LC_BECAUSE_LOAD);
    ready(a);
    assert_int_equal(fate(r), LOADED);
    assert_int_equal(fate(s), STARTED);
    assert_int_equal(lc.slots[a].origin, LC_ORIGIN_EXPLICIT);
    assert_int_equal(lc.slots[a].ttl, 7000);
}

static void test_evict_7_two_loads_while_leaving_make_two_instances(void **state) {
    (void)state;
    int a = make_idle(A);

    unload(a);
    load(A);
    load(A);
    assert_int_equal(count(LC_DO_ASSIGN), 1);
}

static void test_evict_7_one_in_line_becomes_explicit(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    uint64_t r = ask_ttl(B, 5), l = load(B);
    int b = lifecycle_find(&lc, B);
    assert_int_equal(state_of(b), LC_LOADING);
    ready(b);
    assert_int_equal(fate(r), STARTED);
    assert_int_equal(fate(l), LOADED);
    assert_true(lc.slots[b].ttl == MSEC_NEVER);
}

static void test_explicit_plan_is_kept_for_its_load(void **state) {
    (void)state;
    int a = make_idle(A);

    unload(a);
    plan.need = 77;
    load(A);
    plan.need = 88;
    ask(A);
    exited(a);
    assert_int_equal(lc.slots[a].bytes, 77);
}

static void test_jit_4_an_explicit_load_outlives_its_client_for_the_grace_too(void **state) {
    (void)state;
    uint64_t r = load(A);

    cancel(r);
    assert_int_equal(state_of(0), LC_LOADING);
    pass(10000);
    assert_int_equal(state_of(0), LC_UNLOADING);
    assert_int_equal(last_reason(0), LC_BECAUSE_LOAD_CANCELLED);
}

int explicit_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_evict_7_a_load_promotes_the_only_jit_instance, world_reset),
        cmocka_unit_test_setup(test_evict_7_promoted_without_ttl_stays, world_reset),
        cmocka_unit_test_setup(test_evict_7_promoted_while_loading_and_busy, world_reset),
        cmocka_unit_test_setup(test_evict_7_with_other_settings_a_jit_instance_is_loaded_again,
                               world_reset),
        cmocka_unit_test_setup(test_evict_7_its_running_answers_end_first, world_reset),
        cmocka_unit_test_setup(test_evict_7_fewer_places_are_taken_in_place, world_reset),
        cmocka_unit_test_setup(test_evict_7_answers_beyond_fewer_places_go_on, world_reset),
        cmocka_unit_test_setup(
            test_evict_7_more_places_are_taken_in_place_where_the_worker_has_them, world_reset),
        cmocka_unit_test_setup(test_evict_7_more_places_than_the_worker_has_need_another_load,
                               world_reset),
        cmocka_unit_test_setup(test_evict_7_fewer_places_while_it_loads, world_reset),
        cmocka_unit_test_setup(test_failure_changed_places_survive_the_worker, world_reset),
        cmocka_unit_test_setup(test_evict_6_a_recalled_instance_has_the_places_of_the_load,
                               world_reset),
        cmocka_unit_test_setup(test_evict_7_a_load_with_other_settings_is_not_recalled,
                               world_reset),
        cmocka_unit_test_setup(test_evict_7_a_name_of_its_own_makes_a_new_instance,
                               world_reset),
        cmocka_unit_test_setup(test_evict_7_beside_an_explicit_one_makes_a_new_instance,
                               world_reset),
        cmocka_unit_test_setup(test_evict_7_beside_two_instances_makes_a_new_one, world_reset),
        cmocka_unit_test_setup(test_evict_7_a_leaving_one_comes_back_explicit, world_reset),
        cmocka_unit_test_setup(test_evict_7_two_loads_while_leaving_make_two_instances,
                               world_reset),
        cmocka_unit_test_setup(test_evict_7_one_in_line_becomes_explicit, world_reset),
        cmocka_unit_test_setup(test_explicit_plan_is_kept_for_its_load, world_reset),
        cmocka_unit_test_setup(
            test_jit_4_an_explicit_load_outlives_its_client_for_the_grace_too, world_reset),
    };
    return cmocka_run_group_tests_name("explicit", tests, NULL, NULL);
}
