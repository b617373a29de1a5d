/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void expect(void (*mend)(char *text), const char *text, const char *want) {
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    mend(copy);
    assert_string_equal(copy, want);
}

static void test_bytes_of_no_character_are_replaced(void **state) {
    (void)state;
    expect(utf8_mend, "gr\xc3\xbcn\n", "gr\xc3\xbcn\n");
    expect(utf8_mend, "/\xff\xc3", "/??");
    expect(utf8_mend, "\xed\xa0\x80", "???"); /* a surrogate */
}

static void test_a_line_has_no_control_characters(void **state) {
    (void)state;
    expect(utf8_mend_line, "gr\xc3\xbcn \xe2\x82\xac", "gr\xc3\xbcn \xe2\x82\xac");
    expect(utf8_mend_line, "/a\n[forged]\r", "/a?[forged]?");
    expect(utf8_mend_line, "\x1b[2J\x7f\t", "?[2J??");
    expect(utf8_mend_line, "\xc2\x9b[2J\xc2\xa0", "??[2J\xc2\xa0");
    expect(utf8_mend_line, "\xff\xc2", "??");
    expect(utf8_mend_line, "", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_of_no_character_are_replaced),
        cmocka_unit_test(test_a_line_has_no_control_characters),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
