/* SPDX-License-Identifier: MIT */
/* What no model could keep an answer to is refused without one. */
#include <string.h>

#include "base/json.h"
#include "cmocka_prelude.h"
#include "engine/rules_check.h"

static bool check_json(const char *json, struct error *err) {
    yyjson_doc *rules = json_parse_object(json, strlen(json), err);
    assert_non_null(rules);
    bool ok = rules_check(yyjson_doc_get_root(rules), err);
    yyjson_doc_free(rules);
    return ok;
}

static bool check(const char *name, const char *text, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    struct buf json = BUF_INIT(1 << 16);
    yyjson_mut_obj_add_str(doc, root, name, text);
    assert_true(json_write(doc, &json));
    bool ok = check_json(buf_str(&json), err);
    buf_clear(&json);
    yyjson_mut_doc_free(doc);
    return ok;
}

static void refuses(const char *name, const char *text, const char *param) {
    struct error err = { 0 };
    if (check(name, text, &err)) fail_msg("%s was taken", text);
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, param);
    assert_non_null(strstr(err.text, "cannot be used"));
}

static void takes(const char *name, const char *text) {
    struct error err = { 0 };
    if (!check(name, text, &err)) fail_msg("%s: %s", text, err.text);
}

static void test_a_schema_that_no_model_can_use(void **state) {
    (void)state;
    refuses("schema", "{\"type\":\"bogus\"}", "response_format");
    refuses("schema", "{\"$ref\":\"#/$defs/none\"}", "response_format");
    refuses("schema", "{\"enum\":[]}", "response_format");
}

static void test_a_schema_that_can_be_used(void **state) {
    (void)state;
    takes("schema", "{\"type\":\"object\"}");
    takes("schema", "{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}}}");
    takes("schema", "{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}");
    takes("schema", "{\"type\":\"string\",\"pattern\":\"(?=a)b\"}"); /* unenforced */
}

static void test_a_grammar_that_no_model_can_use(void **state) {
    (void)state;
    refuses("grammar", "root ::= (((", "grammar");
    refuses("grammar", "hello", "grammar");
    refuses("grammar", "root ::= root \"a\"", "grammar");
    refuses("grammar", "root ::= \"<\" (((", "grammar");
    refuses("grammar", "root ::= [<\\]a] ((( # <b>", "grammar");
    refuses("grammar", "other ::= \"a\"", "grammar");
}

static void test_a_grammar_that_can_be_used(void **state) {
    (void)state;
    takes("grammar", "root ::= \"yes\" | [0-9]+");
    takes("grammar", ""); /* none */
}

/* Whether the vocabulary has the token shows when the model is loaded. */
static void test_a_grammar_of_tokens_needs_the_model(void **state) {
    (void)state;
    takes("grammar", "root ::= <think> \"a\"");
    takes("grammar", "root ::= <think> (!<a \"b> | !<[7]>)* <[1000]> [<]");
}

static void test_jit_7_a_broken_grammar_of_tokens_is_refused_without_the_model(void **state) {
    (void)state;
    refuses("grammar", "root ::= <think> (((", "grammar");
    refuses("grammar", "root ::= <think> nowhere", "grammar");
    refuses("grammar", "root ::= <think", "grammar");
    refuses("grammar", "root ::= <[seven]>", "grammar");
}

#define STRICT(schema)                                                                         \
    "{\"tools\":[{\"type\":\"function\",\"strict\":true,\"function\":{\"name\":\"f\","         \
    "\"parameters\":" schema "}}]}"

static void test_a_strict_tool_that_no_model_can_call(void **state) {
    (void)state;
    static const char *const schemas[] = {
        STRICT("{\"type\":\"str\"}"),
        STRICT("{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":\"#/$defs/no\"}}}"),
        STRICT("{\"type\":\"object\",\"properties\":{\"x\":{\"enum\":[]}}}"),
    };
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct error err = { 0 };
        if (check_json(schemas[i], &err)) fail_msg("%s was taken", schemas[i]);
        assert_int_equal(err.code, ERR_INVALID_REQUEST);
        assert_string_equal(err.param, "tools");
        assert_non_null(strstr(err.text, "The schema of the strict tool 'f' cannot be used: "));
    }
    struct error err = { 0 };
    assert_true(
        check_json(STRICT("{\"type\":\"object\",\"properties\":{\"x\":{\"not\":{}}}}"), &err));
}

static void test_a_template_that_cannot_be_parsed(void **state) {
    (void)state;
    struct error err = { 0 };
    assert_false(check("template", "{% for %}", &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_non_null(strstr(err.text, "The chat template cannot be parsed: "));
    takes("template", "{% for m in messages %}{{ m.content }}{% endfor %}");
}

static void test_pictures_that_are_none(void **state) {
    (void)state;
    struct error err = { 0 };
    static const char dot[] = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    struct buf json = BUF_INIT(4096);
    assert_true(buf_addf(&json, "{\"pictures\":[\"data:image/gif;base64,%s\"]}", dot));
    if (!check_json(buf_str(&json), &err)) fail_msg("%s", err.text);
    buf_clear(&json);
    assert_false(check_json("{\"pictures\":[\"data:image/png;base64,AAAA\"]}", &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, "messages");
    assert_false(check_json("{\"pictures\":[\"http://localhost/a.png\"]}", &err));
    assert_int_equal(err.code, ERR_NOT_SUPPORTED);
}

/* There only llama.cpp's own grammars keep an answer to a schema. */
static void test_what_only_guidance_can_use_is_no_use_beside_calls(void **state) {
    (void)state;
    struct error err = { 0 };
    static const char schema[] = "\"schema\":\"{\\\"type\\\":\\\"bogus\\\"}\"";
    struct buf json = BUF_INIT(4096);
    assert_true(buf_addf(&json, "{%s,\"calls\":true}", schema));
    assert_false(check_json(buf_str(&json), &err));
    assert_string_equal(err.param, "response_format");
    buf_clear(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_schema_that_no_model_can_use),
        cmocka_unit_test(test_a_schema_that_can_be_used),
        cmocka_unit_test(test_a_grammar_that_no_model_can_use),
        cmocka_unit_test(test_a_grammar_that_can_be_used),
        cmocka_unit_test(test_a_grammar_of_tokens_needs_the_model),
        cmocka_unit_test(test_jit_7_a_broken_grammar_of_tokens_is_refused_without_the_model),
        cmocka_unit_test(test_a_strict_tool_that_no_model_can_call),
        cmocka_unit_test(test_a_template_that_cannot_be_parsed),
        cmocka_unit_test(test_pictures_that_are_none),
        cmocka_unit_test(test_what_only_guidance_can_use_is_no_use_beside_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
