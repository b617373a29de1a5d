/* SPDX-License-Identifier: MIT */
#include "base/size.h"

#include "cmocka_prelude.h"

static void test_sizes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        nbytes want;
    } rows[] = {
        { "0", 0 },
        { "4096", 4096 },
        { "12 B", 12 },
        { "8GB", 8000000000 },
        { "8g", 8000000000 },
        { "1.5 tb", 1500000000000 },
        { "0.3KB", 300 },
        { "512MiB", 536870912 },
        { "2gib", 2147483648 },
        { "9007199254740992", 9007199254740992 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nbytes bytes = 7;
        if (!size_parse(rows[i].text, &bytes)) fail_msg("'%s' is refused", rows[i].text);
        assert_int_equal(bytes, rows[i].want);
    }
}

static void test_what_is_no_size(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "GB",
        "-1",
        "+1",
        "1e3",
        "0x10",
        "inf",
        ".",
        "1.2.3",
        "5mm",
        "5 ",
        "5  MB",
        " 5",
        "8GBs",
        "8Gi",
        "8XB",
        "9007199254740994",
        "10000TB",
        "99999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        nbytes bytes = 7;
        if (size_parse(rows[i], &bytes)) fail_msg("'%s' is taken", rows[i]);
        assert_int_equal(bytes, 7);
    }
}

static void test_format(void **state) {
    (void)state;
    static const struct {
        nbytes bytes;
        const char *want;
    } rows[] = {
        { 0, "0 B" },
        { 999, "999 B" },
        { 1000, "1.00 KB" },
        { 397810000, "397.81 MB" },
        { 999999999, "1.00 GB" },
        { UINT64_MAX, "18.45 EB" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[SIZE_TEXT];
        size_format(rows[i].bytes, text);
        assert_string_equal(text, rows[i].want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_what_is_no_size),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
