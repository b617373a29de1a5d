/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_a_new_buffer_is_empty(void **state) {
    (void)state;
    struct buf b = BUF_INIT(10);
    assert_string_equal(buf_str(&b), "");
    assert_null(b.data);
    buf_clear(&b);
    buf_reset(&b);
    char *taken = buf_take(&b);
    assert_string_equal(taken, "");
    free(taken);
}

static void test_appends_are_terminated(void **state) {
    (void)state;
    struct buf b = BUF_INIT(100);
    assert_true(buf_add(&b, "ab", 2));
    assert_true(buf_add_str(&b, "cd"));
    assert_true(buf_addf(&b, "%d-%s", 42, "x"));
    assert_string_equal(buf_str(&b), "abcd42-x");
    assert_int_equal(b.len, 8);
    assert_true(buf_add(&b, "\0z", 2));
    assert_memory_equal(b.data, "abcd42-x\0z", 11);
    assert_true(buf_add(&b, NULL, 0));
    buf_clear(&b);
}

/* Up to the maximum and not a byte more; then it takes nothing, not even what would fit. */
static void test_the_maximum_holds(void **state) {
    (void)state;
    struct buf b = BUF_INIT(4);
    assert_true(buf_add(&b, "1234", 4));
    assert_false(b.overflowed);
    assert_false(buf_add(&b, "5", 1));
    assert_true(b.overflowed);
    assert_string_equal(buf_str(&b), "1234");
    assert_false(buf_add(&b, "", 0));
    buf_reset(&b);
    assert_false(b.overflowed);
    assert_false(buf_addf(&b, "%s", "12345"));
    assert_int_equal(b.len, 0);
    buf_reset(&b);
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_reset(&b);
    assert_true(buf_add(&b, "123", 3));
    assert_null(buf_reserve(&b, SIZE_MAX - 1));
    assert_string_equal(buf_str(&b), "123");
    buf_clear(&b);
}

static void test_nothing_fits_into_no_room(void **state) {
    (void)state;
    struct buf b = BUF_INIT(0);
    assert_true(buf_add(&b, "", 0));
    assert_false(buf_add(&b, "x", 1));
    buf_clear(&b);
}

static void test_reserved_room_is_the_callers(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1000);
    assert_true(buf_add_str(&b, "head "));
    char *room = buf_reserve(&b, 300);
    memset(room, 'x', 300);
    assert_int_equal(room[300], 0);
    b.len += 300;
    assert_int_equal(strlen(buf_str(&b)), 305);
    buf_clear(&b);
}

static void test_drop_keeps_the_rest(void **state) {
    (void)state;
    struct buf b = BUF_INIT(100);
    buf_drop(&b, 0);
    assert_true(buf_add_str(&b, "head and tail"));
    buf_drop(&b, 9);
    assert_string_equal(buf_str(&b), "tail");
    buf_drop(&b, 4);
    assert_string_equal(buf_str(&b), "");
    assert_true(buf_add_str(&b, "again"));
    assert_string_equal(buf_str(&b), "again");
    buf_clear(&b);
}

/* Memory that nothing is in is freed if it is more than asked for. */
static void test_drop_shrink_frees_what_is_empty_and_large(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1000);
    assert_non_null(buf_reserve(&b, 500));
    assert_true(buf_add_str(&b, "rest"));
    buf_drop_shrink(&b, 3, 100);
    assert_string_equal(buf_str(&b), "t");
    assert_true(b.cap > 100);
    buf_drop_shrink(&b, 1, b.cap);
    assert_non_null(b.data);
    buf_drop_shrink(&b, 0, 100);
    assert_null(b.data);
    assert_true(buf_add_str(&b, "again"));
    buf_clear(&b);
}

static void test_take_gives_the_bytes_away(void **state) {
    (void)state;
    struct buf b = BUF_INIT(100);
    assert_true(buf_add_str(&b, "mine"));
    char *taken = buf_take(&b);
    assert_string_equal(taken, "mine");
    assert_int_equal(b.len, 0);
    assert_int_equal(b.max, 100);
    assert_true(buf_add_str(&b, "new"));
    assert_string_equal(taken, "mine");
    free(taken);
    buf_clear(&b);
}

static void test_a_long_run_of_appends(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 100000; i++) assert_true(buf_add(&b, "0123456789", 10));
    assert_int_equal(b.len, 1000000);
    for (size_t i = 0; i < b.len; i += 99991) assert_int_equal(b.data[i], '0' + (int)(i % 10));
    buf_clear(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_buffer_is_empty),
        cmocka_unit_test(test_appends_are_terminated),
        cmocka_unit_test(test_the_maximum_holds),
        cmocka_unit_test(test_nothing_fits_into_no_room),
        cmocka_unit_test(test_reserved_room_is_the_callers),
        cmocka_unit_test(test_drop_keeps_the_rest),
        cmocka_unit_test(test_drop_shrink_frees_what_is_empty_and_large),
        cmocka_unit_test(test_take_gives_the_bytes_away),
        cmocka_unit_test(test_a_long_run_of_appends),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
