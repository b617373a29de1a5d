/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cmocka_prelude.h"
#include "prompts/folder.h"

static void check(const char *key, const char *folder) {
    struct buf out = BUF_INIT(1024), back = BUF_INIT(1024);
    folder_from_key(key, &out);
    assert_string_equal(buf_str(&out), folder);
    folder_to_key(buf_str(&out), &back);
    assert_string_equal(buf_str(&back), key);
    buf_clear(&out);
    buf_clear(&back);
}

static void test_keys(void **state) {
    (void)state;
    check("qwen2.5-0.5b-instruct", "qwen2.5-0.5b-instruct");
    check("publisher/Some_Model@q4_0", "publisher%2FSome_Model%40q4_0");
    check("..", "%2E.");
    check(".hidden", "%2Ehidden");
    check("100%", "100%25");
    check("\xc3\xa9t\xc3\xa9", "%C3%A9t%C3%A9");
}

/* No key leaves the store's folder, none is longer than a file system allows, no two are alike.
 */
static void test_long_keys(void **state) {
    (void)state;
    char key[301] = { 0 };
    struct buf one = BUF_INIT(1024), other = BUF_INIT(1024);
    memset(key, '/', 300);
    folder_from_key(key, &one);
    assert_true(one.len < 256);
    assert_null(strchr(buf_str(&one), '/'));
    key[299] = 'x';
    folder_from_key(key, &other);
    assert_string_not_equal(buf_str(&one), buf_str(&other));
    buf_clear(&one);
    buf_clear(&other);
}

static void test_empty_key(void **state) {
    (void)state;
    struct buf out = BUF_INIT(16);
    folder_from_key("", &out);
    assert_string_equal(buf_str(&out), "%");
    buf_clear(&out);
}

static void test_foreign_folders_stand_for_themselves(void **state) {
    (void)state;
    static const char *const names[] = { "%", "a%2", "a%zz", "%%%" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf out = BUF_INIT(64);
        folder_to_key(names[i], &out);
        assert_string_equal(buf_str(&out), names[i]);
        buf_clear(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_long_keys),
        cmocka_unit_test(test_empty_key),
        cmocka_unit_test(test_foreign_folders_stand_for_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
