/* SPDX-License-Identifier: MIT */
#include "engine/cpu_threads.h"

#include <stdio.h>

#include "cmocka_prelude.h"
#include "fake_root.h"

static void test_the_machine_is_read(void **state) {
    (void)state;
    struct cpu_threads cpu;
    cpu_threads_init(&cpu);
    assert_true(cpu_threads_default() >= 1);
    assert_in_range(cpu_threads_begin_batch(&cpu, 2), 1, 2);
    cpu_threads_end_batch(&cpu);
    assert_true(cpu.load.at > 0 && cpu.batch_lasted >= 0);
}

/* Two cores with two threads each, numbered as most machines do. */
static int make_machine(void **state) {
    if (fake_root_make(state) != 0) return -1;
    for (int cpu = 0; cpu < 4; cpu++) {
        char path[96], siblings[16];
        snprintf(path, sizeof path,
                 "sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
        snprintf(siblings, sizeof siblings, "%d,%d\n", cpu % 2, cpu % 2 + 2);
        fake_root_put(path, siblings);
    }
    fake_root_put("proc/self/cgroup", "0::/a/b\n");
    fake_root_put("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    return 0;
}

static int count(void **state, const char *cpus) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (; *cpus; cpus++) CPU_SET((size_t)(*cpus - '0'), &set);
    return cpu_threads_count_cores(*state, &set);
}

static void test_threads_of_one_core_count_once(void **state) {
    assert_int_equal(count(state, "0123"), 2);
    assert_int_equal(count(state, "02"), 1);
    assert_int_equal(count(state, "01"), 2);
    assert_int_equal(count(state, "23"), 2); /* the first threads are not in the set */
    assert_int_equal(count(state, "5"), 1);  /* the kernel does not say */
}

static void test_siblings_in_ranges(void **state) {
    fake_root_put("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1\n");
    fake_root_put("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "0-1\n");
    assert_int_equal(count(state, "01"), 1);
    assert_int_equal(count(state, "1"), 1);
}

static void test_a_quota_above_the_own_group(void **state) {
    fake_root_put("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    assert_int_equal(count(state, "0123"), 1);
    fake_root_put("sys/fs/cgroup/a/cpu.max", "900000 100000\n");
    assert_int_equal(count(state, "0123"), 2);
}

/* More threads than processors that may be used would only wait for one another. */
static void test_no_more_threads_than_are_allowed(void **state) {
    (void)state;
    struct cpu_threads cpu;
    cpu_threads_init(&cpu);
    assert_in_range(cpu.allowed, 1, cpu.cores);
    cpu.cores = 64;
    cpu.allowed = 2;
    assert_in_range(cpu_threads_begin_batch(&cpu, 16), 1, 2);
}

#define machine_test(name) cmocka_unit_test_setup_teardown(name, make_machine, fake_root_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        machine_test(test_threads_of_one_core_count_once),
        machine_test(test_siblings_in_ranges),
        machine_test(test_a_quota_above_the_own_group),
        cmocka_unit_test(test_no_more_threads_than_are_allowed),
        cmocka_unit_test(test_the_machine_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
