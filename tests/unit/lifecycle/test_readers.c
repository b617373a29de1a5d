/* SPDX-License-Identifier: MIT */
/* Order among the requests of one model, rule 3: readers that do not read. */
#include "world.h"

/* Both places of A are taken, and a third request waits. */
struct crowd {
    int slot;
    uint64_t first, second, waits;
};

static struct crowd make_crowd(void) {
    struct crowd c;

    plan.parallel = 2;
    c.first = make_busy(A, &c.slot);
    c.second = ask(A);
    c.waits = ask(A);
    assert_int_equal(fate(c.second), STARTED);
    assert_int_equal(fate(c.waits), HELD);
    return c;
}

static void test_order_3_who_does_not_read_for_5_s_gives_the_place(void **state) {
    (void)state;
    struct crowd c = make_crowd();

    stops_reading(c.first);
    pass(3000);
    stops_reading(c.first); /* said twice */
    pass(1999);
    assert_int_equal(fate(c.waits), HELD);
    pass(1);
    assert_int_equal(fate(c.waits), STARTED);
    assert_int_equal(lifecycle_view(&lc, c.slot).running, 3); /* it is not lost */
}

static void test_order_3_only_while_somebody_waits(void **state) {
    (void)state;
    int slot;
    plan.parallel = 1;
    uint64_t r = make_busy(A, &slot);

    stops_reading(r);
    pass(30000);
    uint64_t next = ask(A);
    assert_int_equal(fate(next), STARTED); /* at once: it has not read for longer */
    uint64_t other = ask(A);
    assert_int_equal(fate(other), HELD);
}

static void test_order_3_the_one_that_has_not_read_for_longest_is_first(void **state) {
    (void)state;
    struct crowd c = make_crowd();

    stops_reading(c.second);
    pass(1000);
    stops_reading(c.first);
    pass(4000);
    assert_int_equal(fate(c.waits), STARTED);
    reads_again(c.first); /* has kept its place */
    uint64_t next = ask(A);
    pass(60000);
    assert_int_equal(fate(next), HELD);
}

static void test_order_3_who_reads_in_time_keeps_the_place(void **state) {
    (void)state;
    struct crowd c = make_crowd();

    stops_reading(c.first);
    pass(4000);
    reads_again(c.first);
    pass(1);
    stops_reading(c.first);
    pass(4000);
    assert_int_equal(fate(c.waits), HELD);
}

static void test_order_3_who_reads_again_goes_before_those_that_come(void **state) {
    (void)state;
    struct crowd c = make_crowd();

    stops_reading(c.first);
    pass(5000);
    reads_again(c.first);
    uint64_t next = ask(A);
    done(c.second); /* its place is the first one's */
    assert_int_equal(fate(next), HELD);
    done(c.waits);
    assert_int_equal(fate(next), STARTED);
}

static void test_order_3_an_answer_that_was_put_aside_is_work(void **state) {
    (void)state;
    struct crowd c = make_crowd();

    stops_reading(c.first);
    pass(5000);
    done(c.second);
    done(c.waits);
    assert_int_equal(state_of(c.slot), LC_BUSY);
    uint64_t other = ask(B); /* its window closes, and the drain waits for the answer */
    pass(2000);
    assert_int_equal(state_of(c.slot), LC_DRAINING);
    done(c.first);
    assert_int_equal(state_of(c.slot), LC_UNLOADING);
    assert_int_equal(fate(other), HELD);
}

static void test_order_3_a_sleeping_machine_reads_nothing(void **state) {
    (void)state;
    struct crowd c = make_crowd();

    stops_reading(c.first);
    clock_to(lc.now + 60000);
    heard(c.slot);
    assert_int_equal(fate(c.waits), HELD);
    pass(5000);
    assert_int_equal(fate(c.waits), STARTED);
}

#define SCENARIO(test) cmocka_unit_test_setup(test, world_reset)

int reader_tests(void) {
    const struct CMUnitTest tests[] = {
        SCENARIO(test_order_3_who_does_not_read_for_5_s_gives_the_place),
        SCENARIO(test_order_3_only_while_somebody_waits),
        SCENARIO(test_order_3_the_one_that_has_not_read_for_longest_is_first),
        SCENARIO(test_order_3_who_reads_in_time_keeps_the_place),
        SCENARIO(test_order_3_who_reads_again_goes_before_those_that_come),
        SCENARIO(test_order_3_an_answer_that_was_put_aside_is_work),
        SCENARIO(test_order_3_a_sleeping_machine_reads_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
