/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static yyjson_doc *doc_of(const char *text) {
    struct error err;
    yyjson_doc *doc = json_parse(text, strlen(text), &err);
    if (!doc) fail_msg("%s: %s", text, err.text);
    return doc;
}

static void assert_refused(const char *text, size_t len, const char *part) {
    struct error err = { 0 };
    assert_null(json_parse(text, len, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    if (!strstr(err.text, part)) fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void test_bad_json_is_located(void **state) {
    (void)state;
    assert_refused("{\"a\":1,\n \"b\":}", 14, "line 2, column 6");
    assert_refused("{\"a\":1", 6, "line 1, column 7");
    assert_refused("{} x", 4, "line 1, column 4");
    assert_refused("[1,]", 4, "line 1");
    assert_refused("\"\xff\"", 3, "line 1");
    assert_refused("{\"a\":NaN}", 9, "line 1");
    assert_refused("nul", 3, "line 1");
    assert_refused("{\"a\":1}\0", 8, "line 1");
    assert_refused("", 0, "empty");
    assert_refused("   ", 3, "");
}

/* Beside whole characters, escaped backslashes and other escapes. */
static void test_half_a_character_is_replaced(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "\"a\\ud800b\"", "a\xef\xbf\xbd"
                           "b" },
        { "\"\\udc00\"", "\xef\xbf\xbd" },
        { "\"\\uD83D\\uDE00\\uD83D\"", "\xf0\x9f\x98\x80\xef\xbf\xbd" },
        { "\"\\ud800\\ud800\\udc00\"", "\xef\xbf\xbd\xf0\x90\x80\x80" },
        { "\"\\ud800\\\\ud800\\n\"", "\xef\xbf\xbd\\ud800\n" },
        { "\"\\ud800\\u0041\"", "\xef\xbf\xbd"
                                "A" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_doc *doc = doc_of(cases[i][0]);
        assert_string_equal(yyjson_get_str(yyjson_doc_get_root(doc)), cases[i][1]);
        yyjson_doc_free(doc);
    }
    assert_refused("\"\\ud800", 7, "line 1");
    assert_refused("\"\\ud8\"", 6, "line 1");
    assert_refused("\"\\ud800\\x\"", 10, "line 1");
}

static void test_an_object_is_asked_for(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "[]", "an array" },    { "3", "an integer" },   { "3.5", "a number" },
        { "\"x\"", "a string" }, { "true", "a boolean" }, { "null", "null" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err;
        assert_null(json_parse_object(cases[i][0], strlen(cases[i][0]), &err));
        assert_non_null(strstr(err.text, cases[i][1]));
    }
    struct error err;
    yyjson_doc *doc = json_parse_object("{}", 2, &err);
    assert_non_null(doc);
    yyjson_doc_free(doc);
}

static void nest(struct buf *text, int depth) {
    for (int i = 0; i < depth; i++) (void)buf_add(text, "[", 1);
    for (int i = 0; i < depth; i++) (void)buf_add(text, "]", 1);
}

static void test_depth_is_bounded(void **state) {
    (void)state;
    struct buf text = BUF_INIT(1 << 20);
    nest(&text, 128);
    yyjson_doc_free(doc_of(buf_str(&text)));
    buf_reset(&text);
    nest(&text, 129);
    assert_refused(buf_str(&text), text.len, "deeper than 128");
    buf_reset(&text);
    nest(&text, 200000);
    assert_refused(buf_str(&text), text.len, "deeper than 128");
    buf_reset(&text);
    (void)buf_add_str(&text, "\"\\\"");
    for (int i = 0; i < 500; i++)
        (void)buf_add(&text, "[", 1); /* in a string they do not count */
    (void)buf_add_str(&text, "\"");
    yyjson_doc_free(doc_of(buf_str(&text)));
    buf_clear(&text);
}

static void test_absent_and_null_leave_the_output(void **state) {
    (void)state;
    yyjson_doc *doc = doc_of("{\"a\":null}");
    yyjson_val *obj = yyjson_doc_get_root(doc);
    static const char *const names[] = { "a", "missing" };
    for (int i = 0; i < 2; i++) {
        bool b = true;
        int64_t n = 7;
        double d = 1.5;
        const char *s = "kept";
        yyjson_val *v = obj;
        struct error err;
        assert_true(json_read_bool(obj, names[i], &b, &err) && b);
        assert_true(json_read_int(obj, names[i], 0, 1, &n, &err) && n == 7);
        assert_true(json_read_double(obj, names[i], 0, 1, &d, &err) && d == 1.5);
        assert_true(json_read_str(obj, names[i], &s, &err) && strcmp(s, "kept") == 0);
        assert_true(json_read_array(obj, names[i], &v, &err) && v == obj);
        assert_true(json_read_object(obj, names[i], &v, &err) && v == obj);
    }
    yyjson_doc_free(doc);
}

static void test_values_are_read(void **state) {
    (void)state;
    yyjson_doc *doc = doc_of(
        "{\"b\":true,\"n\":-5,\"w\":3.0,\"d\":2.5,\"i\":4,\"s\":\"\xc3\xa4\","
        "\"a\":[1],\"o\":{},\"big\":9007199254740993}");
    yyjson_val *obj = yyjson_doc_get_root(doc), *v = NULL;
    bool b = false;
    int64_t n = 0;
    double d = 0;
    const char *s = NULL;
    struct error err;
    assert_true(json_read_bool(obj, "b", &b, &err) && b);
    assert_true(json_read_int(obj, "n", -5, 5, &n, &err) && n == -5);
    assert_true(json_read_int(obj, "w", 0, 5, &n, &err) && n == 3);
    assert_true(json_read_int(obj, "big", 0, INT64_MAX, &n, &err));
    assert_true(n == INT64_C(9007199254740993)); /* 2^53 + 1: no double has it */
    assert_true(json_read_double(obj, "d", 0, 5, &d, &err) && d == 2.5);
    assert_true(json_read_double(obj, "i", 0, 5, &d, &err) && d == 4);
    assert_true(json_read_str(obj, "s", &s, &err));
    assert_string_equal(s, "\xc3\xa4");
    assert_true(json_read_array(obj, "a", &v, &err) && yyjson_is_arr(v));
    assert_true(json_read_object(obj, "o", &v, &err) && yyjson_is_obj(v));
    yyjson_doc_free(doc);
}

static void assert_names_field(bool ok, struct error *err, const char *part) {
    assert_false(ok);
    assert_int_equal(err->code, ERR_INVALID_REQUEST);
    assert_string_equal(err->param, "f");
    if (!strstr(err->text, part)) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
    *err = (struct error){ 0 };
}

static void test_wrong_types_name_the_field(void **state) {
    (void)state;
    yyjson_doc *string = doc_of("{\"f\":\"1\"}"), *number = doc_of("{\"f\":1.5}");
    yyjson_val *s = yyjson_doc_get_root(string), *n = yyjson_doc_get_root(number), *v = NULL;
    bool b = false;
    int64_t i = 0;
    double d = 0;
    const char *t = NULL;
    struct error err;
    assert_names_field(json_read_bool(s, "f", &b, &err), &err,
                       "must be a boolean, not a string");
    assert_names_field(json_read_int(s, "f", 0, 9, &i, &err), &err, "an integer, not a string");
    assert_names_field(json_read_int(n, "f", 0, 9, &i, &err), &err, "an integer, not a number");
    assert_names_field(json_read_double(s, "f", 0, 9, &d, &err), &err,
                       "a number, not a string");
    assert_names_field(json_read_str(n, "f", &t, &err), &err, "a string, not a number");
    assert_names_field(json_read_array(s, "f", &v, &err), &err, "an array, not a string");
    assert_names_field(json_read_object(s, "f", &v, &err), &err, "an object, not a string");
    assert_true(!b && i == 0 && d == 0 && !t && !v);
    yyjson_doc_free(string);
    yyjson_doc_free(number);
}

static void test_ranges(void **state) {
    (void)state;
    static const char *const texts[] = { "{\"f\":-1}", "{\"f\":10}",
                                         "{\"f\":18446744073709551615}", "{\"f\":1e15}",
                                         "{\"f\":-9223372036854775808}" };
    int64_t n = 3;
    double d = 3;
    struct error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        yyjson_doc *doc = doc_of(texts[i]);
        yyjson_val *obj = yyjson_doc_get_root(doc);
        assert_names_field(json_read_int(obj, "f", 0, 9, &n, &err), &err, "between 0 and 9");
        assert_names_field(json_read_double(obj, "f", 0, 9, &d, &err), &err, "between 0 and 9");
        yyjson_doc_free(doc);
    }
    assert_true(n == 3 && d == 3);
    yyjson_doc *doc = doc_of("{\"f\":1e300}");
    assert_names_field(json_read_int(yyjson_doc_get_root(doc), "f", 0, 9, &n, &err), &err,
                       "an integer");
    yyjson_doc_free(doc);
}

static void test_a_string_with_nul_is_refused(void **state) {
    (void)state;
    yyjson_doc *doc = doc_of("{\"f\":\"a\\u0000b\"}");
    const char *s = NULL;
    struct error err;
    assert_names_field(json_read_str(yyjson_doc_get_root(doc), "f", &s, &err), &err, "U+0000");
    yyjson_doc_free(doc);
}

static void test_the_cost_of_a_value_is_that_of_all_in_it(void **state) {
    static const char text[] = "{\"a\":[1,\"bcd\"],\"e\":{}}";
    yyjson_doc *read = yyjson_read(text, strlen(text), 0);
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(read, NULL);
    (void)state;
    assert_int_equal(json_cost(yyjson_mut_doc_get_root(doc)), 7 * sizeof(yyjson_mut_val) + 5);
    assert_int_equal(json_count(yyjson_mut_doc_get_root(doc)), 7);
    assert_int_equal(json_values(yyjson_doc_get_root(read)), 7);
    assert_int_equal(json_values(yyjson_obj_get(yyjson_doc_get_root(read), "a")), 3);
    assert_int_equal(json_values(NULL), 0);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(read);
}

static void test_writing(void **state) {
    (void)state;
    struct buf out = BUF_INIT(100);
    yyjson_doc *doc = doc_of(" { \"a\" : [ 1 , \"x\" ] } ");
    assert_true(json_write_val(yyjson_doc_get_root(doc), &out));
    assert_string_equal(buf_str(&out), "{\"a\":[1,\"x\"]}");
    yyjson_mut_doc *copy = yyjson_doc_mut_copy(doc, NULL);
    assert_true(json_write(copy, &out));
    assert_string_equal(buf_str(&out), "{\"a\":[1,\"x\"]}{\"a\":[1,\"x\"]}");
    yyjson_mut_doc_free(copy);
    yyjson_doc_free(doc);
    buf_reset(&out);
    assert_true(json_write_str(&out, "q\"\\\n\x01\xc3\xa4", 7));
    assert_string_equal(buf_str(&out), "\"q\\\"\\\\\\n\\u0001\xc3\xa4\"");
    buf_clear(&out);
    struct buf full = BUF_INIT(4);
    assert_false(json_write_str(&full, "abc", 3));
    assert_int_equal(full.len, 0);
    buf_clear(&full);
}

/* A value takes eight times the two bytes of its text. */
static void test_the_tree_is_bounded(void **state) {
    enum { SIZE = 8 << 20 };
    struct error err;
    (void)state;
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (size_t i = 0; i < SIZE; i += 2) memcpy(text + i, "1,", 2);
    text[0] = '[';
    text[1] = ' ';
    text[SIZE - 1] = ']';
    assert_null(json_parse(text, SIZE, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    text[(1 << 20) - 1] = ']';
    yyjson_doc *doc = json_parse(text, 1 << 20, &err);
    assert_non_null(doc);
    yyjson_doc_free(doc);
    memset(text, 'x', SIZE);
    text[0] = text[SIZE - 1] = '"';
    doc = json_parse(text, SIZE, &err);
    assert_non_null(doc);
    yyjson_doc_free(doc);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_json_is_located),
        cmocka_unit_test(test_half_a_character_is_replaced),
        cmocka_unit_test(test_an_object_is_asked_for),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_the_tree_is_bounded),
        cmocka_unit_test(test_absent_and_null_leave_the_output),
        cmocka_unit_test(test_values_are_read),
        cmocka_unit_test(test_wrong_types_name_the_field),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_a_string_with_nul_is_refused),
        cmocka_unit_test(test_the_cost_of_a_value_is_that_of_all_in_it),
        cmocka_unit_test(test_writing),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
