/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/uploads.h"

static struct uploads *uploads;

static int set_up(void **state) {
    (void)state;
    uploads = uploads_new();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    uploads_free(uploads);
    return 0;
}

static struct lmws_file put(const char *name, const char *base64) {
    struct lmws_file file;
    struct error err;
    assert_true(uploads_put(uploads, name, base64, &file, &err));
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
        assert_false(uploads_put(uploads, "x", bad[i], &file, &err));
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
    size_t len = UPLOADS_BYTES_MAX / 2 + 4;
    (void)state;
    char *base64 = xcalloc(len + 1, 1);
    memset(base64, 'A', len);
    assert_false(uploads_put(uploads, "x", base64, &file, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    free(base64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_a_file_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_base64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_found_by_its_identifier_and_no_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_oldest_make_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("uploads", tests, NULL, NULL);
}
