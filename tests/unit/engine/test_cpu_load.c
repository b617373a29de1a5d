/* SPDX-License-Identifier: MIT */
#include "engine/cpu_load.h"

#include "cmocka_prelude.h"

static void test_alone_all_threads_compute(void **state) {
    (void)state;
    struct cpu_load load = { 0 };
    assert_int_equal(cpu_load_threads(&load, 2, 2), 2);
    assert_int_equal(cpu_load_threads(&load, 4, 2), 2);
    assert_int_equal(cpu_load_threads(&load, 1, 8), 1);
}

static void test_what_wakes_for_a_moment_takes_no_core(void **state) {
    (void)state;
    struct cpu_load load = { 0 };
    cpu_load_sample(&load, 1, 1000);
    assert_int_equal(cpu_load_threads(&load, 2, 2), 2);
    cpu_load_sample(&load, 1, 2000);
    assert_int_equal(cpu_load_threads(&load, 2, 2), 2);
    cpu_load_sample(&load, 0, 3000);
    cpu_load_sample(&load, 1, 4000);
    cpu_load_sample(&load, 1, 5000);
    assert_int_equal(cpu_load_threads(&load, 2, 2), 2);
}

static void test_what_stays_takes_its_cores_until_it_goes(void **state) {
    (void)state;
    struct cpu_load load = { 0 };
    cpu_load_sample(&load, 3, 1000);
    cpu_load_sample(&load, 1, 2000);
    cpu_load_sample(&load, 2, 3000);
    assert_int_equal(cpu_load_threads(&load, 4, 4), 3);
    for (int i = 0; i < 3; i++) cpu_load_sample(&load, 9, 4000 + i);
    assert_int_equal(cpu_load_threads(&load, 4, 4), 1);
    cpu_load_sample(&load, 0, 5000);
    assert_int_equal(cpu_load_threads(&load, 4, 4), 4);
    assert_int_equal(load.at, 5000);
}

static void test_a_first_look_counts_at_once(void **state) {
    (void)state;
    struct cpu_load load = { 0 };
    cpu_load_restart(&load, 1, 1000);
    assert_int_equal(cpu_load_threads(&load, 2, 2), 1);
    cpu_load_restart(&load, -1, 2000);
    assert_int_equal(cpu_load_threads(&load, 2, 2), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_all_threads_compute),
        cmocka_unit_test(test_what_wakes_for_a_moment_takes_no_core),
        cmocka_unit_test(test_what_stays_takes_its_cores_until_it_goes),
        cmocka_unit_test(test_a_first_look_counts_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
