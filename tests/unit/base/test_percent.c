/* SPDX-License-Identifier: MIT */
#include "base/percent.h"

#include <stdio.h>

#include "cmocka_prelude.h"

static void check_encode(const char *text, const char *plain, const char *want) {
    struct buf out = BUF_INIT(64);
    assert_true(percent_encode(&out, text, plain));
    assert_string_equal(buf_str(&out), want);
    buf_clear(&out);
}

static void test_encode(void **state) {
    (void)state;
    check_encode("", PERCENT_UNRESERVED, "");
    check_encode("Az09-._~", PERCENT_UNRESERVED, "Az09-._~");
    check_encode("a/b c%\n", PERCENT_UNRESERVED, "a%2Fb%20c%25%0A");
    check_encode("\xc3\xbc", PERCENT_UNRESERVED, "%C3%BC");
    check_encode("a.b", "", "a%2Eb");
    struct buf small = BUF_INIT(4);
    assert_false(percent_encode(&small, "ab/", ""));
    buf_clear(&small);
}

static void test_decode(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        { "", "" },     { "plain+", "plain+" },   { "a%2Fb%2fc", "a/b/c" },
        { "%25", "%" }, { "%C3%bc", "\xc3\xbc" }, { "%2525", "%25" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", rows[i][0]);
        assert_true(percent_decode(text));
        assert_string_equal(text, rows[i][1]);
    }
}

static void test_what_cannot_be_decoded(void **state) {
    (void)state;
    static const char *const rows[] = { "%", "%2", "a%2", "%g0", "%0g", "%00", "% 20", "%%20" };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", rows[i]);
        if (percent_decode(text)) fail_msg("'%s' is taken", rows[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_what_cannot_be_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
