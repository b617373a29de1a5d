/* SPDX-License-Identifier: MIT */
/* Memory, rule 1: a worker asks before it grows. Instances take 100. */
#include "world.h"

/* The answer in the last event; NULL: none. */
static const struct lc_action *grant(int slot) {
    for (uint32_t i = 0; i < acts.count; i++)
        if (acts.list[i].kind == LC_DO_GRANT && acts.list[i].slot == slot) return &acts.list[i];
    return NULL;
}

static void assert_granted(int slot, nbytes bytes) {
    assert_non_null(grant(slot));
    assert_int_equal(grant(slot)->need, bytes);
    assert_int_equal(lc.slots[slot].bytes, bytes);
}

static void assert_refused(int slot, nbytes free) {
    nbytes bytes = lc.slots[slot].bytes;

    assert_non_null(grant(slot));
    assert_int_equal(grant(slot)->need, 0);
    assert_int_equal(grant(slot)->free, free);
    assert_int_equal(lc.slots[slot].bytes, bytes);
}

static void test_memory_1_growth_is_granted_while_there_is_room(void **state) {
    (void)state;
    set_budget(300);
    int a = make_explicit(A);

    grows(a, 250, 150);
    assert_granted(a, 250);
    takes(a, 220);
    grows(a, 500, 260); /* not all of it, but more than would do */
    assert_granted(a, 300);
    grows(a, 400, 301);
    assert_refused(a, 300);
}

static void test_memory_1_grants_together_keep_within_the_budget(void **state) {
    (void)state;
    set_budget(400);
    int a = make_explicit(A), b = make_explicit(B), c = make_explicit(C);

    grows(a, 150, 150);
    assert_granted(a, 150);
    grows(b, 200, 110);
    assert_granted(b, 150);
    grows(c, 101, 101);
    assert_refused(c, 100);
    takes(a, 120); /* it took less: the rest is given back */
    grows(c, 140, 101);
    assert_granted(c, 130);
}

/* A budget of 200, which an idle instance, returned, and a busy one use up. */
static int make_idle_beside_busy(int *ret_busy) {
    set_mode(LC_EVICT_FIT);
    set_budget(200);
    int idle = make_idle(A);

    make_busy(B, ret_busy);
    return idle;
}

static void test_memory_1_idle_jit_instances_make_room_for_growth(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    set_budget(300);
    int a = make_idle(A), b = make_idle(B);
    clock_to(500);
    int c;
    uint64_t r = make_busy(C, &c);

    grows(c, 180, 160);
    assert_null(grant(c));
    assert_int_equal(state_of(a), LC_UNLOADING); /* just enough of them */
    assert_int_equal(last_reason(a), LC_BECAUSE_EVICTED);
    assert_int_equal(last_by(a), c);
    assert_int_equal(state_of(b), LC_IDLE);
    exited(a);
    assert_granted(c, 180);
    assert_int_equal(fate(r), STARTED);
}

static void test_memory_1_neither_busy_nor_explicit_ones_make_room_for_growth(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    set_budget(300);
    int a = make_explicit(A), b, c = make_explicit(C);

    make_busy(B, &b);
    grows(c, 101, 101);
    assert_refused(c, 100);
    assert_int_equal(state_of(a), LC_IDLE);
    assert_int_equal(state_of(b), LC_BUSY);
}

static void test_memory_1_nobody_leaves_when_it_would_not_do(void **state) {
    (void)state;
    int b, a = make_idle_beside_busy(&b);

    grows(b, 300, 201);
    assert_refused(b, 200);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_memory_1_nobody_leaves_for_what_is_optional(void **state) {
    (void)state;
    int b, a = make_idle_beside_busy(&b);

    grows_optionally(b, 150);
    assert_refused(b, 100);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_memory_1_with_auto_evict_off_nobody_leaves_for_growth(void **state) {
    (void)state;
    int b, a = make_idle_beside_busy(&b);

    set_mode(LC_EVICT_OFF);
    grows(b, 150, 150);
    assert_refused(b, 100);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_memory_1_a_lease_is_not_broken_for_growth(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    set_budget(200);
    int b;

    make_busy(B, &b);
    ask_kind(A, LC_KIND_GET_OR_LOAD, LC_TTL_NOT_GIVEN);
    int a = lifecycle_find(&lc, A);
    ready(a);
    grows(b, 150, 150);
    assert_refused(b, 100);
    assert_int_equal(state_of(a), LC_IDLE);
}

static void test_memory_1_who_asks_and_dies_gets_nothing(void **state) {
    (void)state;
    int b, a = make_idle_beside_busy(&b);

    grows(b, 150, 150);
    assert_int_equal(state_of(a), LC_UNLOADING);
    exited(b);
    exited(a);
    assert_int_equal(total(LC_DO_GRANT), 0);
}

static void test_memory_1_who_asks_and_leaves_gets_nothing(void **state) {
    (void)state;
    int b, a = make_idle_beside_busy(&b);

    grows(b, 150, 150);
    unload(b);
    exited(a);
    assert_int_equal(state_of(b), LC_UNLOADING);
    assert_int_equal(total(LC_DO_GRANT), 0);
}

static void test_memory_1_who_grows_does_not_make_room_itself(void **state) {
    (void)state;
    set_mode(LC_EVICT_FIT);
    set_budget(200);
    int a = make_idle(A);
    clock_to(500);
    int b = make_idle(B);

    grows(a, 150, 150);
    assert_int_equal(state_of(a), LC_IDLE); /* though idle for longer */
    assert_int_equal(state_of(b), LC_UNLOADING);
    exited(b);
    assert_granted(a, 150);
}

static void test_memory_1_a_limit_lowered_counts_for_the_next_growth(void **state) {
    (void)state;
    set_budget(300);
    int a = make_explicit(A);

    set_budget(120);
    grows(a, 200, 130);
    assert_refused(a, 120);
}

int growth_tests(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_memory_1_growth_is_granted_while_there_is_room,
                               world_reset),
        cmocka_unit_test_setup(test_memory_1_grants_together_keep_within_the_budget,
                               world_reset),
        cmocka_unit_test_setup(test_memory_1_idle_jit_instances_make_room_for_growth,
                               world_reset),
        cmocka_unit_test_setup(
            test_memory_1_neither_busy_nor_explicit_ones_make_room_for_growth, world_reset),
        cmocka_unit_test_setup(test_memory_1_nobody_leaves_when_it_would_not_do, world_reset),
        cmocka_unit_test_setup(test_memory_1_nobody_leaves_for_what_is_optional, world_reset),
        cmocka_unit_test_setup(test_memory_1_with_auto_evict_off_nobody_leaves_for_growth,
                               world_reset),
        cmocka_unit_test_setup(test_memory_1_a_lease_is_not_broken_for_growth, world_reset),
        cmocka_unit_test_setup(test_memory_1_who_asks_and_dies_gets_nothing, world_reset),
        cmocka_unit_test_setup(test_memory_1_who_asks_and_leaves_gets_nothing, world_reset),
        cmocka_unit_test_setup(test_memory_1_who_grows_does_not_make_room_itself, world_reset),
        cmocka_unit_test_setup(test_memory_1_a_limit_lowered_counts_for_the_next_growth,
                               world_reset),
    };
    return cmocka_run_group_tests_name("growth", tests, NULL, NULL);
}
