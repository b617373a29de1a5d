/* SPDX-License-Identifier: MIT */
/* Alternatives in their place. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"
#include "engine/schema_choices.h"

static void check(const char *schema, const char *expected) {
    yyjson_doc *in = yyjson_read(schema, strlen(schema), 0);
    assert_non_null(in);
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(in, NULL);
    schema_choices_write_out(doc);
    char *text = yyjson_mut_write(doc, 0, NULL);
    assert_string_equal(text, expected);
    free(text);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(in);
}

static void test_references_of_a_choice_are_written_out(void **state) {
    (void)state;
    check("{\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"type\":\"null\"}],\"$defs\":{\"a\":{"
          "\"required\":[\"k\"]}}}",
          "{\"oneOf\":[{\"required\":[\"k\"]},{\"type\":\"null\"}],\"$defs\":{\"a\":{"
          "\"required\":[\"k\"]}}}");
}

static void test_one_level_deep(void **state) {
    (void)state;
    check("{\"$defs\":{\"a\":{\"oneOf\":[{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"items\":{\"$ref\":"
          "\"#/$defs/a\"}}}}",
          "{\"$defs\":{\"a\":{\"oneOf\":[{\"items\":{\"$ref\":\"#/$defs/a\"}}]},\"b\":{"
          "\"items\":{\"$ref\":\"#/$defs/a\"}}}}");
}

static void test_others_stay(void **state) {
    (void)state;
    static const char *const same[] = {
        "{\"anyOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{}}}",
        "{\"oneOf\":[{\"$ref\":\"#\"}]}",
        "{\"oneOf\":[{\"$ref\":\"#/$defs/nowhere\"}]}",
        "{\"oneOf\":[{\"$ref\":\"#/$defs/a\",\"minItems\":1}],\"$defs\":{\"a\":{}}}",
        "{\"oneOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"$ref\":\"#\"}}}",
        "{\"oneOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":true}}",
        "{\"const\":{\"oneOf\":[{\"$ref\":\"#/$defs/a\"}]},\"$defs\":{\"a\":{}}}",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) check(same[i], same[i]);
}

static void test_there_are_limits(void **state) {
    (void)state;
    struct buf many = BUF_INIT(1 << 20);
    buf_add_str(&many, "{\"$defs\":{\"a\":{\"enum\":[1]}},\"oneOf\":[{\"type\":\"null\"}");
    for (int i = 0; i < SCHEMA_CHOICES_LIST_MAX; i++)
        buf_add_str(&many, ",{\"$ref\":\"#/$defs/a\"}");
    buf_add_str(&many, "]}");
    check(buf_str(&many), buf_str(&many));
    buf_reset(&many);
    buf_add_str(&many, "{\"$defs\":{\"a\":{\"enum\":[1");
    for (int i = 0; i < SCHEMA_CHOICES_MAX; i++) buf_add_str(&many, ",1");
    buf_add_str(&many, "]}},\"oneOf\":[{\"$ref\":\"#/$defs/a\"}]}");
    check(buf_str(&many), buf_str(&many));
    buf_clear(&many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references_of_a_choice_are_written_out),
        cmocka_unit_test(test_one_level_deep),
        cmocka_unit_test(test_others_stay),
        cmocka_unit_test(test_there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
