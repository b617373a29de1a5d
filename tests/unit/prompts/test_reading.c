/* SPDX-License-Identifier: MIT */
#include "prompts/reading.h"

#include "cmocka_prelude.h"

enum { MB = 1000000, SECOND = 1000000 };

static void test_what_was_not_measured_is_read(void **state) {
    (void)state;
    struct reading r = { 0 };
    assert_true(reading_pays(&r, 1000 * MB, 1, 1e9, SECOND));
    reading_note(&r, 1, SECOND, SECOND);
    assert_true(reading_pays(&r, 1000 * MB, 1, 0, SECOND));
}

/* 0.5B on two cores: 12.7 kB and 5 ms a token. */
static void test_a_processor_reads(void **state) {
    (void)state;
    struct reading r = { 0 };
    reading_note(&r, 100 * MB, SECOND, SECOND);
    assert_true(reading_pays(&r, 25 * MB, 2000, 200, 2 * SECOND));
}

/* 100 kB a token: 100 MB/s are 1,000 tokens/s. */
static void test_a_fast_card_beside_a_slow_disk_processes(void **state) {
    (void)state;
    struct reading r = { 0 };
    reading_note(&r, 200 * MB, 2 * SECOND, SECOND);
    assert_false(reading_pays(&r, 400 * MB, 4000, 5000, SECOND));
    assert_true(reading_pays(&r, 400 * MB, 4000, 999, SECOND));
    assert_true(reading_pays(&r, 400 * MB, 4000, 1000, SECOND));
    assert_false(reading_pays(&r, 400 * MB, 4000, 1001, SECOND));
}

/* What counts is what it saves: little of a long entry is processed sooner. */
static void test_a_long_entry_is_not_read_for_a_few_tokens(void **state) {
    (void)state;
    struct reading r = { 0 };
    reading_note(&r, 100 * MB, SECOND, SECOND);
    assert_false(reading_pays(&r, 100 * MB, 100, 200, SECOND));
    assert_true(reading_pays(&r, 100 * MB, 300, 200, SECOND));
}

static void test_a_disk_that_was_busy_gets_another_chance(void **state) {
    (void)state;
    struct reading r = { 0 };
    reading_note(&r, MB, SECOND, SECOND);
    assert_false(reading_pays(&r, 100 * MB, 100, 200, READING_STALE_USEC));
    assert_true(reading_pays(&r, 100 * MB, 100, 200, READING_STALE_USEC + (int64_t)SECOND));
}

static void test_no_time_at_all_is_fast(void **state) {
    (void)state;
    struct reading r = { 0 };
    reading_note(&r, MB, 0, SECOND);
    assert_true(reading_pays(&r, 100 * MB, 100, 1e6, SECOND));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_not_measured_is_read),
        cmocka_unit_test(test_a_processor_reads),
        cmocka_unit_test(test_a_fast_card_beside_a_slow_disk_processes),
        cmocka_unit_test(test_a_long_entry_is_not_read_for_a_few_tokens),
        cmocka_unit_test(test_a_disk_that_was_busy_gets_another_chance),
        cmocka_unit_test(test_no_time_at_all_is_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
