/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "engine/lookup.h"

static int32_t draft[LOOKUP_MOST];

#define GUESS(l, most, ...)                                                                    \
    lookup_draft(l, (const int32_t[]){ __VA_ARGS__ },                                          \
                 sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t), most, draft)

static void judge(struct lookup *l, size_t length, size_t right) {
    lookup_begin(l, length);
    for (size_t i = 0; i < right; i++) lookup_accept(l);
    lookup_end(l);
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

static void test_an_answer_that_is_mostly_guessed_wrong_goes_on_without(void **state) {
    (void)state;
    struct lookup l = { 0 };
    for (int i = 0; i < LOOKUP_TRIAL / 2 - 1; i++) judge(&l, 2, 0);
    assert_false(l.off);
    judge(&l, 2, 0);
    assert_true(l.off);
    assert_int_equal(GUESS(&l, 8, 1, 2, 3, 4, 5, 6, 1, 2, 3), 0);
}

static void test_half_of_the_guesses_is_enough(void **state) {
    (void)state;
    struct lookup l = { 0 };
    for (int i = 0; i < 1000; i++) judge(&l, 2, 1);
    assert_false(l.off);
}

/* A file was quoted, and now something new is said. */
static void test_what_was_right_long_ago_does_not_count_for_ever(void **state) {
    (void)state;
    struct lookup l = { 0 };
    for (int i = 0; i < 1000; i++) judge(&l, 8, 8);
    int wrong = 0;
    while (!l.off && wrong < 1000) {
        judge(&l, 2, 0);
        wrong++;
    }
    assert_true(wrong > LOOKUP_TRIAL / 2 && wrong <= LOOKUP_REMEMBERED);
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
    lookup_end(&l);
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
        cmocka_unit_test(test_an_answer_that_is_mostly_guessed_wrong_goes_on_without),
        cmocka_unit_test(test_half_of_the_guesses_is_enough),
        cmocka_unit_test(test_what_was_right_long_ago_does_not_count_for_ever),
        cmocka_unit_test(test_all_tokens_are_counted),
        cmocka_unit_test(test_it_looks_back_so_far_and_no_farther),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
