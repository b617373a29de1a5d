/* SPDX-License-Identifier: MIT */
#include "engine/cpu_threads.h"

#include "cmocka_prelude.h"

static void test_the_machine_is_read(void **state) {
    (void)state;
    struct cpu_threads cpu;
    cpu_threads_init(&cpu);
    assert_true(cpu_threads_default() >= 1);
    assert_in_range(cpu_threads_begin_batch(&cpu, 2), 1, 2);
    cpu_threads_end_batch(&cpu);
    assert_true(cpu.load.at > 0 && cpu.batch_lasted >= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_machine_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
