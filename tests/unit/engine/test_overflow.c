/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "engine/overflow.h"

static void fill(int32_t *tokens, int32_t count) {
    for (int32_t i = 0; i < count; i++) tokens[i] = i;
}

static void test_the_middle_goes(void **state) {
    int32_t tokens[12];
    static const int32_t left[] = { 0, 1, 8, 9, 10, 11 };
    (void)state;
    fill(tokens, 12);
    assert_int_equal(overflow_cut(OVERFLOW_MIDDLE, tokens, 12, 6), 6);
    assert_memory_equal(tokens, left, sizeof left);
}

static void test_the_oldest_go_but_the_first(void **state) {
    int32_t tokens[12];
    static const int32_t left[] = { 0, 9, 10, 11 };
    (void)state;
    fill(tokens, 12);
    assert_int_equal(overflow_cut(OVERFLOW_OLDEST, tokens, 12, 4), 4);
    assert_memory_equal(tokens, left, sizeof left);
}

static void test_what_fits_stays(void **state) {
    int32_t tokens[4];
    (void)state;
    fill(tokens, 4);
    assert_int_equal(overflow_cut(OVERFLOW_MIDDLE, tokens, 4, 4), 4);
    assert_int_equal(overflow_cut(OVERFLOW_MIDDLE, tokens, 4, 2), 2);
    assert_int_equal(tokens[0], 0);
    assert_int_equal(tokens[1], 3);
}

static void test_room_is_left_for_what_comes(void **state) {
    (void)state;
    for (size_t length = 16; length < 5000; length++) {
        assert_true(overflow_room(length) >= 2);
        assert_true(overflow_room(length) < length);
    }
}

static void test_words(void **state) {
    enum overflow overflow = OVERFLOW_STOP;
    (void)state;
    assert_true(overflow_parse("rolling_window", &overflow));
    assert_int_equal(overflow, OVERFLOW_OLDEST);
    assert_true(overflow_parse("truncate_middle", &overflow));
    assert_int_equal(overflow, OVERFLOW_MIDDLE);
    assert_false(overflow_parse("rollingWindow", &overflow));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_middle_goes),
        cmocka_unit_test(test_the_oldest_go_but_the_first),
        cmocka_unit_test(test_what_fits_stays),
        cmocka_unit_test(test_room_is_left_for_what_comes),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("overflow", tests, NULL, NULL);
}
