/* SPDX-License-Identifier: MIT */
/* Schemas that libllama-common refuses, and what becomes of them. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "engine/schema.h"

static void check(const char *schema, bool loosen, const char *expected) {
    yyjson_doc *doc = yyjson_read(schema, strlen(schema), 0);
    assert_non_null(doc);
    yyjson_doc *written = schema_write(yyjson_doc_get_root(doc), loosen);
    char *text = yyjson_write(written, 0, NULL);
    assert_string_equal(text, expected);
    free(text);
    yyjson_doc_free(written);
    yyjson_doc_free(doc);
}

/* The same whether loosened or not. */
static void check_exact(const char *schema, const char *expected) {
    check(schema, false, expected);
    check(schema, true, expected);
}

static void test_what_has_a_meaning_keeps_it(void **state) {
    (void)state;
    check_exact("{\"type\":\"any\"}", "{}");
    check_exact("{\"type\":[\"string\",\"any\"]}", "{}");
    check_exact("{\"type\":\"string\",\"maxLength\":2.0}",
                "{\"type\":\"string\",\"maxLength\":2}");
    check_exact("{\"properties\":{\"a\":true},\"items\":true}",
                "{\"properties\":{\"a\":{}},\"items\":{}}");
    check_exact("{\"format\":\"date\",\"pattern\":\"^(?:\\\\d)$\"}", "{\"format\":\"date\"}");
    check_exact("{\"format\":\"email\",\"pattern\":\"^a$\"}",
                "{\"format\":\"email\",\"pattern\":\"^a$\"}");
    check_exact("{\"additionalProperties\":false}", "{\"additionalProperties\":false}");
    check_exact("{\"prefixItems\":[{}],\"items\":false}", "{\"prefixItems\":[{}]}");
}

static void test_all_of_one_schema_is_that_schema(void **state) {
    (void)state;
    check_exact(
        "{\"title\":\"a\",\"allOf\":[{\"title\":\"b\",\"allOf\":[{\"type\":\"null\"}]}]}",
        "{\"title\":\"a\",\"type\":\"null\"}");
    check_exact("{\"allOf\":[{}],\"type\":\"null\"}", "{\"allOf\":[{}],\"type\":\"null\"}");
    check_exact("{\"allOf\":[{},{}]}", "{\"allOf\":[{},{}]}");
}

static void test_escaped_references_are_led_around(void **state) {
    (void)state;
    check_exact(
        "{\"items\":{\"$ref\":\"#/$defs/a~1b\"},\"$defs\":{\"a/b\":{\"type\":\"null\"}}}",
        "{\"items\":{\"$ref\":\"#/$defs/doze-ref-0\"},\"$defs\":{\"a/b\":{\"type\":"
        "\"null\"},\"doze-ref-0\":{\"type\":\"null\"}}}");
}

static void test_a_schema_may_refer_to_itself(void **state) {
    (void)state;
    check_exact(
        "{\"properties\":{\"next\":{\"$ref\":\"#\"}}}",
        "{\"properties\":{\"next\":{\"$ref\":\"#/$defs/whole-schema\"}},\"$defs\":{"
        "\"whole-schema\":{\"properties\":{\"next\":{\"$ref\":\"#/$defs/whole-schema\"}}}"
        "},\"$ref\":\"#/$defs/whole-schema\"}");
}

static void check_loose(const char *schema, const char *expected) {
    check(schema, false, schema);
    check(schema, true, expected);
}

static void test_what_has_none_is_any_value_if_loosened(void **state) {
    (void)state;
    check_loose("{\"type\":\"str\"}", "{}");
    check_loose("{\"type\":[]}", "{}");
    check_loose("{\"enum\":[]}", "{}");
    check_loose("{\"anyOf\":[]}", "{}");
    check_loose("{\"minLength\":-1}", "{}");
    check_loose("{\"minItems\":\"1\"}", "{}");
    check_loose("{\"pattern\":5}", "{}");
    check_loose("{\"maximum\":\"9\"}", "{}");
    check_loose("{\"properties\":{\"a\":false,\"b\":3}}",
                "{\"properties\":{\"a\":{},\"b\":{}}}");
    check_loose("{\"additionalProperties\":3}", "{}");
    check_loose("{\"properties\":[]}", "{\"properties\":[]}");
}

static void test_references(void **state) {
    (void)state;
    check_exact("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"null\"}}}",
                "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"null\"}}}");
    check_exact("{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/anyOf/0\"}]}",
                "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/anyOf/0\"}]}");
    check_loose("{\"$ref\":\"#/$defs/a\"}", "{}");
    check_loose("{\"$ref\":\"https://example.com/a.json\"}", "{}");
    check_loose("{\"$ref\":7}", "{}");
    check_loose("{\"$ref\":\"#/anyOf/4\",\"anyOf\":[{}]}", "{\"anyOf\":[{}]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_has_a_meaning_keeps_it),
        cmocka_unit_test(test_all_of_one_schema_is_that_schema),
        cmocka_unit_test(test_escaped_references_are_led_around),
        cmocka_unit_test(test_a_schema_may_refer_to_itself),
        cmocka_unit_test(test_what_has_none_is_any_value_if_loosened),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
