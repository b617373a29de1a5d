/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "supervisor/log_budget.h"

static int printed_of(struct log_budget *budget, int lines, msec now) {
    int printed = 0;
    for (int i = 0; i < lines; i++) printed += log_budget_take(budget, now) == LOG_LINE;
    return printed;
}

static void test_a_flood_of_lines_is_cut(void **state) {
    (void)state;
    struct log_budget budget = { 0 };
    assert_int_equal(printed_of(&budget, LOG_BUDGET_LINES, 1000), LOG_BUDGET_LINES);
    assert_int_equal(log_budget_take(&budget, 1000), LOG_LAST_LINE);
    assert_int_equal(log_budget_take(&budget, 1000), LOG_NO_LINE);
    assert_int_equal(printed_of(&budget, 100000, 1000 + LOG_BUDGET_SPAN_MS - 1), 0);
}

static void test_after_the_span_lines_are_printed_again(void **state) {
    (void)state;
    struct log_budget budget = { 0 };
    (void)printed_of(&budget, 2 * LOG_BUDGET_LINES, 1000);
    assert_int_equal(log_budget_take(&budget, 1000 + LOG_BUDGET_SPAN_MS), LOG_LINE);
    assert_int_equal(printed_of(&budget, LOG_BUDGET_LINES, 1000 + LOG_BUDGET_SPAN_MS),
                     LOG_BUDGET_LINES - 1);
}

static void test_the_span_begins_with_its_first_line(void **state) {
    (void)state;
    struct log_budget budget = { 0 };
    assert_int_equal(printed_of(&budget, 1, LOG_BUDGET_SPAN_MS - 1), 1);
    assert_int_equal(printed_of(&budget, LOG_BUDGET_LINES, LOG_BUDGET_SPAN_MS + 1),
                     LOG_BUDGET_LINES - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_flood_of_lines_is_cut),
        cmocka_unit_test(test_after_the_span_lines_are_printed_again),
        cmocka_unit_test(test_the_span_begins_with_its_first_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
