/* SPDX-License-Identifier: MIT */
#include "world.h"

static void test_limit_waiting_per_model(void **state) {
    (void)state;
    uint64_t r = 0;

    for (int i = 0; i < 128; i++) r = ask(A);
    assert_int_equal(fate(r), HELD);
    assert_int_equal(failure(ask(A)), LC_FAIL_QUEUE_FULL);
    assert_int_equal(failure(load(A)), LC_FAIL_QUEUE_FULL);
    assert_int_equal(fate(ask(B)), HELD); /* another model's queue is its own */
    cancel(r);
    assert_int_equal(fate(ask(A)), HELD);
    ready(0);
    uint64_t light = ask_kind(A, LC_KIND_LIGHT, LC_TTL_NOT_GIVEN);
    assert_int_equal(fate(light), STARTED);
}

static void test_limit_running_ones_do_not_count(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    for (int i = 0; i < 3 + 128; i++) assert_int_not_equal(fate(ask(A)), FAILED);
    assert_int_equal(failure(ask(A)), LC_FAIL_QUEUE_FULL);
    assert_int_equal(fate(ask_kind(A, LC_KIND_LIGHT, LC_TTL_NOT_GIVEN)), STARTED);
    assert_int_equal(fate(ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN)), LOADED);
}

static void test_limit_a_load_that_waits_for_nothing_is_answered(void **state) {
    (void)state;
    int a;

    make_busy(A, &a);
    for (int i = 0; i < 3 + 128; i++) ask(A);
    assert_int_equal(fate(load(A)), LOADED);
}

static void test_limit_requests_in_all(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;

    settings.max_waiting = UINT32_MAX;
    configure(settings);
    plan.parallel = 4000;
    int a;
    make_busy(A, &a);
    for (int i = 1; i < LC_MAX_REQUESTS; i++) ask(A);
    assert_int_equal(lc.request_count, LC_MAX_REQUESTS);
    assert_int_equal(failure(ask(A)), LC_FAIL_QUEUE_FULL);
    assert_int_equal(failure(ask(B)), LC_FAIL_QUEUE_FULL);
    assert_int_equal(failure(load(B)), LC_FAIL_QUEUE_FULL);
    exited(a); /* the most actions one event can cause */
    assert_int_equal(count(LC_DO_FAIL), LC_MAX_REQUESTS);
    assert_int_equal(lc.request_count, 0);
}

static void test_limit_actions_of_one_event(void **state) {
    (void)state;
    struct lc_settings settings = lc.settings;

    settings.max_waiting = UINT32_MAX;
    configure(settings);
    for (int i = 0; i < LC_MAX_SLOTS; i++) make_explicit((uint32_t)i);
    for (int i = LC_MAX_SLOTS; i < LC_MAX_REQUESTS; i++) ask((uint32_t)(i % LC_MAX_SLOTS));
    shut_down();
    shut_down();
    assert_int_equal(lc.request_count, 0);
    assert_int_equal(count(LC_DO_KILL), LC_MAX_SLOTS);
}

static void test_limit_slots(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    for (int i = 0; i < LC_MAX_SLOTS; i++) make_idle((uint32_t)(100 + i));
    assert_int_equal(failure(ask(A)), LC_FAIL_TOO_MANY);
    assert_int_equal(failure(load(A)), LC_FAIL_TOO_MANY);
    unload(7);
    exited(7);
    ask(A);
    assert_int_equal(lc.slots[7].model, A);
}

static void test_limit_slots_the_oldest_memory_of_a_failure_gives_way(void **state) {
    (void)state;
    set_mode(LC_EVICT_OFF);
    for (int i = 0; i < LC_MAX_SLOTS - 2; i++) make_idle((uint32_t)(100 + i));
    int late = LC_MAX_SLOTS - 2, early = LC_MAX_SLOTS - 1;
    ask(A);
    ask(B);
    clock_to(10);
    load_failed(early);
    exited(early);
    clock_to(20);
    load_failed(late);
    exited(late);
    ask(C);
    assert_int_equal(count(LC_DO_FREE), 1);
    assert_int_equal(lc.slots[early].model, C);
    assert_int_equal(lc.slots[early].failures, 0);
    assert_int_equal(failure(ask(A)), LC_FAIL_BACK_OFF);
    assert_int_equal(fate(ask(B)), HELD); /* what B did is forgotten */
    assert_int_equal(lc.slots[late].model, B);
    assert_int_equal(failure(ask(D)), LC_FAIL_TOO_MANY);
}

/* Order, rule 1: a client with forty requests does not make another one's wait for all. */
static void test_order_1_slots_go_round_robin_over_clients(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    done(make_busy(A, &a));
    uint64_t many[40];
    for (int i = 0; i < 40; i++) many[i] = ask_client(A, 1);
    uint64_t one = ask_client(A, 2), two = ask_client(A, 2), other = ask_client(A, 3);

    assert_int_equal(fate(many[0]), STARTED);
    done(many[0]);
    assert_int_equal(fate(one), STARTED);
    done(one);
    assert_int_equal(fate(other), STARTED);
    done(other);
    assert_int_equal(fate(many[1]), STARTED);
    done(many[1]);
    assert_int_equal(fate(two), STARTED);
    done(two);
    for (int i = 2; i < 40; i++) { /* its own stay in order */
        assert_int_equal(fate(many[i]), STARTED);
        done(many[i]);
    }
}

static void test_order_1_a_new_client_does_not_catch_up_with_an_old_one(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    done(make_busy(A, &a));
    uint64_t many[5];
    for (int i = 0; i < 5; i++) many[i] = ask_client(A, 1);
    for (int i = 0; i < 3; i++) done(many[i]);
    assert_int_equal(fate(many[3]), STARTED);
    uint64_t one = ask_client(A, 2), two = ask_client(A, 2);

    done(many[3]);
    assert_int_equal(fate(one), STARTED);
    done(one);
    assert_int_equal(fate(many[4]), STARTED);
    done(many[4]);
    assert_int_equal(fate(two), STARTED);
}

static void test_order_1_without_a_client_the_oldest_is_first(void **state) {
    (void)state;
    plan.parallel = 1;
    int a;
    uint64_t running = make_busy(A, &a), second = ask(A), third = ask(A);

    done(running);
    assert_int_equal(fate(second), STARTED);
    assert_int_equal(fate(third), HELD);
}

int limit_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_limit_waiting_per_model, world_reset),
        cmocka_unit_test_setup(test_limit_running_ones_do_not_count, world_reset),
        cmocka_unit_test_setup(test_limit_a_load_that_waits_for_nothing_is_answered,
                               world_reset),
        cmocka_unit_test_setup(test_limit_requests_in_all, world_reset),
        cmocka_unit_test_setup(test_limit_actions_of_one_event, world_reset),
        cmocka_unit_test_setup(test_limit_slots, world_reset),
        cmocka_unit_test_setup(test_limit_slots_the_oldest_memory_of_a_failure_gives_way,
                               world_reset),
        cmocka_unit_test_setup(test_order_1_slots_go_round_robin_over_clients, world_reset),
        cmocka_unit_test_setup(test_order_1_a_new_client_does_not_catch_up_with_an_old_one,
                               world_reset),
        cmocka_unit_test_setup(test_order_1_without_a_client_the_oldest_is_first, world_reset),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
