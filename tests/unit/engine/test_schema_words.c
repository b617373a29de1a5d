/* SPDX-License-Identifier: MIT */
/* Keywords in other words. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "engine/schema_words.h"

static void check(const char *schema, const char *expected) {
    yyjson_doc *in = yyjson_read(schema, strlen(schema), 0);
    assert_non_null(in);
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(in, NULL);
    schema_words_tidy(doc, yyjson_mut_doc_get_root(doc), true);
    char *text = yyjson_mut_write(doc, 0, NULL);
    assert_string_equal(text, expected);
    free(text);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(in);
}

static void check_same(const char *schema) {
    check(schema, schema);
}

static void test_names_of_properties(void **state) {
    (void)state;
    check("{\"propertyNames\":{\"type\":\"string\"},\"additionalProperties\":{}}",
          "{\"additionalProperties\":{}}");
    check("{\"propertyNames\":true}", "{}");
    check("{\"propertyNames\":{\"enum\":[\"a\",\"b\",1]},\"properties\":{\"a\":{\"type\":"
          "\"null\"},\"c\":{}},\"additionalProperties\":{\"type\":\"string\"}}",
          "{\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"type\":\"string\"}},"
          "\"additionalProperties\":false}");
    check("{\"propertyNames\":{\"const\":\"a\"}}",
          "{\"properties\":{\"a\":true},\"additionalProperties\":false}");
    check("{\"propertyNames\":{\"pattern\":\"^x\"},\"additionalProperties\":{}}",
          "{\"patternProperties\":{\"^x\":{}},\"additionalProperties\":false}");
    check("{\"propertyNames\":{\"maxLength\":3}}",
          "{\"patternProperties\":{\"^(.|\\\\n){0,3}$\":true},\"additionalProperties\":false}");
    check_same("{\"propertyNames\":{\"pattern\":\"^x\"},\"properties\":{\"y\":{}}}");
    check_same("{\"propertyNames\":{\"type\":\"number\"}}");
    check_same("{\"propertyNames\":{\"not\":{}}}");
    check_same("{\"propertyNames\":false}");
}

static void test_dependencies(void **state) {
    (void)state;
    check("{\"dependentRequired\":{\"a\":[\"b\"],\"c\":[]}}",
          "{\"allOf\":[{\"anyOf\":[{\"properties\":{\"a\":false},\"additionalProperties\":true}"
          ",{\"required\":[\"b\"]}]}]}");
    check("{\"dependentSchemas\":{\"a\":{\"type\":\"null\"},\"b\":false,\"c\":true}}",
          "{\"allOf\":[{\"anyOf\":[{\"properties\":{\"a\":false},\"additionalProperties\":true}"
          ",{\"type\":\"null\"}]},{\"anyOf\":[{\"properties\":{\"b\":false},"
          "\"additionalProperties\":true}]}]}");
    check("{\"dependencies\":{\"c\":[]}}", "{}");
    check_same(
        "{\"dependentRequired\":{\"a\":[\"b\"],\"b\":[\"c\"],\"c\":[\"d\"],\"d\":[\"e\"],"
        "\"e\":[\"f\"]}}");
}

static void test_what_nothing_else_evaluates(void **state) {
    (void)state;
    check("{\"properties\":{\"a\":{}},\"unevaluatedProperties\":false}",
          "{\"properties\":{\"a\":{}},\"additionalProperties\":false}");
    check("{\"additionalProperties\":{},\"unevaluatedProperties\":false}",
          "{\"additionalProperties\":{}}");
    check("{\"anyOf\":[{}],\"unevaluatedProperties\":true}", "{\"anyOf\":[{}]}");
    check_same("{\"anyOf\":[{}],\"unevaluatedProperties\":false}");
    check("{\"prefixItems\":[{}],\"unevaluatedItems\":false}",
          "{\"prefixItems\":[{}],\"items\":false}");
    check("{\"items\":[{}],\"unevaluatedItems\":false}",
          "{\"items\":[{}],\"additionalItems\":false}");
    check("{\"items\":{},\"unevaluatedItems\":false}", "{\"items\":{}}");
    check("{\"additionalItems\":{},\"unevaluatedItems\":false}", "{\"items\":false}");
    check_same("{\"contains\":{\"type\":\"null\"},\"unevaluatedItems\":false}");
}

static void test_what_means_no_more(void **state) {
    (void)state;
    check("{\"uniqueItems\":false}", "{}");
    check("{\"uniqueItems\":true,\"maxItems\":1}", "{\"maxItems\":1}");
    check_same("{\"uniqueItems\":true,\"maxItems\":2}");
    check("{\"contains\":{}}", "{\"minItems\":1}");
    check("{\"contains\":true,\"minContains\":2,\"minItems\":3}", "{\"minItems\":3}");
    check("{\"contains\":{\"type\":\"null\"},\"minContains\":0}", "{}");
    check("{\"minContains\":2,\"maxContains\":3}", "{}");
    check_same("{\"contains\":{\"type\":\"null\"}}");
    check_same("{\"contains\":{},\"maxContains\":2}");
    check("{\"if\":{}}", "{}");
    check("{\"then\":{},\"else\":{}}", "{}");
}

static void test_conditions_are_two_alternatives(void **state) {
    (void)state;
    check("{\"if\":{\"minimum\":1},\"then\":{\"maximum\":9},\"else\":{\"type\":\"null\"}}",
          "{\"allOf\":[{\"anyOf\":[{\"allOf\":[{\"minimum\":1},{\"maximum\":9}]},{\"allOf\":[{"
          "\"type\":\"number\",\"exclusiveMaximum\":1},{\"type\":\"null\"}]}]}]}");
    check(
        "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]}}",
        "{\"allOf\":[{\"anyOf\":[{\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]},{"
        "\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":false},"
        "\"additionalProperties\":true}]}]}]}");
    check("{\"not\":{\"type\":\"object\"}}",
          "{\"allOf\":[{\"type\":[\"null\",\"boolean\",\"number\",\"string\",\"array\"]}]}");
    check_same("{\"if\":{\"pattern\":\"a\"},\"then\":{}}");
    check_same("{\"not\":{\"pattern\":\"a\"}}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_properties),
        cmocka_unit_test(test_dependencies),
        cmocka_unit_test(test_what_nothing_else_evaluates),
        cmocka_unit_test(test_what_means_no_more),
        cmocka_unit_test(test_conditions_are_two_alternatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
