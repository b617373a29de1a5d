/* SPDX-License-Identifier: MIT */
#include "api/unenforced.h"

#include <string.h>

#include "base/json.h"
#include "cmocka_prelude.h"

/* A schema, and the keywords of it that a grammar does not enforce. */
static const struct {
    const char *schema, *names;
} cases[] = {
    { "true", "" },
    { "{}", "" },
    { "{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}", "" },
    { "{\"type\":\"number\",\"minimum\":1}", "minimum" },
    { "{\"type\":[\"integer\",\"null\"],\"minimum\":1}", "minimum" },
    { "{\"type\":\"integer\",\"multipleOf\":3}", "multipleOf" },
    { "{\"type\":\"string\",\"minLength\":2}", "" },
    { "{\"type\":\"string\",\"minLength\":2,\"pattern\":\"^a+$\"}", "minLength" },
    { "{\"type\":\"string\",\"format\":\"date\"}", "" },
    { "{\"type\":\"string\",\"format\":\"email\"}", "format" },
    { "{\"type\":\"array\",\"items\":{},\"minItems\":2,\"uniqueItems\":true}", "uniqueItems" },
    { "{\"type\":\"array\",\"minItems\":2}", "minItems" },
    { "{\"properties\":{\"a\":{}},\"required\":[\"a\"]}", "" },
    { "{\"properties\":{\"a\":{}},\"required\":[\"a\",\"b\"]}", "required" },
    { "{\"enum\":[{\"minimum\":1}],\"type\":\"object\"}", "" },
    { "{\"enum\":[\"a\",null],\"type\":[\"string\",\"null\"]}", "" },
    { "{\"enum\":[\"a\",1],\"type\":\"string\"}", "type" },
    { "{\"const\":1.5,\"type\":\"integer\"}", "type" },
    { "{\"enum\":[\"a\"],\"maxLength\":1}", "maxLength" },
    { "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"number\",\"maximum\":1}}}",
      "maximum" },
    { "{\"anyOf\":[{\"type\":\"string\"}],\"properties\":{\"a\":{}}}", "properties" },
    { "{\"oneOf\":[{\"type\":\"string\"}]}", "oneOf" },
    { "{\"allOf\":[{\"properties\":{}}]}", "" },
    { "{\"allOf\":[{\"type\":\"null\"}]}", "" },
    { "{\"allOf\":[{\"$ref\":\"#\"}],\"type\":\"object\"}", "allOf" },
    { "{\"allOf\":[{\"type\":\"null\"},{}]}", "allOf" },
    { "{\"allOf\":[{\"properties\":{}},{\"enum\":[1]}]}", "" },
    { "{\"prefixItems\":[{}]}", "" },
    { "{\"prefixItems\":[{}],\"items\":{},\"minItems\":1}", "" },
    { "{\"prefixItems\":[{}],\"minItems\":2}", "minItems" },
    { "{\"items\":[{},{}],\"maxItems\":1}", "maxItems" },
    { "{\"$dynamicRef\":\"#a\"}", "$dynamicRef" },
    { "{\"allOf\":[{\"properties\":{}}],\"properties\":{}}", "allOf" },
    /* Names of properties are not keywords; each keyword is named once. */
    { "{\"properties\":{\"not\":{\"type\":\"string\"}}}", "" },
    { "{\"properties\":{\"a\":{\"not\":{}},\"b\":{\"not\":{},\"if\":{}}}}", "not, if" },
};

static void test_keywords_that_a_grammar_leaves_out_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = BUF_INIT(1 << 16), names = BUF_INIT(1024);
        struct error err = { 0 };
        buf_addf(&text, "{\"response_format\":{\"json_schema\":{\"schema\":%s}}}",
                 cases[i].schema);
        yyjson_doc *in = json_parse(text.data, text.len, &err);
        assert_non_null(in);
        yyjson_mut_doc *body = yyjson_doc_mut_copy(in, NULL);
        unenforced_format(yyjson_mut_doc_get_root(body), &names);
        if (strcmp(buf_str(&names), cases[i].names) != 0)
            fail_msg("%s: \"%s\"", cases[i].schema, buf_str(&names));
        yyjson_mut_doc_free(body);
        yyjson_doc_free(in);
        buf_clear(&text);
        buf_clear(&names);
    }
}

static void test_tools_that_are_strict_and_may_be_called_count(void **state) {
    (void)state;
    static const struct {
        const char *body, *names;
    } bodies[] = {
        { "{\"tools\":[{\"function\":{\"parameters\":{\"not\":{}}}}]}", "" },
        { "{\"tools\":[{\"strict\":true,\"function\":{\"parameters\":{\"not\":{}}}}]}", "not" },
        { "{\"tool_choice\":\"none\",\"tools\":[{\"strict\":true,\"function\":{\"parameters\":"
          "{\"not\":{}}}}]}",
          "" },
        { "{\"response_format\":{\"json_schema\":{\"schema\":{\"if\":{}}}},\"tools\":["
          "{\"strict\":true,\"function\":{\"parameters\":{\"not\":{}}}}]}",
          "not, if" },
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        yyjson_doc *in = yyjson_read(bodies[i].body, strlen(bodies[i].body), 0);
        yyjson_mut_doc *body = yyjson_doc_mut_copy(in, NULL);
        struct buf names = BUF_INIT(1024);
        unenforced_format(yyjson_mut_doc_get_root(body), &names);
        assert_string_equal(buf_str(&names), bodies[i].names);
        buf_clear(&names);
        yyjson_mut_doc_free(body);
        yyjson_doc_free(in);
    }
}

static void test_a_body_without_a_schema_names_nothing(void **state) {
    (void)state;
    struct buf names = BUF_INIT(1024);
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    unenforced_format(root, &names);
    assert_int_equal(names.len, 0);
    yyjson_mut_doc_free(body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keywords_that_a_grammar_leaves_out_are_named),
        cmocka_unit_test(test_tools_that_are_strict_and_may_be_called_count),
        cmocka_unit_test(test_a_body_without_a_schema_names_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
