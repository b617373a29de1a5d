/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "engine/lookup.h"

static int32_t draft[LOOKUP_MOST];

#define GUESS(l, most, ...)                                                                    \
    lookup_draft(l, (const int32_t[]){ __VA_ARGS__ },                                          \
                 sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t), most, draft)

/* A guess of this length whose first `right` tokens are right; its step takes as long as `cost`
 * steps without guesses. */
static void judge_at(struct lookup *l, size_t length, size_t right, double cost) {
    lookup_begin(l, length);
    for (size_t i = 0; i < right; i++) lookup_accept(l);
    lookup_end(l, cost, LOOKUP_TRIAL);
}

static void judge(struct lookup *l, size_t length, size_t right) {
    judge_at(l, length, right, 0);
}

static void test_what_followed_the_last_tokens_is_the_guess(void **state) {
    (void)state;
    struct lookup l = { 0 };
    assert_int_equal(GUESS(&l, 8, 1, 2, 3, 4, 5, 6, 1, 2, 3), 2);
    assert_int_equal(draft[0], 4);
    assert_int_equal(draft[1], 5);
}

static void test_the_newest_place_counts(void **state) {
    (void)state;
    struct lookup l = { 0 };
    assert_int_equal(GUESS(&l, 8, 1, 2, 3, 4, 5, 1, 2, 3, 7, 8, 1, 2, 3), 2);
    assert_int_equal(draft[0], 7);
    assert_int_equal(draft[1], 8);
}

static void test_fewer_tokens_in_common_are_no_guess(void **state) {
    (void)state;
    struct lookup l = { 0 };
    assert_int_equal(GUESS(&l, 8, 9, 2, 3, 4, 5, 1, 2, 3), 0);
    assert_int_equal(GUESS(&l, 8, 1, 2, 9, 4, 5, 1, 2, 3), 0);
    assert_int_equal(GUESS(&l, 8, 1, 2, 3), 0);
    assert_int_equal(GUESS(&l, 8, 1, 2), 0);
    assert_int_equal(GUESS(&l, 8, 1), 0);
}

static void test_what_repeats_itself_goes_on(void **state) {
    (void)state;
    struct lookup l = { .next = 5 };
    assert_int_equal(GUESS(&l, 8, 1, 2, 1, 2, 1), 5);
    const int32_t expected[] = { 2, 1, 2, 1, 2 };
    assert_memory_equal(draft, expected, sizeof expected);
    assert_int_equal(GUESS(&l, 8, 4, 4, 4, 4), 5);
    assert_int_equal(draft[4], 4);
}

static void test_a_guess_is_no_longer_than_there_is_room(void **state) {
    (void)state;
    struct lookup l = { .next = 8 };
    assert_int_equal(GUESS(&l, 3, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3), 3);
    assert_int_equal(GUESS(&l, 0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3), 0);
}

static void test_pictures_are_not_guessed(void **state) {
    (void)state;
    struct lookup l = { .next = 8 };
    assert_int_equal(GUESS(&l, 8, 1, 2, 3, 4, -5, 6, 7, 1, 2, 3), 1);
    assert_int_equal(draft[0], 4);
}

static void test_a_right_guess_doubles_the_next(void **state) {
    (void)state;
    struct lookup l = { 0 };
    judge(&l, 2, 2);
    assert_int_equal(l.next, 4);
    judge(&l, 4, 4);
    assert_int_equal(l.next, 8);
    judge(&l, 8, 8);
    assert_int_equal(l.next, LOOKUP_MOST);
}

static void test_after_a_wrong_guess_the_next_is_as_long_as_its_right_part(void **state) {
    (void)state;
    struct lookup l = { 0 };
    judge(&l, 8, 5);
    assert_int_equal(l.next, 5);
    judge(&l, 5, 0);
    assert_int_equal(l.next, LOOKUP_FIRST);
}

/* ---- whether they pay ---- */

static size_t tokens_without(struct lookup *l) {
    size_t tokens = 0;
    while (!lookup_may(l)) tokens++;
    return tokens;
}

/* Steps with such guesses until the answer goes on without. */
static int steps_until_left(struct lookup *l, size_t right, double cost) {
    int steps = 0;
    while (l->rest == 0 && steps < 10000) {
        judge_at(l, 3, right, cost);
        steps++;
    }
    return steps;
}

static void test_guesses_that_cost_more_than_they_give_are_left(void **state) {
    (void)state;
    struct lookup l = { 0 };
    assert_int_equal(steps_until_left(&l, 1, 2.1), LOOKUP_TRIAL);
    assert_int_equal(l.rests, 1);
    assert_int_equal(tokens_without(&l), LOOKUP_REST);
    assert_true(lookup_may(&l));
}

/* Two tokens a step, in the time of two. */
static void test_guesses_that_cost_what_they_give_stay(void **state) {
    (void)state;
    struct lookup l = { 0 };
    assert_int_equal(steps_until_left(&l, 1, 2), 10000);
    assert_int_equal(l.rests, 0);
}

/* It is time that counts: few are right, but a guess costs next to nothing. */
static void test_cheap_guesses_may_be_mostly_wrong(void **state) {
    (void)state;
    struct lookup l = { 0 };
    for (int i = 0; i < 1000; i++) judge_at(&l, 8, i % 2 == 0, 1.1);
    assert_int_equal(l.rests, 0);
}

static void test_what_was_not_measured_is_not_judged(void **state) {
    (void)state;
    struct lookup l = { .next_rest = 256 };
    assert_int_equal(steps_until_left(&l, 0, 0), 10000);
    assert_int_equal(l.next_rest, 256);
}

static void test_a_longer_trial_is_one(void **state) {
    (void)state;
    struct lookup l = { 0 };
    for (int i = 0; i < 20; i++) {
        assert_int_equal(l.rest, 0);
        lookup_begin(&l, 3);
        lookup_end(&l, 5, 20);
    }
    assert_int_equal(l.rest, LOOKUP_REST);
}

/* They are tried again, ever more rarely. */
static void test_each_rest_is_four_times_as_long(void **state) {
    (void)state;
    struct lookup l = { 0 };
    size_t expected = LOOKUP_REST;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(steps_until_left(&l, 0, 1.5), LOOKUP_TRIAL);
        assert_int_equal(tokens_without(&l), expected);
        expected = 4 * expected < LOOKUP_MOST_REST ? 4 * expected : LOOKUP_MOST_REST;
    }
    assert_int_equal(expected, LOOKUP_MOST_REST);
}

static void test_after_a_trial_that_paid_the_next_rest_is_short(void **state) {
    (void)state;
    struct lookup l = { 0 };
    for (int i = 0; i < 3; i++) {
        (void)steps_until_left(&l, 0, 1.5);
        (void)tokens_without(&l);
    }
    for (int i = 0; i < 2 * LOOKUP_TRIAL; i++) judge_at(&l, 3, 3, 1.5);
    assert_int_equal(l.rest, 0);
    (void)steps_until_left(&l, 0, 1.5);
    assert_int_equal(tokens_without(&l), LOOKUP_REST);
}

/* What a draft model that never pays adds to a long answer: steps with guesses that take three
 * times as long and give nothing. */
static void test_a_long_answer_costs_a_few_percent_more_at_most(void **state) {
    (void)state;
    struct lookup l = { 0 };
    double time = 0;
    enum { TOKENS = 1000 };
    for (int i = 0; i < TOKENS; i++) {
        bool guesses = lookup_may(&l);
        time += guesses ? 3 : 1;
        if (guesses) judge_at(&l, 3, 0, 3);
    }
    assert_true(time < TOKENS * 1.04);
}

/* A file was quoted, and now something new is said. */
static void test_what_was_right_long_ago_does_not_count_for_ever(void **state) {
    (void)state;
    struct lookup l = { 0 };
    for (int i = 0; i < 1000; i++) judge_at(&l, 3, 3, 2);
    assert_in_range(steps_until_left(&l, 0, 2), LOOKUP_TRIAL, 2 * LOOKUP_REMEMBERED);
}

static void test_all_tokens_are_counted(void **state) {
    (void)state;
    struct lookup l = { 0 };
    judge(&l, 8, 3);
    judge(&l, 3, 3);
    lookup_begin(&l, 6);
    lookup_accept(&l);
    assert_int_equal(l.drafted, 17);
    assert_int_equal(l.accepted, 7);
    assert_int_equal(l.open, 5);
    lookup_end(&l, 0, LOOKUP_TRIAL);
    assert_int_equal(l.open, 0);
}

static void test_it_looks_back_so_far_and_no_farther(void **state) {
    (void)state;
    static int32_t tokens[2 * LOOKUP_BACK];
    enum { COUNT = LOOKUP_BACK + 100 };
    struct lookup l = { 0 };
    for (int i = 0; i < COUNT; i++) tokens[i] = 1000 + i;
    for (int i = 0; i < LOOKUP_KEY; i++) tokens[COUNT - LOOKUP_KEY + i] = tokens[200 + i];
    assert_int_equal(lookup_draft(&l, tokens, COUNT, 8, draft), 2);
    assert_int_equal(draft[0], 1000 + 200 + LOOKUP_KEY);
    for (int i = 0; i < LOOKUP_KEY; i++) tokens[COUNT - LOOKUP_KEY + i] = tokens[20 + i];
    assert_int_equal(lookup_draft(&l, tokens, COUNT, 8, draft), 0);
    for (size_t i = 0; i < 5; i++) /* where it could be before the first token */
        assert_int_equal(lookup_draft(&l, tokens, LOOKUP_BACK + i, 8, draft), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_followed_the_last_tokens_is_the_guess),
        cmocka_unit_test(test_the_newest_place_counts),
        cmocka_unit_test(test_fewer_tokens_in_common_are_no_guess),
        cmocka_unit_test(test_what_repeats_itself_goes_on),
        cmocka_unit_test(test_a_guess_is_no_longer_than_there_is_room),
        cmocka_unit_test(test_pictures_are_not_guessed),
        cmocka_unit_test(test_a_right_guess_doubles_the_next),
        cmocka_unit_test(test_after_a_wrong_guess_the_next_is_as_long_as_its_right_part),
        cmocka_unit_test(test_guesses_that_cost_more_than_they_give_are_left),
        cmocka_unit_test(test_guesses_that_cost_what_they_give_stay),
        cmocka_unit_test(test_cheap_guesses_may_be_mostly_wrong),
        cmocka_unit_test(test_what_was_not_measured_is_not_judged),
        cmocka_unit_test(test_a_longer_trial_is_one),
        cmocka_unit_test(test_each_rest_is_four_times_as_long),
        cmocka_unit_test(test_after_a_trial_that_paid_the_next_rest_is_short),
        cmocka_unit_test(test_a_long_answer_costs_a_few_percent_more_at_most),
        cmocka_unit_test(test_what_was_right_long_ago_does_not_count_for_ever),
        cmocka_unit_test(test_all_tokens_are_counted),
        cmocka_unit_test(test_it_looks_back_so_far_and_no_farther),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
