/* SPDX-License-Identifier: MIT */
/* What a preparer says is read back as it was written, or refused. */
#include <stdlib.h>

#include "cmocka_prelude.h"
#include "engine/prepared.h"

static void test_lists_and_the_rest(void **state) {
    (void)state;
    const int32_t first[] = { 0, 9, 3 };
    struct buf out = BUF_INIT(256);
    assert_true(prepared_add(&out, first, 3) && prepared_add(&out, NULL, 0));
    assert_true(buf_add_str(&out, "{}"));
    struct prepared p = { out.data, out.len };
    int32_t *tokens;
    size_t count;
    assert_true(prepared_take(&p, 10, &tokens, &count));
    assert_int_equal(count, 3);
    assert_memory_equal(tokens, first, sizeof first);
    free(tokens);
    assert_true(prepared_take(&p, 10, &tokens, &count));
    assert_int_equal(count, 0);
    free(tokens);
    assert_int_equal(p.left, 2);
    assert_memory_equal(p.at, "{}", 2);
    buf_clear(&out);
}

static void test_strangers_to_the_vocabulary_are_refused(void **state) {
    (void)state;
    static const int32_t strangers[] = { -1, 10, INT32_MAX, INT32_MIN };
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        struct buf out = BUF_INIT(64);
        int32_t *tokens;
        size_t count;
        assert_true(prepared_add(&out, &strangers[i], 1));
        assert_false(
            prepared_take(&(struct prepared){ out.data, out.len }, 10, &tokens, &count));
        buf_clear(&out);
    }
}

static void test_a_list_that_is_not_whole_is_refused(void **state) {
    (void)state;
    const int32_t list[] = { 1, 2 };
    struct buf out = BUF_INIT(64);
    int32_t *tokens;
    size_t count;
    assert_true(prepared_add(&out, list, 2));
    for (size_t len = 0; len < out.len; len++)
        assert_false(prepared_take(&(struct prepared){ out.data, len }, 10, &tokens, &count));
    assert_false(
        prepared_take(&(struct prepared){ "\xff\xff\xff\xff", 4 }, 10, &tokens, &count));
    buf_clear(&out);
}

static void test_a_mask_has_a_bit_for_each_token(void **state) {
    (void)state;
    unsigned char mask[3] = { 0 };
    assert_int_equal(mask_size(17), sizeof mask);
    mask_set(mask, 0);
    mask_set(mask, 16);
    for (size_t i = 0; i < 17; i++) assert_int_equal(mask_has(mask, i), i == 0 || i == 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_and_the_rest),
        cmocka_unit_test(test_strangers_to_the_vocabulary_are_refused),
        cmocka_unit_test(test_a_list_that_is_not_whole_is_refused),
        cmocka_unit_test(test_a_mask_has_a_bit_for_each_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
