/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "prompts/saving.h"

static const int64_t pause = 30000000;

static void test_much_that_is_new_is_written_soon(void **state) {
    (void)state;
    assert_int_equal(saving_after(100, 0, pause), SAVING_USEC);
    assert_int_equal(saving_after(900, 800, pause), SAVING_USEC);
}

static void test_a_little_more_waits_for_a_long_pause(void **state) {
    (void)state;
    assert_int_equal(saving_after(899, 800, pause), pause);
    assert_int_equal(saving_after(800, 800, pause), pause);
}

static void test_a_pause_is_never_shorter_than_usual(void **state) {
    (void)state;
    assert_int_equal(saving_after(801, 800, 1), SAVING_USEC);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_much_that_is_new_is_written_soon),
        cmocka_unit_test(test_a_little_more_waits_for_a_long_pause),
        cmocka_unit_test(test_a_pause_is_never_shorter_than_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
