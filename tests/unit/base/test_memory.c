/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"

static void test_meminfo_lines_are_found_by_their_whole_name(void **state) {
    (void)state;
    const char *text = "MemTotal:       100 kB\nMemAvailable:    7 kB\nMem: 1 kB\n";
    nbytes bytes = 0;
    assert_true(memory_parse(text, "MemAvailable", &bytes));
    assert_int_equal(bytes, 7 * 1024);
    assert_true(memory_parse(text, "Mem", &bytes));
    assert_int_equal(bytes, 1024);
    assert_false(memory_parse(text, "Available", &bytes));
    assert_false(memory_parse("", "Mem", &bytes));
}

static void test_cached_pages_of_a_container_are_not_in_use(void **state) {
    (void)state;
    const char *text = "anon 7\nfile 100\ninactive_file 30\nactive_file 4\nslab 9\n";
    assert_int_equal(memory_stat_cache(text), 34);
    assert_int_equal(memory_stat_cache(""), 0);
}

static void test_this_machine_has_memory(void **state) {
    (void)state;
    assert_true(memory_total() > 0);
    assert_true(memory_available() > 0 && memory_available() <= memory_total());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meminfo_lines_are_found_by_their_whole_name),
        cmocka_unit_test(test_cached_pages_of_a_container_are_not_in_use),
        cmocka_unit_test(test_this_machine_has_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
