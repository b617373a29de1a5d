/* SPDX-License-Identifier: MIT */
#include "engine/pace.h"

#include <math.h>

#include "cmocka_prelude.h"

static void note(struct pace *p, int answers, enum pace_kind kind, int64_t us, int times) {
    for (int i = 0; i < times; i++) pace_note(p, answers, kind, us);
}

static void expect_cost(const struct pace *p, int answers, enum pace_kind kind, double cost) {
    assert_true(fabs(pace_cost(p, answers, kind) - cost) < 1e-9);
}

static void test_it_begins_with_steps_without_guesses(void **state) {
    (void)state;
    struct pace p = { 0 };
    for (int i = 0; i < PACE_LEAST; i++) {
        assert_true(pace_wants_plain(&p, 1));
        pace_note(&p, 1, PACE_PLAIN, 1000);
    }
    assert_false(pace_wants_plain(&p, 1));
}

static void test_nothing_is_known_before_both_were_measured(void **state) {
    (void)state;
    struct pace p = { 0 };
    expect_cost(&p, 1, PACE_MADE, 0);
    note(&p, 1, PACE_MADE, 3000, PACE_SAMPLES);
    note(&p, 1, PACE_PLAIN, 1000, PACE_LEAST - 1);
    expect_cost(&p, 1, PACE_MADE, 0);
    note(&p, 1, PACE_PLAIN, 1000, 1);
    expect_cost(&p, 1, PACE_MADE, 3);
    note(&p, 1, PACE_FOUND, 1500, PACE_LEAST - 1);
    expect_cost(&p, 1, PACE_FOUND, 0);
    note(&p, 1, PACE_FOUND, 1500, 1);
    expect_cost(&p, 1, PACE_FOUND, 1.5);
}

static void test_a_step_that_was_held_up_counts_for_nothing(void **state) {
    (void)state;
    struct pace p = { 0 };
    note(&p, 1, PACE_PLAIN, 1000, 4);
    note(&p, 1, PACE_PLAIN, 90000, 3);
    note(&p, 1, PACE_MADE, 70000, 1);
    note(&p, 1, PACE_MADE, 2500, 4);
    note(&p, 1, PACE_MADE, 100, 2);
    expect_cost(&p, 1, PACE_MADE, 2.5);
}

static void test_the_newest_steps_count(void **state) {
    (void)state;
    struct pace p = { 0 };
    note(&p, 1, PACE_PLAIN, 1000, PACE_LEAST);
    note(&p, 1, PACE_MADE, 9000, 100);
    note(&p, 1, PACE_MADE, 2000, PACE_SAMPLES);
    expect_cost(&p, 1, PACE_MADE, 2);
}

static void test_steps_without_are_measured_again(void **state) {
    (void)state;
    struct pace p = { 0 };
    note(&p, 1, PACE_PLAIN, 1000, PACE_SAMPLES);
    note(&p, 1, PACE_MADE, 2000, PACE_STALE - 1);
    assert_false(pace_wants_plain(&p, 1));
    note(&p, 1, PACE_MADE, 2000, 1);
    for (int i = 0; i < PACE_LEAST; i++) {
        assert_true(pace_wants_plain(&p, 1));
        pace_note(&p, 1, PACE_PLAIN, 500);
    }
    assert_false(pace_wants_plain(&p, 1));
    expect_cost(&p, 1, PACE_MADE, 4);
}

/* Beside others a step takes longer, with guesses or without. */
static void test_answers_that_are_alone_are_not_those_of_a_crowd(void **state) {
    (void)state;
    struct pace p = { 0 };
    note(&p, 1, PACE_PLAIN, 1000, PACE_LEAST);
    note(&p, 1, PACE_MADE, 2000, PACE_LEAST);
    assert_true(pace_wants_plain(&p, 2));
    note(&p, 2, PACE_PLAIN, 4000, PACE_LEAST);
    note(&p, 2, PACE_MADE, 4400, PACE_LEAST);
    expect_cost(&p, 1, PACE_MADE, 2);
    expect_cost(&p, 2, PACE_MADE, 1.1);
    note(&p, PACE_CROWD, PACE_PLAIN, 1000, PACE_LEAST);
    assert_false(pace_wants_plain(&p, PACE_CROWD + 56));
}

static void test_no_time_at_all_is_no_figure(void **state) {
    (void)state;
    struct pace p = { 0 };
    note(&p, 1, PACE_PLAIN, 0, PACE_LEAST);
    note(&p, 1, PACE_MADE, 5, PACE_LEAST);
    expect_cost(&p, 1, PACE_MADE, 0);
}

/* 3 us a token: 100 of them are 3 % of ten steps of 1 ms. */
static void test_reading_may_take_a_small_share_of_the_answer(void **state) {
    (void)state;
    struct pace p = { 0 };
    assert_false(pace_may_read(&p, 1, 0, 100));
    note(&p, 1, PACE_PLAIN, 1000, PACE_LEAST);
    pace_note_reading(&p, 200, 600);
    assert_true(pace_may_read(&p, 1, 100, 11));
    assert_false(pace_may_read(&p, 1, 100, 9));
    pace_note_reading(&p, 200, 6000);
    assert_false(pace_may_read(&p, 1, 100, 99));
    assert_true(pace_may_read(&p, 1, 100, 101));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_begins_with_steps_without_guesses),
        cmocka_unit_test(test_nothing_is_known_before_both_were_measured),
        cmocka_unit_test(test_a_step_that_was_held_up_counts_for_nothing),
        cmocka_unit_test(test_the_newest_steps_count),
        cmocka_unit_test(test_steps_without_are_measured_again),
        cmocka_unit_test(test_answers_that_are_alone_are_not_those_of_a_crowd),
        cmocka_unit_test(test_no_time_at_all_is_no_figure),
        cmocka_unit_test(test_reading_may_take_a_small_share_of_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
