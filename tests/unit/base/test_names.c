/* SPDX-License-Identifier: MIT */
#include "base/names.h"

#include "cmocka_prelude.h"

static void test_the_name_in_a_path(void **state) {
    (void)state;
    assert_string_equal(path_name("/models/a/b.gguf"), "b.gguf");
    assert_string_equal(path_name("b.gguf"), "b.gguf");
    assert_string_equal(path_name("/models/"), "");
    assert_string_equal(path_name(""), "");
}

static void test_only_the_tag_latest_is_left_out(void **state) {
    (void)state;
    assert_int_equal(untagged_len("qwen:latest"), 4);
    assert_int_equal(untagged_len("qwen"), 4);
    assert_int_equal(untagged_len("qwen:2"), 6);
    assert_int_equal(untagged_len("qwen:Latest"), 11);
    assert_int_equal(untagged_len(":latest"), 7); /* the tag of nothing */
    assert_int_equal(untagged_len(""), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_name_in_a_path),
        cmocka_unit_test(test_only_the_tag_latest_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
