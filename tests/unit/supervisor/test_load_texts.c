/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "supervisor/load_texts.h"

/* ctx: the only text that is used; NULL: all are. */
static bool is_used(void *ctx, char *text) {
    return !ctx || text == ctx;
}

static const char *intern(struct load_texts *texts, const char *text, const char *used) {
    struct error err;
    assert_true(load_texts_intern(texts, "A text", is_used, (void *)used, &text, &err));
    return text;
}

static bool refuses(struct load_texts *texts, const char *text, struct error *err) {
    return !load_texts_intern(texts, "A text", is_used, NULL, &text, err);
}

static void test_equal_texts_are_one_pointer(void **state) {
    (void)state;
    struct load_texts texts = { 0 };
    char mine[] = "a";
    const char *a = intern(&texts, mine, NULL), *b = intern(&texts, "b", NULL);
    assert_true(a != mine && a != b);
    assert_ptr_equal(intern(&texts, "a", NULL), a);
    assert_string_equal(b, "b");
    assert_null(intern(&texts, NULL, NULL));
    assert_null(intern(&texts, "", NULL));
    load_texts_clear(&texts);
}

static const char *fill(struct load_texts *texts) {
    const char *last = NULL;
    for (int i = 0; i < LOAD_TEXTS_MAX; i++) {
        char text[16];
        snprintf(text, sizeof text, "text %d", i);
        last = intern(texts, text, NULL);
    }
    return last;
}

static void test_the_unused_make_room(void **state) {
    (void)state;
    struct load_texts texts = { 0 };
    const char *last = fill(&texts);
    const char *fresh = intern(&texts, "one more", last);
    assert_string_equal(fresh, "one more");
    assert_string_equal(last, "text 255");
    assert_ptr_equal(intern(&texts, "text 255", NULL), last);
    load_texts_clear(&texts);
}

static void test_limits(void **state) {
    (void)state;
    struct load_texts texts = { 0 };
    struct error err;
    fill(&texts);
    assert_true(refuses(&texts, "one more", &err));
    assert_int_equal(err.code, ERR_QUEUE_FULL);
    char *text = xcalloc(1, LOAD_TEXT_BYTES + 2);
    memset(text, 'x', LOAD_TEXT_BYTES + 1);
    assert_true(refuses(&texts, text, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.text, "A text may have 64 KiB at most; shorten it.");
    text[LOAD_TEXT_BYTES] = '\0';
    assert_string_equal(intern(&texts, text, ""), text);
    free(text);
    load_texts_clear(&texts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_texts_are_one_pointer),
        cmocka_unit_test(test_the_unused_make_room),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
