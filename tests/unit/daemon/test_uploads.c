/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/uploads.h"

static struct byte_budget budget;
static struct uploads *uploads;

static int set_up(void **state) {
    (void)state;
    budget = (struct byte_budget){ .total = 1000, .reserve = 500, .small = 10 };
    uploads = uploads_new(&budget);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    uploads_free(uploads);
    return budget.held != 0 || budget.yields != 0;
}

static bool put_of(const char *name, const char *base64, size_t own, struct lmws_file *ret,
                   struct error *err) {
    struct upload *upload = uploads_begin(uploads, name, base64, own, err);
    if (!upload) return false;
    upload_read(upload);
    return uploads_put(uploads, upload, ret, err);
}

static struct lmws_file put(const char *name, const char *base64) {
    struct lmws_file file;
    struct error err;
    assert_true(put_of(name, base64, 0, &file, &err));
    return file;
}

static void test_what_a_file_is(void **state) {
    static const struct {
        const char *name, *base64, *type, *mime, *text;
        size_t size;
    } files[] = {
        { "note.txt", "aGk=", "text/plain", "", "hi", 2 },
        { "code.c", "aW50Cg==", "text/other", "", "int\n", 4 },
        { "empty", "", "text/other", "", "", 0 },
        { "x", "iVBORw0KGgo=", "image", "image/png", NULL, 8 },
        { "x.txt", "/9j/", "image", "image/jpeg", NULL, 3 },
        { "x", "UklGRgAAAABXRUJQ", "image", "image/webp", NULL, 12 },
        { "x", "JVBERi0x", "application/pdf", "", NULL, 6 },
        { "Letter.DOCX", "UEsDBA==", "application/word", "", NULL, 4 },
        { "nul", "AA==", "unknown", "", NULL, 1 },
        { "overlong", "wIA=", "unknown", "", NULL, 2 },
        { "surrogate", "7aCA", "unknown", "", NULL, 3 },
        { "cut", "w7w=", "text/other", "", "\xc3\xbc", 2 },
        { "cut", "ww==", "unknown", "", NULL, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct lmws_file file = put(files[i].name, files[i].base64);
        assert_string_equal(file.type, files[i].type);
        assert_string_equal(file.mime, files[i].mime);
        assert_int_equal(file.size, files[i].size);
        assert_int_equal(file.text != NULL, files[i].text != NULL);
        if (file.text) assert_string_equal(file.text, files[i].text);
    }
}

static void test_no_base64(void **state) {
    static const char *const bad[] = {
        "a", "ab", "abc", "ab!=", "=abc", "a===", "ab=c", "abcd="
    };
    struct lmws_file file;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(put_of("x", bad[i], 0, &file, &err));
        assert_int_equal(err.code, ERR_INVALID_REQUEST);
    }
}

static void test_found_by_its_identifier_and_no_other(void **state) {
    struct lmws_file file;
    (void)state;
    char *first = xstrdup(put("a.txt", "YQ==").identifier);
    char *second = xstrdup(put("b.txt", "Yg==").identifier);
    assert_string_not_equal(first, second);
    assert_true(uploads_find(uploads, first, &file));
    assert_string_equal(file.name, "a.txt");
    assert_string_equal(file.base64, "YQ==");
    assert_false(uploads_find(uploads, "file-none", &file));
    free(first);
    free(second);
}

static void test_the_oldest_make_room(void **state) {
    struct lmws_file file;
    (void)state;
    char *first = xstrdup(put("first", "YQ==").identifier);
    for (int i = 0; i < UPLOADS_MAX; i++) (void)put("more", "YQ==");
    assert_false(uploads_find(uploads, first, &file));
    free(first);
}

static void test_too_large(void **state) {
    struct lmws_file file;
    struct error err;
    size_t len = UPLOAD_BYTES_MAX + 4;
    (void)state;
    char *base64 = xcalloc(len + 1, 1);
    memset(base64, 'A', len);
    assert_false(put_of("x", base64, 0, &file, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    free(base64);
}

/* Of a text also its bytes. */
static void test_files_count_with_request_bodies(void **state) {
    (void)state;
    (void)put("x", "iVBORw0KGgo=");
    assert_int_equal(budget.held, 12);
    (void)put("note.txt", "aGk=");
    assert_int_equal(budget.held, 12 + 4 + 2);
    assert_int_equal(budget.yields, budget.held);
}

/* base64 of that many bytes, a multiple of 4; the caller frees. */
static char *zeros(size_t len) {
    char *base64 = xcalloc(len + 1, 1);
    memset(base64, 'A', len);
    return base64;
}

static void test_files_give_way_to_bodies(void **state) {
    char *large = zeros(400);
    struct lmws_file file;
    struct error err;
    (void)state;
    char *first = xstrdup(put("first", large).identifier);
    char *second = xstrdup(put("second", large).identifier);
    assert_true(byte_budget_find_room(&budget, 300, 300));
    assert_false(uploads_find(uploads, first, &file));
    assert_true(uploads_find(uploads, second, &file));
    budget.held += 700; /* bodies that come in */
    assert_false(put_of("third", large, 0, &file, &err));
    assert_int_equal(err.code, ERR_QUEUE_FULL);
    assert_true(uploads_find(uploads, second, &file)); /* it would not have been enough */
    (void)put("small", "aGk=");                        /* never refused */
    budget.held -= 700;
    free(large);
    free(first);
    free(second);
}

static void test_a_file_larger_than_the_budget_is_kept_alone(void **state) {
    char *huge = zeros(2000), *large = zeros(400);
    struct lmws_file file;
    struct error err;
    (void)state;
    char *before = xstrdup(put("before", large).identifier);
    budget.held += 2100; /* its message */
    assert_true(put_of("huge", huge, 2100, &file, &err));
    budget.held -= 2100;
    assert_int_equal(budget.held, 2000);
    assert_false(uploads_find(uploads, before, &file));
    (void)put("after", large);
    assert_int_equal(budget.held, 400);
    free(before);
    free(large);
    free(huge);
}

static void test_a_file_in_use_stays_until_it_is_released(void **state) {
    char *large = zeros(200);
    struct lmws_file used, file;
    (void)state;
    used = put("used", large);
    uploads_hold(&used);
    uploads_hold(&used);
    char *first = xstrdup(used.identifier);
    char *second = xstrdup(put("second", large).identifier);
    assert_int_equal(budget.yields, 200);
    assert_true(byte_budget_find_room(&budget, 700, 700)); /* the other one gives way */
    assert_false(uploads_find(uploads, second, &file));
    assert_true(uploads_find(uploads, first, &file));
    for (int i = 0; i < UPLOADS_MAX; i++) (void)put("more", "YQ==");
    assert_false(uploads_find(uploads, first, &file));
    uploads_release(&used);
    assert_string_equal(used.base64, large);
    assert_true(budget.yields < budget.held);
    uploads_release(&used);
    assert_int_equal(budget.yields, budget.held);
    free(large);
    free(first);
    free(second);
}

/* While a thread reads it, it can be neither found nor pushed out. */
static void test_a_file_that_is_being_read_is_not_there_yet(void **state) {
    struct lmws_file file;
    struct error err;
    (void)state;
    struct upload *upload = uploads_begin(uploads, "slow", "aGk=", 0, &err);
    assert_non_null(upload);
    assert_int_equal(budget.yields, 0);
    assert_true(budget.held > 0);
    char *other = xstrdup(put("other", "YQ==").identifier);
    assert_true(byte_budget_find_room(&budget, 990, 990)); /* the other one gives way */
    assert_false(uploads_find(uploads, other, &file));
    upload_read(upload);
    assert_true(uploads_put(uploads, upload, &file, &err));
    assert_true(uploads_find(uploads, file.identifier, &file));
    assert_string_equal(file.text, "hi");
    free(other);
}

static void test_a_released_file_gives_way_again(void **state) {
    struct lmws_file file;
    (void)state;
    file = put("a.txt", "YQ==");
    uploads_hold(&file);
    assert_int_equal(budget.yields, 0);
    uploads_release(&file);
    assert_int_equal(budget.yields, budget.held);
    assert_true(uploads_find(uploads, file.identifier, &file));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_a_file_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_base64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_found_by_its_identifier_and_no_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_oldest_make_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_count_with_request_bodies, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_files_give_way_to_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_larger_than_the_budget_is_kept_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_in_use_stays_until_it_is_released, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_being_read_is_not_there_yet, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_released_file_gives_way_again, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("uploads", tests, NULL, NULL);
}
