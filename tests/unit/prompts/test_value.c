/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"
#include "prompts/value.h"

enum { HOUR = 3600 * 1000 };
static const int64_t now = INT64_C(1000) * HOUR;

static void test_more_tokens_newer_and_smaller_is_worth_more(void **state) {
    (void)state;
    struct value_item base = { .tokens = 1000, .bytes = 1 << 20, .used = now - HOUR };
    struct value_item more = base, newer = base, smaller = base;
    more.tokens++;
    newer.used += HOUR / 2;
    smaller.bytes--;
    assert_true(value_of(&more, now) > value_of(&base, now));
    assert_true(value_of(&newer, now) > value_of(&base, now));
    assert_true(value_of(&smaller, now) > value_of(&base, now));
    base.used = now;
    newer.used = now + HOUR; /* the clock was put back: not worth more than new */
    assert_true(value_of(&newer, now) == value_of(&base, now));
}

static void test_recency_halves_in_the_first_hour(void **state) {
    (void)state;
    struct value_item fresh = { .tokens = 10, .bytes = 10, .used = now };
    struct value_item old = { .tokens = 10, .bytes = 10, .used = now - HOUR };
    assert_true(value_of(&old, now) * 2 == value_of(&fresh, now));
}

static void test_the_least_valuable_go_first_and_no_more_than_needed(void **state) {
    (void)state;
    struct value_item items[] = {
        { .tokens = 100, .bytes = 100, .used = now, .owner = "new" },
        { .tokens = 100, .bytes = 100, .used = now - 9 * HOUR, .owner = "oldest" },
        { .tokens = 100, .bytes = 100, .used = now - 2 * HOUR, .owner = "old" },
    };
    assert_int_equal(value_excess(items, 3, 300, now), 0);
    assert_int_equal(value_excess(items, 3, 299, now), 1);
    assert_string_equal(items[0].owner, "oldest");
    assert_int_equal(value_excess(items, 3, 200, now), 1);
    assert_int_equal(value_excess(items, 3, 150, now), 2);
    assert_string_equal(items[1].owner, "old");
    assert_int_equal(value_excess(items, 3, 0, now), 3);
    assert_int_equal(value_excess(items, 0, 0, now), 0);
}

static void test_of_equals_the_older_goes(void **state) {
    (void)state;
    struct value_item items[] = {
        { .tokens = 100, .bytes = 100, .used = now, .owner = "new" },
        { .tokens = 200, .bytes = 100, .used = now - HOUR, .owner = "old" },
    };
    assert_true(value_of(&items[0], now) == value_of(&items[1], now));
    assert_int_equal(value_excess(items, 2, 100, now), 1);
    assert_string_equal(items[0].owner, "old");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_tokens_newer_and_smaller_is_worth_more),
        cmocka_unit_test(test_recency_halves_in_the_first_hour),
        cmocka_unit_test(test_the_least_valuable_go_first_and_no_more_than_needed),
        cmocka_unit_test(test_of_equals_the_older_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
