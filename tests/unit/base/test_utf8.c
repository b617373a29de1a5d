/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_prelude.h"

static void test_characters_and_what_is_none(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t len, want;
    } rows[] = {
        { "a", 1, 1 },
        { "\0", 1, 1 },
        { "\xc3\xbc!", 3, 2 },
        { "\xe2\x82\xac", 3, 3 },
        { "\xf0\x9f\x98\x80", 4, 4 },
        { "\xf4\x8f\xbf\xbf", 4, 4 },
        { "\x80", 1, 0 },
        { "\xc1\xbf", 2, 0 }, /* overlong */
        { "\xe0\x9f\xbf", 3, 0 },
        { "\xf0\x8f\xbf\xbf", 4, 0 }, /* overlong */
        { "\xed\xa0\x80", 3, 0 },     /* a surrogate */
        { "\xf4\x90\x80\x80", 4, 0 }, /* past U+10FFFF */
        { "\xe2\x82\xac", 2, 0 },
        { "\xe2\x82!", 3, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(utf8_len(rows[i].bytes, rows[i].len), rows[i].want);
    }
    assert_true(utf8_is_valid("", 0));
    assert_true(utf8_is_valid("gr\xc3\xbc\xc3\x9f\0e", 8));
    assert_false(utf8_is_valid("gr\xc3\xbc\xc3", 5));
    assert_false(utf8_is_valid("ok\xff", 3));
}

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

static void test_an_open_sequence_is_held_back(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t whole;
    } rows[] = {
        { "", 0 },
        { "abc", 3 },
        { "a\xc3", 1 },
        { "a\xc3\xb6", 3 },
        { "\xe2", 0 },
        { "\xe2\x82", 0 },
        { "\xe2\x82\xac", 3 },
        { "x\xf0\x9f\x98", 1 },
        { "x\xf0\x9f\x98\x80", 5 },
        { "\xf0", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(utf8_whole(rows[i].text, strlen(rows[i].text)), rows[i].whole);
    }
}

static void test_what_can_never_be_a_character_is_not_held(void **state) {
    (void)state;
    static const char *const rows[] = { "\x80",     "a\xff",    "\xc0", "\xe0\x80",
                                        "\xed\xa0", "\xf4\x90", "\xf5", "a\x80\x80\x80\x80" };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(utf8_whole(rows[i], strlen(rows[i])), strlen(rows[i]));
    }
}

static void check_repair(const char *text, const char *expected) {
    struct buf out = BUF_INIT(256);
    assert_true(utf8_repair(&out, text, strlen(text)));
    assert_string_equal(buf_str(&out), expected);
    buf_clear(&out);
}

static void test_broken_bytes_become_replacement_characters(void **state) {
    (void)state;
    check_repair("", "");
    check_repair("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    check_repair("a\xff"
                 "b",
                 "a\xef\xbf\xbd"
                 "b");
    check_repair("\xe2\x82", "\xef\xbf\xbd");
    check_repair("\xe2\x82x", "\xef\xbf\xbdx");
    check_repair("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check_repair("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
}

/* However a text is cut, holding back and gluing gives the text again. */
static void test_every_cut_gives_the_text_again(void **state) {
    (void)state;
    const char *text = "a\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80z";
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len; cut++) {
        size_t first = utf8_whole(text, cut);
        struct buf out = BUF_INIT(64);
        assert_true(utf8_repair(&out, text, first));
        assert_true(utf8_repair(&out, text + first, len - first));
        assert_string_equal(buf_str(&out), text);
        buf_clear(&out);
    }
}

static void test_a_full_buffer_is_told(void **state) {
    (void)state;
    struct buf out = BUF_INIT(2);
    assert_false(utf8_repair(&out, "abc", 3));
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters_and_what_is_none),
        cmocka_unit_test(test_bytes_of_no_character_are_replaced),
        cmocka_unit_test(test_a_line_has_no_control_characters),
        cmocka_unit_test(test_an_open_sequence_is_held_back),
        cmocka_unit_test(test_what_can_never_be_a_character_is_not_held),
        cmocka_unit_test(test_broken_bytes_become_replacement_characters),
        cmocka_unit_test(test_every_cut_gives_the_text_again),
        cmocka_unit_test(test_a_full_buffer_is_told),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
