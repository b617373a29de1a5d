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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_3_the_first_stall_costs_the_spare_worker),
        cmocka_unit_test(test_memory_3_stalls_that_go_on_cost_an_instance_each),
        cmocka_unit_test(test_memory_3_after_a_calm_it_begins_anew),
    };
    return cmocka_run_group_tests_name("pressure", tests, NULL, NULL);
}
