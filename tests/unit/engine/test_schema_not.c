/* SPDX-License-Identifier: MIT */
/* What does not match a schema. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"
#include "engine/schema_not.h"

static void check(const char *schema, const char *expected) {
    yyjson_doc *in = yyjson_read(schema, strlen(schema), 0);
    assert_non_null(in);
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(in, NULL);
    yyjson_mut_val *other = schema_not(doc, yyjson_mut_doc_get_root(doc));
    char *text = other ? yyjson_mut_val_write(other, 0, NULL) : NULL;
    if (!expected) assert_null(other);
    if (expected) assert_string_equal(text, expected);
    free(text);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(in);
}

static void test_types(void **state) {
    (void)state;
    check("true", "false");
    check("false", "true");
    check("{}", "false");
    check("{\"title\":\"x\"}", "false");
    check("{\"type\":\"string\"}",
          "{\"type\":[\"null\",\"boolean\",\"number\",\"array\",\"object\"]}");
    check("{\"type\":[\"number\",\"integer\",\"null\",\"boolean\",\"array\"]}",
          "{\"type\":[\"string\",\"object\"]}");
    check("{\"type\":\"integer\"}", NULL);
}

static void test_values(void **state) {
    (void)state;
    check("{\"const\":null}",
          "{\"type\":[\"boolean\",\"number\",\"string\",\"array\",\"object\"]}");
    check("{\"const\":true}", "{\"anyOf\":[{\"type\":[\"null\",\"number\",\"string\",\"array\","
                              "\"object\"]},{\"const\":false}]}");
    check("{\"enum\":[3,1,3,\"\"]}",
          "{\"anyOf\":[{\"type\":[\"null\",\"boolean\",\"array\",\"object\"]},{\"type\":"
          "\"number\","
          "\"exclusiveMaximum\":1.0},{\"type\":\"number\",\"exclusiveMinimum\":1.0,"
          "\"exclusiveMaximum\":3.0},{\"type\":\"number\",\"exclusiveMinimum\":3.0},{\"type\":"
          "\"string\",\"pattern\":\"^((.|\\\\n)+)$\"}]}");
    check("{\"const\":{}}", NULL);
    check("{\"enum\":[[]]}", NULL);
}

static void check_pattern(const char *values, const char *pattern) {
    struct buf schema = BUF_INIT(4096), expected = BUF_INIT(4096);
    buf_addf(&schema, "{\"enum\":%s}", values);
    buf_addf(&expected,
             "{\"anyOf\":[{\"type\":[\"null\",\"boolean\",\"number\",\"array\",\"object\"]},"
             "{\"type\":\"string\",\"pattern\":\"%s\"}]}",
             pattern);
    check(buf_str(&schema), buf_str(&expected));
    buf_clear(&schema);
    buf_clear(&expected);
}

/* What begins otherwise; behind each first character, what does not go on as one of them. */
static void test_texts(void **state) {
    (void)state;
    check_pattern("[\"a\"]", "^(|[^a](.|\\\\n)*|a((.|\\\\n)+))$");
    check_pattern("[\"ab\",\"ac\"]",
                  "^(|[^a](.|\\\\n)*|a(|[^bc](.|\\\\n)*|b((.|\\\\n)+)|c((.|\\\\n)+)))$");
    check_pattern("[\"a\",\"\"]", "^([^a](.|\\\\n)*|a((.|\\\\n)+))$");
    check_pattern("[\"\u00e9.\"]",
                  "^(|[^\u00e9](.|\\\\n)*|\u00e9(|[^\\\\.](.|\\\\n)*|\\\\.((.|\\\\n)+)))$");
}

static void test_bounds(void **state) {
    (void)state;
    check("{\"minimum\":1}", "{\"type\":\"number\",\"exclusiveMaximum\":1}");
    check("{\"exclusiveMaximum\":1.5}", "{\"type\":\"number\",\"minimum\":1.5}");
    check("{\"minimum\":1,\"exclusiveMinimum\":true}", NULL);
    check("{\"minLength\":3}", "{\"type\":\"string\",\"maxLength\":2}");
    check("{\"minItems\":0}", "false");
    check("{\"maxItems\":2}", "{\"type\":\"array\",\"minItems\":3}");
    check("{\"maxLength\":-1}", NULL);
}

static void test_objects_and_schemas_of_schemas(void **state) {
    (void)state;
    check("{\"required\":[]}", "false");
    check("{\"properties\":{\"a\":{},\"b\":false}}",
          "{\"type\":\"object\",\"properties\":{\"b\":true},\"additionalProperties\":true,"
          "\"required\":[\"b\"]}");
    check("{\"properties\":{\"a\":{\"pattern\":\"x\"}}}", NULL);
    check("{\"additionalProperties\":false}", NULL);
    check("{\"not\":{\"pattern\":\"x\"}}", "{\"pattern\":\"x\"}");
    check("{\"anyOf\":[{\"maximum\":1},{\"minLength\":1}]}",
          "{\"allOf\":[{\"type\":\"number\",\"exclusiveMinimum\":1},{\"type\":\"string\","
          "\"maxLength\":0}]}");
    check("{\"allOf\":[true,{\"maximum\":1}]}",
          "{\"anyOf\":[false,{\"type\":\"number\",\"exclusiveMinimum\":1}]}");
    check("{\"oneOf\":[{}]}", NULL);
    check("{\"$ref\":\"#\"}", NULL);
}

static void test_there_are_limits(void **state) {
    (void)state;
    struct buf many = BUF_INIT(1 << 16);
    buf_add_str(&many, "{\"enum\":[0");
    for (int i = 0; i < SCHEMA_NOT_VALUES_MAX; i++) buf_addf(&many, ",%d", i);
    buf_add_str(&many, "]}");
    check(buf_str(&many), NULL);
    buf_reset(&many);
    buf_add_str(&many, "{\"const\":\"");
    for (int i = 0; i <= SCHEMA_NOT_BYTES_MAX; i++) buf_add_str(&many, "a");
    buf_add_str(&many, "\"}");
    check(buf_str(&many), NULL);
    buf_clear(&many);
    check("{\"const\":\"a\\u0000b\"}", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_objects_and_schemas_of_schemas),
        cmocka_unit_test(test_there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
