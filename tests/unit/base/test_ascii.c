/* SPDX-License-Identifier: MIT */
#include "base/ascii.h"

#include <string.h>

#include "cmocka_prelude.h"

static void test_only_ascii_letters_have_a_case(void **state) {
    (void)state;
    assert_true(ascii_equal("Qwen-7B", 7, "qwEN-7b", 7));
    assert_false(ascii_equal("qwen", 4, "qwen2", 5));
    assert_false(ascii_equal("a@", 2, "a`", 2)); /* as far apart as 'A' and 'a' */
    assert_false(ascii_equal("\xc3\x84", 2, "\xc3\xa4", 2));
    assert_true(ascii_equal("", 0, "", 0));
}

static void test_tails(void **state) {
    (void)state;
    assert_true(ascii_ends_with("m.GGUF", 6, ".gguf"));
    assert_true(ascii_ends_with(".gguf", 5, ".gguf"));
    assert_false(ascii_ends_with("gguf", 4, ".gguf"));
    assert_false(ascii_ends_with("m.gguf.part", 11, ".gguf"));
    assert_true(ascii_ends_with("m.gguf.part", 6, ".gguf")); /* of the first six bytes */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_ascii_letters_have_a_case),
        cmocka_unit_test(test_tails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
