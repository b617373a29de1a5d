/* SPDX-License-Identifier: MIT */
#include "base/words.h"

#include "cmocka_prelude.h"

static const char *const colours[] = { "red", "green", "blue" };

static void test_a_word_has_the_index_of_its_place(void **state) {
    (void)state;
    assert_int_equal(WORDS_FIND(colours, "red"), 0);
    assert_int_equal(WORDS_FIND(colours, "blue"), 2);
    assert_int_equal(words_find(colours, 2, "blue"), -1);
}

static void test_what_is_none_has_no_index(void **state) {
    (void)state;
    assert_int_equal(WORDS_FIND(colours, "gree"), -1);
    assert_int_equal(WORDS_FIND(colours, "greens"), -1);
    assert_int_equal(WORDS_FIND(colours, ""), -1);
    assert_int_equal(WORDS_FIND(colours, NULL), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_word_has_the_index_of_its_place),
        cmocka_unit_test(test_what_is_none_has_no_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
