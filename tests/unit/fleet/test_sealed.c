/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/sealed.h"

static const struct sealed_terms terms = { .secret = "key",
                                           .lane = "up",
                                           .borrower = "a",
                                           .lender = "b",
                                           .borrower_number = "1",
                                           .lender_number = "2" };

struct ends {
    struct sealed_lane from, to;
    struct buf wire, out;
};

static struct ends open_ends(const struct sealed_terms *from, const struct sealed_terms *to) {
    struct ends e = { .wire = BUF_INIT(1 << 20), .out = BUF_INIT(1 << 20) };
    sealed_init(&e.from, from);
    sealed_init(&e.to, to);
    return e;
}

static void close_ends(struct ends *e) {
    sealed_clear(&e->from);
    sealed_clear(&e->to);
    buf_clear(&e->wire);
    buf_clear(&e->out);
}

static void test_what_is_written_is_read_however_it_is_cut(void **state) {
    (void)state;
    static char text[200000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7 + i / 255);
    for (size_t step = 1; step < 300000; step = step * 5 + 1) {
        struct ends e = open_ends(&terms, &terms);
        assert_true(sealed_write(&e.from, text, sizeof text, &e.wire));
        assert_true(sealed_write(&e.from, "end", 3, &e.wire));
        for (size_t at = 0; at < e.wire.len; at += step) {
            size_t len = e.wire.len - at < step ? e.wire.len - at : step;
            assert_true(sealed_read(&e.to, e.wire.data + at, len, &e.out));
        }
        assert_int_equal(e.out.len, sizeof text + 3);
        assert_memory_equal(e.out.data, text, sizeof text);
        assert_memory_equal(e.out.data + sizeof text, "end", 3);
        close_ends(&e);
    }
}

static void test_the_wire_does_not_show_the_bytes(void **state) {
    (void)state;
    struct ends e = open_ends(&terms, &terms);
    static const char text[] = "a secret of somebody";
    assert_true(sealed_write(&e.from, text, sizeof text, &e.wire));
    assert_int_equal(e.wire.len, sizeof text + SEALED_OVERHEAD);
    assert_null(memmem(e.wire.data, e.wire.len, "secret", 6));
    close_ends(&e);
}

static void test_a_changed_bit_is_found_and_nothing_is_read_any_more(void **state) {
    (void)state;
    for (size_t at = 0; at < 5 + SEALED_OVERHEAD; at++) {
        struct ends e = open_ends(&terms, &terms);
        assert_true(sealed_write(&e.from, "bytes", 5, &e.wire));
        size_t first = e.wire.len;
        assert_true(sealed_write(&e.from, "more", 4, &e.wire));
        e.wire.data[at] ^= 1;
        bool ok = sealed_read(&e.to, e.wire.data, e.wire.len, &e.out);
        assert_int_equal(e.out.len, 0);
        if (ok) { /* a longer piece is waited for, in vain */
            static const char rest[SEALED_PIECE];
            assert_true(at < 4);
            ok = sealed_read(&e.to, rest, sizeof rest, &e.out);
        }
        assert_false(ok);
        assert_false(sealed_read(&e.to, e.wire.data + first, e.wire.len - first, &e.out));
        assert_int_equal(e.out.len, 0);
        close_ends(&e);
    }
}

static void test_pieces_cannot_be_repeated_or_left_out(void **state) {
    (void)state;
    struct ends e = open_ends(&terms, &terms);
    assert_true(sealed_write(&e.from, "one", 3, &e.wire));
    size_t first = e.wire.len;
    assert_true(sealed_write(&e.from, "two", 3, &e.wire));
    assert_true(sealed_read(&e.to, e.wire.data, first, &e.out));
    assert_false(sealed_read(&e.to, e.wire.data, first, &e.out)); /* again */
    struct ends other = open_ends(&terms, &terms);
    assert_false(sealed_read(&other.to, e.wire.data + first, first, &other.out)); /* no first */
    assert_int_equal(other.out.len, 0);
    close_ends(&other);
    close_ends(&e);
}

static void test_each_term_makes_another_key(void **state) {
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct sealed_terms other = terms;
        const char **fields[] = { &other.secret,          &other.lane,
                                  &other.borrower,        &other.lender,
                                  &other.borrower_number, &other.lender_number };
        *fields[i] = "x";
        struct ends e = open_ends(&terms, &other);
        assert_true(sealed_write(&e.from, "bytes", 5, &e.wire));
        assert_false(sealed_read(&e.to, e.wire.data, e.wire.len, &e.out));
        assert_int_equal(e.out.len, 0);
        close_ends(&e);
    }
}

static void test_a_length_past_the_bound_is_refused_at_once(void **state) {
    (void)state;
    struct ends e = open_ends(&terms, &terms);
    static const char head[] = "\x01\x00\x01\x00x"; /* 65,537 */
    assert_false(sealed_read(&e.to, head, 5, &e.out));
    close_ends(&e);
}

static void test_numbers_are_drawn(void **state) {
    (void)state;
    char one[SEALED_NUMBER_SIZE], two[SEALED_NUMBER_SIZE];
    sealed_draw(one);
    sealed_draw(two);
    assert_true(sealed_is_number(one));
    assert_string_not_equal(one, two);
    assert_false(sealed_is_number(""));
    assert_false(sealed_is_number("0123456789abcdef0123456789abcdeg"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_however_it_is_cut),
        cmocka_unit_test(test_the_wire_does_not_show_the_bytes),
        cmocka_unit_test(test_a_changed_bit_is_found_and_nothing_is_read_any_more),
        cmocka_unit_test(test_pieces_cannot_be_repeated_or_left_out),
        cmocka_unit_test(test_each_term_makes_another_key),
        cmocka_unit_test(test_a_length_past_the_bound_is_refused_at_once),
        cmocka_unit_test(test_numbers_are_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
