/* SPDX-License-Identifier: MIT */
/* What no model could keep an answer to is refused without one. */
#include <string.h>

#include "base/json.h"
#include "cmocka_prelude.h"
#include "engine/rules_check.h"

static bool check(const char *name, const char *text, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, name, text);
    yyjson_doc *rules = yyjson_mut_doc_imut_copy(doc, NULL);
    bool ok = rules_check(yyjson_doc_get_root(rules), err);
    yyjson_doc_free(rules);
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
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_schema_that_no_model_can_use),
        cmocka_unit_test(test_a_schema_that_can_be_used),
        cmocka_unit_test(test_a_grammar_that_no_model_can_use),
        cmocka_unit_test(test_a_grammar_that_can_be_used),
        cmocka_unit_test(test_a_grammar_of_tokens_needs_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
