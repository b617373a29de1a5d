/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "supervisor/pressure.h"

static void test_memory_3_the_first_stall_costs_the_spare_worker(void **state) {
    (void)state;
    struct pressure p = { 0 };
    assert_false(pressure_lasts(&p, 5000));
    assert_int_equal(pressure_felt(&p, 5000), PRESSURE_SPARE_LEAVES);
    assert_true(pressure_lasts(&p, 5000));
}

static void test_memory_3_stalls_that_go_on_cost_an_instance_each(void **state) {
    (void)state;
    struct pressure p = { 0 };
    (void)pressure_felt(&p, 5000);
    assert_int_equal(pressure_felt(&p, 7000), PRESSURE_INSTANCE_LEAVES);
    assert_int_equal(pressure_felt(&p, 9000), PRESSURE_INSTANCE_LEAVES);
    assert_int_equal(pressure_felt(&p, 9000 + PRESSURE_CALM - 1), PRESSURE_INSTANCE_LEAVES);
}

static void test_memory_3_after_a_calm_it_begins_anew(void **state) {
    (void)state;
    struct pressure p = { 0 };
    (void)pressure_felt(&p, 5000);
    (void)pressure_felt(&p, 7000);
    assert_true(pressure_lasts(&p, 7000 + PRESSURE_CALM - 1));
    assert_false(pressure_lasts(&p, 7000 + PRESSURE_CALM));
    assert_int_equal(pressure_felt(&p, 7000 + PRESSURE_CALM), PRESSURE_SPARE_LEAVES);
}

#define FILE_OF(total)                                                                         \
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=" total                                      \
    "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=99999999\n"

static void test_memory_3_a_trigger_that_fires_for_old_stalls_is_passed_by(void **state) {
    (void)state;
    uint64_t total = 0;
    (void)pressure_has_grown(FILE_OF("20891659"), 200000, &total);
    assert_int_equal(total, 20891659);
    assert_false(pressure_has_grown(FILE_OF("20891839"), 200000, &total));
    assert_false(pressure_has_grown(FILE_OF("21091838"), 200000, &total));
    assert_true(pressure_has_grown(FILE_OF("21291838"), 200000, &total));
    assert_int_equal(total, 21291838);
}

static void test_memory_3_where_the_file_does_not_say_the_trigger_is_believed(void **state) {
    (void)state;
    uint64_t total = 5;
    assert_true(pressure_has_grown("", 200000, &total));
    assert_true(pressure_has_grown("full total=7\n", 200000, &total));
    assert_true(pressure_has_grown("some total=x\n", 200000, &total));
    assert_int_equal(total, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_3_the_first_stall_costs_the_spare_worker),
        cmocka_unit_test(test_memory_3_stalls_that_go_on_cost_an_instance_each),
        cmocka_unit_test(test_memory_3_after_a_calm_it_begins_anew),
        cmocka_unit_test(test_memory_3_a_trigger_that_fires_for_old_stalls_is_passed_by),
        cmocka_unit_test(test_memory_3_where_the_file_does_not_say_the_trigger_is_believed),
    };
    return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
