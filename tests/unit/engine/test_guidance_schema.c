/* SPDX-License-Identifier: MIT */
/* What llguidance is told of a schema beside what stands in it. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/guidance_schema.h"

static bool write_schema(const char *schema, enum schema_care care, struct buf *out,
                         struct buf *dropped, struct error *err) {
    yyjson_doc *doc = yyjson_read(schema, strlen(schema), 0);
    assert_non_null(doc);
    bool ok = guidance_schema_write(yyjson_doc_get_root(doc), care, out, dropped, err);
    yyjson_doc_free(doc);
    return ok;
}

/* The options at its end are the same for all. */
static void check_dropped(const char *schema, const char *expected, const char *names) {
    struct buf out = BUF_INIT(SCHEMA_MAX), dropped = BUF_INIT(1024);
    struct error err;
    assert_true(write_schema(schema, SCHEMA_STRICT, &out, &dropped, &err));
    char *end = strstr(out.data, "\"x-guidance\"");
    assert_non_null(end);
    if (end[-1] == ',') end--;
    *end = '\0';
    char *whole = xasprintf("%s}", out.data);
    assert_string_equal(whole, expected);
    assert_string_equal(buf_str(&dropped), names);
    free(whole);
    buf_clear(&out);
    buf_clear(&dropped);
}

static void check(const char *schema, const char *expected) {
    check_dropped(schema, expected, "");
}

static void test_an_object_that_lists_properties_is_closed(void **state) {
    (void)state;
    check("{\"properties\":{\"a\":{}}}",
          "{\"properties\":{\"a\":{}},\"additionalProperties\":false,\"type\":\"object\"}");
    check("{\"type\":\"object\"}", "{\"type\":\"object\"}");
    check("{\"type\":\"object\",\"properties\":{},\"additionalProperties\":true}",
          "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":true}");
    check("{\"type\":\"object\",\"properties\":{},\"required\":[\"b\"]}",
          "{\"type\":\"object\",\"properties\":{},\"required\":[\"b\"]}");
    check("{\"type\":\"object\",\"properties\":{},\"patternProperties\":{\"^a\":{}}}",
          "{\"type\":\"object\",\"properties\":{},\"patternProperties\":{\"^a\":{}}}");
}

static void test_parts_of_one_object_are_not_closed(void **state) {
    (void)state;
    check("{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}",
          "{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}");
    check("{\"allOf\":[{\"$ref\":\"#/$defs/a\"},{}],\"$defs\":{\"a\":{\"properties\":{}}}}",
          "{\"allOf\":[{\"$ref\":\"#/$defs/a\"},{}],\"$defs\":{\"a\":{\"properties\":{}}}}");
}

static void test_whole_numbers_have_an_end(void **state) {
    (void)state;
    check("{\"type\":\"integer\"}", "{\"type\":\"integer\",\"minimum\":-9007199254740991,"
                                    "\"maximum\":9007199254740991}");
    check("{\"type\":\"integer\",\"minimum\":1}", "{\"type\":\"integer\",\"minimum\":1}");
}

static void test_a_client_has_no_options(void **state) {
    (void)state;
    check("{\"x-guidance\":{\"lenient\":true},\"items\":{\"x-guidance\":{}}}",
          "{\"items\":{}}");
}

static void test_what_has_a_meaning_keeps_it(void **state) {
    (void)state;
    check("{\"type\":\"any\"}", "{}");
    check("{\"maxLength\":2.0}", "{\"maxLength\":2}");
    check("{\"enum\":[{\"type\":\"any\"}]}", "{\"enum\":[{\"type\":\"any\"}]}");
    check("{\"properties\":{\"pattern\":true},\"type\":\"object\"}",
          "{\"properties\":{\"pattern\":true},\"type\":\"object\",\"additionalProperties\":"
          "false}");
}

static void test_patterns_that_look_around_are_dropped_and_named(void **state) {
    (void)state;
    check_dropped("{\"pattern\":\"^(?=a)\",\"format\":\"email\"}", "{\"format\":\"email\"}",
                  "pattern");
    check_dropped("{\"items\":{\"pattern\":\"\\\\bx\"}}", "{\"items\":{}}", "pattern");
    check_dropped("{\"pattern\":\"(a)\\\\1\"}", "{}", "pattern");
    check_dropped("{\"pattern\":\"^\\\\\\\\b(?:a)$\"}", "{\"pattern\":\"^\\\\\\\\b(?:a)$\"}",
                  "");
    check_dropped("{\"patternProperties\":{\"(?!a)\":{}}}", "{}", "patternProperties");
}

static void test_patterns_have_limits(void **state) {
    (void)state;
    char pattern[PATTERN_MAX + 2];
    struct buf out = BUF_INIT(SCHEMA_MAX), dropped = BUF_INIT(1024),
               many = BUF_INIT(SCHEMA_MAX);
    struct error err;
    memset(pattern, 'a', sizeof pattern);
    pattern[PATTERN_MAX + 1] = '\0';
    char *schema = xasprintf("{\"pattern\":\"%s\"}", pattern);
    assert_false(write_schema(schema, SCHEMA_STRICT, &out, &dropped, &err));
    free(schema);
    schema = xasprintf("{\"pattern\":\"%s\"}", pattern + 1);
    assert_true(write_schema(schema, SCHEMA_STRICT, &out, &dropped, &err));
    free(schema);
    buf_add_str(&many, "{\"patternProperties\":{\"\":{}");
    for (int i = 0; i < PATTERN_PROPERTIES_MAX; i++) buf_addf(&many, ",\"%d\":{}", i);
    buf_add_str(&many, "}}");
    assert_false(write_schema(buf_str(&many), SCHEMA_STRICT, &out, &dropped, &err));
    buf_clear(&many);
    buf_clear(&out);
    buf_clear(&dropped);
}

static void test_a_keyword_is_named_once(void **state) {
    (void)state;
    struct buf list = BUF_INIT(64);
    guidance_name_keyword(&list, "not", 3);
    guidance_name_keyword(&list, "no", 2);
    guidance_name_keyword(&list, "not", 3);
    assert_string_equal(buf_str(&list), "not, no");
    buf_clear(&list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_object_that_lists_properties_is_closed),
        cmocka_unit_test(test_parts_of_one_object_are_not_closed),
        cmocka_unit_test(test_whole_numbers_have_an_end),
        cmocka_unit_test(test_a_client_has_no_options),
        cmocka_unit_test(test_what_has_a_meaning_keeps_it),
        cmocka_unit_test(test_patterns_that_look_around_are_dropped_and_named),
        cmocka_unit_test(test_patterns_have_limits),
        cmocka_unit_test(test_a_keyword_is_named_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
