/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "supervisor/load_texts.h"

static bool below(void *ctx, int64_t number) {
    const int64_t *limit = ctx;
    return number < *limit;
}

static int64_t number_of(struct load_texts *texts, const char *text, int64_t used_below) {
    struct error err;
    int64_t number = -1;
    assert_true(load_texts_number(texts, (struct load_text){ "A text", text }, below,
                                  &used_below, &number, &err));
    return number;
}

static void test_equal_texts_have_equal_numbers(void **state) {
    (void)state;
    struct load_texts texts = { 0 };
    int64_t a = number_of(&texts, "a", 0), b = number_of(&texts, "b", 0);
    assert_true(a > 0 && b > 0 && a != b);
    assert_int_equal(number_of(&texts, "a", 0), a);
    assert_string_equal(load_texts_find(&texts, b), "b");
    assert_int_equal(number_of(&texts, NULL, 0), 0);
    assert_int_equal(number_of(&texts, "", 0), 0);
    assert_null(load_texts_find(&texts, 0));
    load_texts_clear(&texts);
}

static int64_t fill(struct load_texts *texts) {
    int64_t last = 0;
    for (int i = 0; i < LOAD_TEXTS_MAX; i++) {
        char text[16];
        snprintf(text, sizeof text, "text %d", i);
        last = number_of(texts, text, INT64_MAX);
    }
    return last;
}

/* What is dropped is what nobody uses, and a number never means another text. */
static void test_the_unused_make_room(void **state) {
    (void)state;
    struct load_texts texts = { 0 };
    int64_t last = fill(&texts);
    int64_t fresh = number_of(&texts, "one more", last);
    assert_true(fresh > last);
    assert_null(load_texts_find(&texts, last));
    assert_string_equal(load_texts_find(&texts, 1), "text 0");
    assert_string_equal(load_texts_find(&texts, fresh), "one more");
    load_texts_clear(&texts);
}

static void test_limits(void **state) {
    (void)state;
    struct load_texts texts = { 0 };
    struct error err;
    int64_t all = INT64_MAX, number;
    fill(&texts);
    assert_false(load_texts_number(&texts, (struct load_text){ "A text", "one more" }, below,
                                   &all, &number, &err));
    assert_int_equal(err.code, ERR_QUEUE_FULL);
    char *text = xcalloc(1, LOAD_TEXT_BYTES + 2);
    memset(text, 'x', LOAD_TEXT_BYTES + 1);
    assert_false(load_texts_number(&texts, (struct load_text){ "A text", text }, below, &all,
                                   &number, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.text, "A text may have 64 KB at most; shorten it.");
    all = 0;
    text[LOAD_TEXT_BYTES] = '\0';
    assert_true(load_texts_number(&texts, (struct load_text){ "A text", text }, below, &all,
                                  &number, &err));
    free(text);
    load_texts_clear(&texts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_texts_have_equal_numbers),
        cmocka_unit_test(test_the_unused_make_room),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
