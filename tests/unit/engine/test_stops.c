/* SPDX-License-Identifier: MIT */
#include "engine/stops.h"

#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"

static struct stops_found scan(const char **words, size_t count, const char *text) {
    struct stops stops = { .words = words, .count = count };
    return stops_scan(&stops, text, strlen(text));
}

static void test_without_words_everything_is_safe(void **state) {
    (void)state;
    struct stops_found found = scan(NULL, 0, "hello");
    assert_int_equal(found.safe, 5);
    assert_int_equal(found.word, -1);
}

static void test_a_possible_beginning_is_held(void **state) {
    (void)state;
    const char *words[] = { "STOP" };
    assert_int_equal(scan(words, 1, "hello S").safe, 6);
    assert_int_equal(scan(words, 1, "hello STO").safe, 6);
    assert_int_equal(scan(words, 1, "hello STA").safe, 9);
    assert_int_equal(scan(words, 1, "SSSTO").safe, 2);
    assert_int_equal(scan(words, 1, "hello ST").word, -1);
}

static void test_the_earliest_word_wins(void **state) {
    (void)state;
    const char *words[] = { "world", "lo", "o w" };
    struct stops_found found = scan(words, 3, "hello world");
    assert_int_equal(found.word, 1);
    assert_int_equal(found.safe, 3);
}

static void test_of_words_that_begin_together_the_first_listed_wins(void **state) {
    (void)state;
    const char *words[] = { "ab", "abc" };
    assert_int_equal(scan(words, 2, "xabc").word, 0);
    const char *other[] = { "abc", "ab" };
    assert_int_equal(scan(other, 2, "xabc").word, 0);
}

/* "bc" is there, but "abcd" began before it and may still come. */
static void test_a_longer_word_that_began_earlier_is_waited_for(void **state) {
    (void)state;
    const char *words[] = { "bc", "abcd" };
    struct stops_found found = scan(words, 2, "xabc");
    assert_int_equal(found.word, -1);
    assert_int_equal(found.safe, 1);
    found = scan(words, 2, "xabcd");
    assert_int_equal(found.word, 1);
    assert_int_equal(found.safe, 1);
    found = scan(words, 2, "xabce");
    assert_int_equal(found.word, 0);
    assert_int_equal(found.safe, 2);
}

/* Fed byte by byte or in any two pieces, no byte of the stop string gets out. */
static void test_pieces_give_the_same_as_the_whole(void **state) {
    (void)state;
    const char *words[] = { "<|end|>", "\n\nUser:" };
    struct stops stops = { .words = words, .count = 2 };
    const char *text = "Yes < | <|en no\n\nUse <|end|> never";
    for (size_t step = 1; step < 12; step++) {
        struct buf held = BUF_INIT(256), out = BUF_INIT(256);
        int word = -1;
        for (size_t at = 0; at < strlen(text) && word < 0; at += step) {
            size_t len = strlen(text) - at < step ? strlen(text) - at : step;
            assert_true(buf_add(&held, text + at, len));
            struct stops_found found = stops_scan(&stops, held.data, held.len);
            assert_true(buf_add(&out, held.data, found.safe));
            buf_drop(&held, found.safe);
            word = found.word;
        }
        assert_int_equal(word, 0);
        assert_string_equal(buf_str(&out), "Yes < | <|en no\n\nUse ");
        buf_clear(&held);
        buf_clear(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_words_everything_is_safe),
        cmocka_unit_test(test_a_possible_beginning_is_held),
        cmocka_unit_test(test_the_earliest_word_wins),
        cmocka_unit_test(test_of_words_that_begin_together_the_first_listed_wins),
        cmocka_unit_test(test_a_longer_word_that_began_earlier_is_waited_for),
        cmocka_unit_test(test_pieces_give_the_same_as_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
