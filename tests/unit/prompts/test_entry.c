/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cmocka_prelude.h"
#include "prompts/entry.h"

static struct entry_header sample(void) {
    struct entry_header h = { .tokens = 1000,
                              .state_bytes = 123456789,
                              .checkpoint_count = 2,
                              .checkpoints = { { 300, 5000 }, { 900, 6000 } },
                              .tokens_sum = UINT64_MAX - 1,
                              .body_sum = 42 };
    for (int i = 0; i < FINGERPRINT_SIZE; i++) h.fingerprint[i] = (unsigned char)(i * 17);
    return h;
}

static bool parses(const struct entry_header *h) {
    unsigned char bytes[ENTRY_HEADER_SIZE];
    struct entry_header again;
    entry_format(h, bytes);
    return entry_parse(bytes, sizeof bytes, entry_file_size(h), &again);
}

static void test_round_trip(void **state) {
    (void)state;
    unsigned char bytes[ENTRY_HEADER_SIZE], twice[ENTRY_HEADER_SIZE];
    struct entry_header h = sample(), again;
    entry_format(&h, bytes);
    assert_int_equal(entry_file_size(&h), 136 + 4000 + 123456789 + 5000 + 6000);
    assert_int_equal(entry_body_offset(&h), 136 + 4000);
    assert_true(entry_parse(bytes, sizeof bytes, entry_file_size(&h), &again));
    assert_int_equal(again.tokens, 1000);
    assert_int_equal(again.checkpoints[1].tokens, 900);
    entry_format(&again, twice);
    assert_memory_equal(bytes, twice, sizeof bytes);
}

static void test_every_damaged_bit_shows(void **state) {
    (void)state;
    unsigned char bytes[ENTRY_HEADER_SIZE];
    struct entry_header h = sample(), again;
    entry_format(&h, bytes);
    for (int bit = 0; bit < 8 * ENTRY_HEADER_SIZE; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(entry_parse(bytes, sizeof bytes, entry_file_size(&h), &again));
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_true(entry_parse(bytes, sizeof bytes, entry_file_size(&h), &again));
}

static void test_checkpoints_lie_one_behind_the_other(void **state) {
    (void)state;
    struct entry_header h = sample();
    assert_int_equal(entry_checkpoint_offset(&h, 0), 123456789);
    assert_int_equal(entry_checkpoint_offset(&h, 1), 123456789 + 5000);
    assert_int_equal(entry_checkpoint_offset(&h, 2), entry_body_size(&h));
}

static void test_sizes_have_to_agree(void **state) {
    (void)state;
    unsigned char bytes[ENTRY_HEADER_SIZE];
    struct entry_header h = sample(), again;
    entry_format(&h, bytes);
    uint64_t size = entry_file_size(&h);
    assert_false(entry_parse(bytes, sizeof bytes, size - 1, &again));
    assert_false(entry_parse(bytes, sizeof bytes, size + 1, &again));
    for (size_t len = 0; len < sizeof bytes; len++) {
        assert_false(entry_parse(bytes, len, size, &again));
    }
}

/* Right by the checksum, but nonsense. */
static void test_nonsense_is_refused(void **state) {
    (void)state;
    struct entry_header h = sample();
    assert_true(parses(&h));
    h.tokens = 0;
    assert_false(parses(&h));
    h.tokens = ENTRY_MAX_TOKENS + 1;
    assert_false(parses(&h));
    h = (struct entry_header){ .tokens = 0, .state_bytes = 1 };
    assert_false(parses(&h));
    h = sample();
    h.state_bytes = 0;
    assert_false(parses(&h));
    h.state_bytes = UINT64_MAX;
    assert_false(parses(&h));
    h = sample();
    h.checkpoints[0].tokens = 900; /* not rising */
    assert_false(parses(&h));
    h.checkpoints[0].tokens = 0;
    assert_false(parses(&h));
    h = sample();
    h.checkpoints[1].tokens = 1000; /* not before the end */
    assert_false(parses(&h));
    h = sample();
    h.checkpoints[1].bytes = 0;
    assert_false(parses(&h));
    h.checkpoints[1].bytes = UINT64_MAX - 100;
    assert_false(parses(&h));
}

/* Give changed bytes the checksum that fits them. */
static void seal(unsigned char bytes[ENTRY_HEADER_SIZE]) {
    uint64_t sum = entry_sum(bytes, ENTRY_HEADER_SIZE - 8);
    for (int i = 0; i < 8; i++) {
        bytes[ENTRY_HEADER_SIZE - 8 + i] = (unsigned char)(sum >> (8 * i));
    }
}

/* Byte `at` of the header as it is in another format, which a checksum of its own seals. */
static void check_other_format(int at, unsigned char value) {
    unsigned char bytes[ENTRY_HEADER_SIZE];
    struct entry_header h = sample(), again;
    entry_format(&h, bytes);
    bytes[at] = value;
    seal(bytes);
    assert_false(entry_parse(bytes, sizeof bytes, entry_file_size(&h), &again));
}

static void test_other_formats_are_refused(void **state) {
    (void)state;
    check_other_format(0, 'd');
    check_other_format(7, 't');
    check_other_format(8, 2); /* version */
}

/* The fifth checkpoint would be where the sums are. */
static void test_one_checkpoint_past_the_most_is_refused(void **state) {
    (void)state;
    unsigned char bytes[ENTRY_HEADER_SIZE];
    struct entry_header h = sample(), again;
    h.checkpoint_count = ENTRY_MAX_CHECKPOINTS;
    for (uint32_t i = 0; i < ENTRY_MAX_CHECKPOINTS; i++) {
        h.checkpoints[i] = (struct entry_checkpoint){ .tokens = 100 * (i + 1), .bytes = 10 };
    }
    h.tokens_sum = 500;
    h.body_sum = 10;
    entry_format(&h, bytes);
    assert_true(entry_parse(bytes, sizeof bytes, entry_file_size(&h), &again));
    bytes[12] = ENTRY_MAX_CHECKPOINTS + 1;
    seal(bytes);
    assert_false(entry_parse(bytes, sizeof bytes, entry_file_size(&h) + 10, &again));
}

static void test_names(void **state) {
    (void)state;
    char name[ENTRY_NAME_SIZE], other[ENTRY_NAME_SIZE];
    struct entry_header h = sample();
    entry_name(&h, name);
    assert_true(entry_is_name(name));
    h.tokens_sum--;
    entry_name(&h, other);
    assert_string_not_equal(name, other);
    h = sample();
    h.fingerprint[15] ^= 1;
    entry_name(&h, other);
    assert_string_not_equal(name, other);
    assert_false(entry_is_name(""));
    assert_false(entry_is_name("0123456789abcde.prompt"));
    assert_false(entry_is_name("0123456789abcdef0.prompt"));
    assert_false(entry_is_name("0123456789abcdeF.prompt"));
    assert_false(entry_is_name("0123456789abcdef.prompt~"));
    assert_false(entry_is_name(ENTRY_UNFINISHED "7-0123456789abcdef.prompt"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_damaged_bit_shows),
        cmocka_unit_test(test_checkpoints_lie_one_behind_the_other),
        cmocka_unit_test(test_sizes_have_to_agree),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_other_formats_are_refused),
        cmocka_unit_test(test_one_checkpoint_past_the_most_is_refused),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
