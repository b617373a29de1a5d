/* SPDX-License-Identifier: MIT */
#include "base/split_files.h"

#include <string.h>

#include "cmocka_prelude.h"

static void test_a_part_is_known_by_its_name(void **state) {
    (void)state;
    struct split_name name;
    assert_true(split_name_parse("a/b-00002-of-00010.gguf", &name));
    assert_int_equal(name.stem_len, 3);
    assert_int_equal(name.part, 2);
    assert_int_equal(name.count, 10);
    assert_true(split_name_parse("B-00001-OF-99999.GGUF", &name));
    assert_int_equal(name.count, 99999);
}

static void test_names_of_no_part(void **state) {
    (void)state;
    static const char *const names[] = { "",
                                         "b.gguf",
                                         "b-00000-of-00002.gguf",
                                         "b-00003-of-00002.gguf",
                                         "b-00001-of-00000.gguf",
                                         "b-1-of-2.gguf",
                                         "b-0000x-of-00002.gguf",
                                         "b-00001-to-00002.gguf",
                                         "00001-of-00002.gguf",
                                         "b-00001-of-00002.bin",
                                         "b-0001-of-000003.gguf",
                                         "b-00001-of--0003.gguf" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct split_name name = { .part = 77 };
        assert_false(split_name_parse(names[i], &name));
        assert_int_equal(name.part, 77);
    }
}

static void test_a_set_is_counted_by_its_first_file(void **state) {
    (void)state;
    assert_int_equal(split_files_count("/m/big-00001-of-00003.gguf"), 3);
    assert_int_equal(split_files_count("/m/big-00001-of-01000.gguf"), 1000);
    static const char *const single[] = { "/m/big.gguf", "-00001-of-00003.gguf",
                                          "/m/big-00002-of-00003.gguf",
                                          "/m/big-00001-of-00001.gguf",
                                          "/m/big-00001-of-01001.gguf" };
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        assert_int_equal(split_files_count(single[i]), 1);
    }
}

static void check_path(const char *first, unsigned index, const char *want) {
    char path[64];
    split_files_path(first, index, path, sizeof path);
    assert_string_equal(path, want);
}

static void test_the_paths_of_a_set(void **state) {
    (void)state;
    char cut[8];
    check_path("/m/big-00001-of-00012.gguf", 1, "/m/big-00001-of-00012.gguf");
    check_path("/m/big-00001-of-00012.gguf", 12, "/m/big-00012-of-00012.gguf");
    check_path("/m/BIG-00001-OF-00012.GGUF", 2, "/m/BIG-00002-OF-00012.GGUF");
    check_path("x.gguf", 1, "x.gguf");
    split_files_path("/m/big-00001-of-00012.gguf", 2, cut, sizeof cut);
    assert_string_equal(cut, "/m/big-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_part_is_known_by_its_name),
        cmocka_unit_test(test_names_of_no_part),
        cmocka_unit_test(test_a_set_is_counted_by_its_first_file),
        cmocka_unit_test(test_the_paths_of_a_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
