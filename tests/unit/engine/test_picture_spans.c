/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cmocka_prelude.h"
#include "engine/picture_spans.h"
#include "engine/prepared.h"

static struct picture_spans two(void) {
    struct picture_spans spans = { 0 };
    picture_spans_add(&spans, (struct picture_span){ .start = 10, .count = 5 });
    picture_spans_add(&spans, (struct picture_span){ .start = 20, .count = 4, .picture = 1 });
    return spans;
}

static void test_where_pictures_are(void **state) {
    (void)state;
    struct picture_spans spans = two();
    assert_null(picture_spans_at(&spans, 9));
    assert_ptr_equal(picture_spans_at(&spans, 10), &spans.items[0]);
    assert_ptr_equal(picture_spans_at(&spans, 14), &spans.items[0]);
    assert_null(picture_spans_at(&spans, 15));
    assert_ptr_equal(picture_spans_at(&spans, 23), &spans.items[1]);
    assert_int_equal(picture_spans_text(&spans, 0, 8), 8);
    assert_int_equal(picture_spans_text(&spans, 0, 30), 10);
    assert_int_equal(picture_spans_text(&spans, 12, 30), 0);
    assert_int_equal(picture_spans_text(&spans, 15, 30), 5);
    assert_int_equal(picture_spans_text(&spans, 24, 30), 30);
    picture_spans_clear(&spans);
}

static void test_no_cut_is_inside_a_picture(void **state) {
    (void)state;
    struct picture_spans spans = two();
    assert_int_equal(picture_spans_floor(&spans, 10), 10);
    assert_int_equal(picture_spans_floor(&spans, 11), 10);
    assert_int_equal(picture_spans_floor(&spans, 14), 10);
    assert_int_equal(picture_spans_floor(&spans, 15), 15);
    assert_int_equal(picture_spans_floor(&spans, 21), 20);
    picture_spans_clear(&spans);
}

static void test_spans_that_do_not_fit(void **state) {
    (void)state;
    struct picture_spans spans = two();
    assert_true(picture_spans_fit(&spans, 24, 2));
    assert_false(picture_spans_fit(&spans, 23, 2));
    assert_false(picture_spans_fit(&spans, 24, 1));
    spans.items[1].start = 14;
    assert_false(picture_spans_fit(&spans, 24, 2));
    spans.items[1] = (struct picture_span){ .start = 20, .count = 0, .picture = 1 };
    assert_false(picture_spans_fit(&spans, 24, 2));
    spans.items[1] = (struct picture_span){ .start = 20, .count = INT32_MAX, .picture = 1 };
    assert_false(picture_spans_fit(&spans, 24, 2));
    picture_spans_clear(&spans);
}

/* Below zero, never libllama's -1, and of the whole hash: a bit of it changes some of any four.
 */
static void test_numbers_that_stand_for_a_picture(void **state) {
    (void)state;
    unsigned char hash[PICTURE_HASH_SIZE] = { 0 };
    enum { COUNT = 4096 };
    static int32_t one[COUNT], other[COUNT];
    struct picture_span span = { .count = COUNT }, part = { .count = COUNT, .part = 1 };
    picture_span_mark(&span, hash, one);
    for (int i = 0; i < COUNT; i++) assert_true(one[i] < -1);
    for (int byte = 0; byte < PICTURE_HASH_SIZE; byte++) {
        hash[byte] ^= 1;
        picture_span_mark(&span, hash, other);
        assert_memory_not_equal(one, other, 4 * sizeof *one);
        assert_memory_not_equal(one + 100, other + 100, 4 * sizeof *one);
        hash[byte] ^= 1;
    }
    picture_span_mark(&part, hash, other);
    assert_memory_not_equal(one, other, sizeof *one);
    assert_memory_not_equal(one, one + 4, sizeof *one);
}

static void test_spans_from_a_preparer(void **state) {
    (void)state;
    struct picture_spans spans = two(), back = { 0 };
    struct buf out = BUF_INIT(1000);
    assert_true(prepared_add_spans(&out, &spans));
    struct prepared prepared = { .at = buf_str(&out), .left = out.len };
    assert_true(prepared_take_spans(&prepared, &back));
    assert_int_equal(prepared.left, 0);
    assert_int_equal(back.count, 2);
    assert_memory_equal(back.items, spans.items, 2 * sizeof *spans.items);
    picture_spans_clear(&back);
    prepared = (struct prepared){ .at = buf_str(&out), .left = out.len - 1 };
    assert_false(prepared_take_spans(&prepared, &back));
    static const int32_t five[5];
    buf_reset(&out);
    assert_true(prepared_add(&out, five, 5));
    prepared = (struct prepared){ .at = buf_str(&out), .left = out.len };
    assert_false(prepared_take_spans(&prepared, &back));
    picture_spans_clear(&back);
    buf_clear(&out);
    picture_spans_clear(&spans);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_pictures_are),
        cmocka_unit_test(test_no_cut_is_inside_a_picture),
        cmocka_unit_test(test_spans_that_do_not_fit),
        cmocka_unit_test(test_numbers_that_stand_for_a_picture),
        cmocka_unit_test(test_spans_from_a_preparer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
