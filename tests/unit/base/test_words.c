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

static void test_a_refusal_names_the_field_and_lists_the_words(void **state) {
    static const char *const sizes[] = { "", "small", "large" };
    struct error err = { 0 };
    (void)state;
    assert_false(words_refuse(sizes, 3, "size", &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, "size");
    assert_string_equal(err.text, "'size' must be one of \"small\", \"large\".");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_word_has_the_index_of_its_place),
        cmocka_unit_test(test_what_is_none_has_no_index),
        cmocka_unit_test(test_a_refusal_names_the_field_and_lists_the_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
