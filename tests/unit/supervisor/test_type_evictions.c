/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "supervisor/type_evictions.h"

static int told_of(struct type_evictions *evictions, int count, msec from, msec step) {
    int told = 0;
    for (int i = 0; i < count; i++) told += type_evictions_add(evictions, from + i * step);
    return told;
}

static void test_five_in_ten_minutes_are_told(void **state) {
    (void)state;
    struct type_evictions evictions = { 0 };
    assert_int_equal(told_of(&evictions, TYPE_EVICTIONS - 1, 1000, 1000), 0);
    assert_true(type_evictions_add(&evictions, 1000 + TYPE_EVICTIONS_SPAN_MS));
}

static void test_they_are_told_once(void **state) {
    (void)state;
    struct type_evictions evictions = { 0 };
    assert_int_equal(told_of(&evictions, 1000, 0, 10), 1);
}

static void test_rare_ones_are_not_told(void **state) {
    (void)state;
    struct type_evictions evictions = { 0 };
    assert_int_equal(told_of(&evictions, 100, 0, TYPE_EVICTIONS_SPAN_MS / 4 + 1), 0);
    assert_int_equal(told_of(&evictions, 4, 1000 * (msec)TYPE_EVICTIONS_SPAN_MS, 1), 0);
    assert_true(type_evictions_add(&evictions, 1000 * (msec)TYPE_EVICTIONS_SPAN_MS + 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_in_ten_minutes_are_told),
        cmocka_unit_test(test_they_are_told_once),
        cmocka_unit_test(test_rare_ones_are_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
