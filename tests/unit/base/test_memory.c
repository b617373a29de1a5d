/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include "cmocka_prelude.h"

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

static void test_this_machine_has_memory(void **state) {
    (void)state;
    assert_true(memory_total() > 0);
    assert_true(memory_available() > 0 && memory_available() <= memory_total());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meminfo_lines_are_found_by_their_whole_name),
        cmocka_unit_test(test_this_machine_has_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
