/* SPDX-License-Identifier: MIT */
#include "base/cgroup.h"

#include <limits.h>

#include "base/memory.h"
#include "cmocka_prelude.h"
#include "fake_root.h"

enum { MIB = 1 << 20 };

/* A machine with 16 GiB whose service has its limits in the slice above it. */
static int make_service(void **state) {
    if (fake_root_make(state) != 0) return -1;
    fake_root_put("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n");
    fake_root_put("proc/self/cgroup", "0::/system.slice/doze.service\n");
    fake_root_put("sys/fs/cgroup/cpu.pressure", "");
    fake_root_put("sys/fs/cgroup/system.slice/memory.max", "max\n");
    fake_root_put("sys/fs/cgroup/system.slice/memory.high", "max\n");
    fake_root_put("sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
    fake_root_put("sys/fs/cgroup/system.slice/doze.service/memory.max", "max\n");
    fake_root_put("sys/fs/cgroup/system.slice/doze.service/memory.high", "max\n");
    fake_root_put("sys/fs/cgroup/system.slice/doze.service/memory.current",
                  "104857600\n"); /* 100 MiB */
    fake_root_put("sys/fs/cgroup/system.slice/doze.service/memory.stat",
                  "anon 1\ninactive_file 20971520\nactive_file 10485760\n"); /* 30 MiB */
    fake_root_put("sys/fs/cgroup/system.slice/doze.service/cpu.max", "max 100000\n");
    return 0;
}

#define SERVICE "sys/fs/cgroup/system.slice/doze.service/"

static void test_without_limits_the_machine_counts(void **state) {
    const char *root = *state;
    assert_int_equal(cgroup_memory_total(root), UINT64_MAX);
    assert_int_equal(cgroup_memory_available(root), UINT64_MAX);
    assert_int_equal(cgroup_cpus(root), INT_MAX);
    assert_int_equal(memory_total_at(root), (nbytes)16384 * MIB);
    assert_int_equal(memory_available_at(root), (nbytes)8192 * MIB);
}

static void test_a_limit_of_the_service(void **state) {
    const char *root = *state;
    fake_root_put(SERVICE "memory.max", "1073741824\n");
    fake_root_put(SERVICE "cpu.max", "250000 100000\n");
    assert_int_equal(memory_total_at(root), 1024 * MIB);
    assert_int_equal(memory_available_at(root), (1024 - 100 + 30) * MIB);
    assert_int_equal(cgroup_cpus(root), 2);
}

static void test_the_lower_of_two_limits_of_memory(void **state) {
    const char *root = *state;
    fake_root_put(SERVICE "memory.max", "1073741824\n");
    fake_root_put(SERVICE "memory.high", "536870912\n");
    assert_int_equal(memory_total_at(root), 512 * MIB);
    assert_int_equal(memory_available_at(root), (512 - 100 + 30) * MIB);
}

/* What others in the slice use is gone, too. */
static void test_a_limit_above_the_service(void **state) {
    const char *root = *state;
    fake_root_put(SERVICE "memory.max", "2147483648\n");
    fake_root_put(SERVICE "cpu.max", "800000 100000\n");
    fake_root_put("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
    fake_root_put("sys/fs/cgroup/system.slice/memory.current", "838860800\n");
    fake_root_put("sys/fs/cgroup/system.slice/memory.stat", "inactive_file 0\nactive_file 0\n");
    fake_root_put("sys/fs/cgroup/system.slice/cpu.max", "300000 100000\n");
    assert_int_equal(memory_total_at(root), 1024 * MIB);
    assert_int_equal(memory_available_at(root), 224 * MIB);
    assert_int_equal(cgroup_cpus(root), 3);
}

/* The host's path of a container's group, whose own root is mounted. */
static void test_a_container_with_a_foreign_path(void **state) {
    const char *root = *state;
    fake_root_put("proc/self/cgroup", "0::/docker/4711\n");
    fake_root_put("sys/fs/cgroup/memory.max", "268435456\n");
    fake_root_put("sys/fs/cgroup/memory.current", "1048576\n");
    fake_root_put("sys/fs/cgroup/cpu.max", "50000 100000\n");
    assert_int_equal(memory_total_at(root), 256 * MIB);
    assert_int_equal(memory_available_at(root), 255 * MIB);
    assert_int_equal(cgroup_cpus(root), 1);
}

static void test_all_memory_is_used(void **state) {
    const char *root = *state;
    fake_root_put(SERVICE "memory.max", "52428800\n");
    assert_int_equal(memory_available_at(root), 0);
}

static void check_path(const char *text, const char *path) {
    char ret[32] = "";
    assert_true(cgroup_parse_path(text, ret, sizeof ret));
    assert_string_equal(ret, path);
}

static void test_the_path_of_the_own_group(void **state) {
    (void)state;
    check_path("0::/\n", "/");
    check_path("0::/a/b\n", "/a/b");
    check_path("4:memory:/old\n0::/new\n", "/new");
    check_path("0::/no newline", "/no newline");
    check_path("4:memory:/old\n10::/a\n", "/");
    check_path("", "/");
    check_path("0::/../other\n", "/");
    char small[4];
    assert_false(cgroup_parse_path("0::/abc\n", small, sizeof small));
}

static void test_limits_are_parsed(void **state) {
    (void)state;
    assert_int_equal(cgroup_parse_limit("max\n"), UINT64_MAX);
    assert_int_equal(cgroup_parse_limit("4096\n"), 4096);
    assert_int_equal(cgroup_parse_cpus("max 100000\n"), INT_MAX);
    assert_int_equal(cgroup_parse_cpus("399999 100000\n"), 3);
    assert_int_equal(cgroup_parse_cpus("1000 100000\n"), 1);
    assert_int_equal(cgroup_parse_cpus(""), INT_MAX);
    assert_int_equal(cgroup_parse_cpus("100000 0"), INT_MAX);
    assert_int_equal(cgroup_parse_cache("anon 7\nfile 100\ninactive_file 30\nactive_file 4\n"),
                     34);
    assert_int_equal(cgroup_parse_cache(""), 0);
}

#define machine_test(name) cmocka_unit_test_setup_teardown(name, make_service, fake_root_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        machine_test(test_without_limits_the_machine_counts),
        machine_test(test_a_limit_of_the_service),
        machine_test(test_the_lower_of_two_limits_of_memory),
        machine_test(test_a_limit_above_the_service),
        machine_test(test_a_container_with_a_foreign_path),
        machine_test(test_all_memory_is_used),
        cmocka_unit_test(test_the_path_of_the_own_group),
        cmocka_unit_test(test_limits_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
