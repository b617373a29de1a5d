/* SPDX-License-Identifier: MIT */
#include "base/split_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_a_set_is_known_by_its_first_file(void **state) {
    (void)state;
    size_t stem;
    assert_int_equal(split_files_count("/m/big-00001-of-00003.gguf", &stem), 3);
    assert_int_equal(stem, strlen("/m/big"));
    assert_int_equal(split_files_count("/m/big-00001-of-01000.gguf", &stem), 1000);
}

static void test_what_is_no_set(void **state) {
    (void)state;
    static const char *const paths[] = { "",
                                         "x.gguf",
                                         "-00001-of-00003.gguf",
                                         "/m/big-00002-of-00003.gguf",
                                         "/m/big-00001-of-00001.gguf",
                                         "/m/big-00001-of-00000.gguf",
                                         "/m/big-00001-of-01001.gguf",
                                         "/m/big-00001-of-00003.part",
                                         "/m/big-0001-of-000003.gguf",
                                         "/m/big-00001-of--0003.gguf" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        size_t stem = 99;
        assert_int_equal(split_files_count(paths[i], &stem), 1);
        assert_int_equal(stem, 0);
    }
}

static void test_the_paths_of_a_set(void **state) {
    (void)state;
    size_t stem;
    char path[64], cut[8];
    const char *first = "/m/big-00001-of-00012.gguf";
    int count = split_files_count(first, &stem);
    split_files_path(first, stem, 1, count, path, sizeof path);
    assert_string_equal(path, first);
    split_files_path(first, stem, 12, count, path, sizeof path);
    assert_string_equal(path, "/m/big-00012-of-00012.gguf");
    split_files_path("x.gguf", 0, 1, 1, path, sizeof path);
    assert_string_equal(path, "x.gguf");
    split_files_path(first, stem, 1, count, cut, sizeof cut);
    assert_string_equal(cut, "/m/big-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_set_is_known_by_its_first_file),
        cmocka_unit_test(test_what_is_no_set),
        cmocka_unit_test(test_the_paths_of_a_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
