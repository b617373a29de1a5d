/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include "cmocka_prelude.h"

static void test_spans(void **state) {
    (void)state;
    static const struct {
        const char *text;
        msec want;
    } rows[] = {
        { "0", 0 },
        { "300", 300000 },
        { "1.5", 1500 },
        { ".5s", 500 },
        { "5m", 300000 },
        { "1h30m", 5400000 },
        { "1.5h", 5400000 },
        { "250ms", 250 },
        { "2d", 172800000 },
        { "1m300ms", 60300 },
        { "2s500000us", 2500 },
        { "1500\xc2\xb5s", 2 },
        { "1500\xce\xbcs", 2 },
        { "1000000ns", 1 },
        { "1ns", 1 },
        { "0.07s", 70 }, /* as 0.07 * 1000 it would round up to 71 */
        { "315360000", DURATION_MAX },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        msec span = -7;
        if (!duration_parse(rows[i].text, &span)) fail_msg("'%s' is refused", rows[i].text);
        assert_int_equal(span, rows[i].want);
    }
}

static void test_what_is_no_span(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "-2",
        "+2",
        "5x",
        "m",
        ".",
        ".s",
        "1..2",
        "5mm",
        "nan",
        "inf",
        "1e3",
        "1e3s",
        "0x10",
        " 5",
        "5 ",
        "5 m",
        "none",
        "1h30",
        "1.2.3s",
        "315360001",
        "100000h",
        "3651d",
        "9999999999999999999s",
        "99999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        msec span = -7;
        if (duration_parse(rows[i], &span)) fail_msg("'%s' is taken", rows[i]);
        assert_int_equal(span, -7);
    }
}

static void test_format(void **state) {
    (void)state;
    static const struct {
        msec span;
        const char *want;
    } rows[] = {
        { MSEC_NEVER, "none" }, { 0, "0s" },          { -5, "0s" },
        { 850, "850ms" },       { 1999, "1s" },       { 252000, "4m12s" },
        { 300000, "5m" },       { 3600000, "1h" },    { 3605000, "1h" },
        { 3660000, "1h1m" },    { 90000000, "1d1h" }, { MSEC_NEVER - 1, "106751991167d7h" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[DURATION_TEXT];
        duration_format(rows[i].span, text);
        assert_string_equal(text, rows[i].want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_what_is_no_span),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
