/* SPDX-License-Identifier: MIT */
/* References as the libraries follow them. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/schema_refs.h"

static char *rewrite(const char *schema, enum schema_refs_lost lost, bool *ret_dropped,
                     struct error *err) {
    yyjson_doc *in = yyjson_read(schema, strlen(schema), 0);
    assert_non_null(in);
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(in, NULL);
    *ret_dropped = false;
    bool ok = schema_refs_write(doc, lost, ret_dropped, err);
    char *text = ok ? yyjson_mut_write(doc, 0, NULL) : NULL;
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(in);
    return text;
}

static void check(const char *schema, const char *expected) {
    bool dropped;
    struct error err;
    char *text = rewrite(schema, SCHEMA_REFS_DROP, &dropped, &err);
    if (!text) fail_msg("%s: %s", schema, err.text);
    assert_string_equal(text, expected);
    assert_false(dropped);
    free(text);
}

/* The target is a number: what the first reference of the schema leads to. */
static void check_leads(const char *schema, bool leads) {
    bool dropped;
    struct error err;
    char *text = rewrite(schema, SCHEMA_REFS_DROP, &dropped, &err);
    if (!text) fail_msg("%s: %s", schema, err.text);
    if (leads != (strstr(text, "\"doze-ref-0\":{\"type\":\"number\"") != NULL))
        fail_msg("%s", text);
    free(text);
}

static void test_plain_references_stay(void **state) {
    (void)state;
    static const char *const same[] = {
        "{\"$ref\":\"#\"}",
        "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{}}}",
        "{\"properties\":{\"$ref\":{\"type\":\"string\"}}}",
        "{\"enum\":[{\"$ref\":\"elsewhere\"}]}",
        "{\"$id\":\"urn:a\",\"items\":{\"$ref\":\"#/$defs/a\"},\"$defs\":{\"a\":{}}}",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) check(same[i], same[i]);
}

static void test_escaped_names_are_led_to(void **state) {
    (void)state;
    check_leads("{\"items\":{\"$ref\":\"#/$defs/a~1b\"},\"$defs\":{\"a/b\":{\"type\":"
                "\"number\"}}}",
                true);
    check_leads("{\"items\":{\"$ref\":\"#/$defs/a~0b\"},\"$defs\":{\"a~b\":{\"type\":"
                "\"number\"}}}",
                true);
    check_leads("{\"items\":{\"$ref\":\"#/$defs/a%25b\"},\"$defs\":{\"a%b\":{\"type\":"
                "\"number\"}}}",
                true);
    check_leads("{\"items\":{\"$ref\":\"#/$defs/a%22b\"},\"$defs\":{\"a\\\"b\":{\"type\":"
                "\"number\"}}}",
                true);
    check_leads("{\"items\":{\"$ref\":\"#/$defs/a~01b\"},\"$defs\":{\"a~1b\":{\"type\":"
                "\"number\"},\"a/b\":{}}}",
                true);
    check_leads(
        "{\"$ref\":\"#/items/1/not%25\",\"items\":[{},{\"not%\":{\"type\":\"number\"}}]}",
        true);
}

static void test_names_of_schemas_are_led_to(void **state) {
    (void)state;
    check_leads("{\"$ref\":\"#a\",\"$defs\":{\"x\":{\"$anchor\":\"a\"}}}", false);
    check_leads("{\"$ref\":\"#a\",\"$defs\":{\"x\":{\"type\":\"number\",\"$anchor\":\"a\"}}}",
                true);
    check_leads("{\"$ref\":\"#a\",\"$defs\":{\"x\":{\"type\":\"number\",\"$id\":\"#a\"}}}",
                true);
    check_leads("{\"$id\":\"http://h/a/b.json\",\"$ref\":\"c.json\",\"$defs\":{\"x\":{"
                "\"type\":\"number\",\"$id\":\"http://h/a/c.json\"}}}",
                true);
    check_leads("{\"$id\":\"http://h/a/b.json\",\"$ref\":\"/c.json\",\"$defs\":{\"x\":{"
                "\"type\":\"number\",\"$id\":\"http://h/c.json\"}}}",
                true);
    check_leads("{\"$ref\":\"urn:x#/$defs/y\",\"$defs\":{\"x\":{\"$id\":\"urn:x\",\"$defs\":{"
                "\"y\":{\"type\":\"number\"}}}}}",
                true);
    /* From a document of its own a pointer begins there. */
    check_leads("{\"items\":{\"$id\":\"urn:x\",\"$ref\":\"#/$defs/y\",\"$defs\":{\"y\":{"
                "\"type\":\"number\"}}}}",
                true);
    check("{\"$id\":\"urn:a\",\"items\":{\"$ref\":\"urn:a\"}}",
          "{\"$id\":\"urn:a\",\"items\":{\"$ref\":\"#\"}}");
}

static void test_old_drafts_have_their_rules(void **state) {
    (void)state;
    check_leads("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"$ref\":\"#a\","
                "\"definitions\":{\"x\":{\"type\":\"number\",\"id\":\"#a\"}}}",
                true);
    check_leads("{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"items\":{\"$id\":"
                "\"urn:x:/y\",\"$ref\":\"a\"},\"definitions\":{\"x\":{\"type\":\"number\","
                "\"$id\":\"a\"}}}",
                true);
}

static void test_dynamic_ones_that_can_mean_one_schema_are_plain(void **state) {
    (void)state;
    check_leads("{\"items\":{\"$dynamicRef\":\"#a\"},\"$defs\":{\"x\":{\"type\":\"number\","
                "\"$dynamicAnchor\":\"a\"}}}",
                true);
    check("{\"$recursiveAnchor\":true,\"items\":{\"$recursiveRef\":\"#\"}}",
          "{\"$recursiveAnchor\":true,\"items\":{\"$ref\":\"#\"}}");
    check("{\"items\":{\"$dynamicRef\":\"#a\"},\"$defs\":{\"x\":{\"$dynamicAnchor\":\"a\"},"
          "\"y\":{\"$id\":\"urn:y\",\"$dynamicAnchor\":\"a\"}}}",
          "{\"items\":{\"$dynamicRef\":\"#a\"},\"$defs\":{\"x\":{\"$dynamicAnchor\":\"a\"},"
          "\"y\":{\"$id\":\"urn:y\",\"$dynamicAnchor\":\"a\"}}}");
}

static void test_what_is_elsewhere_is_done_without(void **state) {
    (void)state;
    bool dropped;
    struct error err;
    char *text = rewrite("{\"items\":{\"$ref\":\"http://h/a\",\"type\":\"null\"}}",
                         SCHEMA_REFS_DROP, &dropped, &err);
    assert_string_equal(text, "{\"items\":{\"type\":\"null\"}}");
    assert_true(dropped);
    free(text);
    text = rewrite("{\"$ref\":\"http://h/a\"}", SCHEMA_REFS_KEEP, &dropped, &err);
    assert_string_equal(text, "{\"$ref\":\"http://h/a\"}");
    free(text);
}

static void test_what_leads_nowhere_is_an_error(void **state) {
    (void)state;
    bool dropped;
    struct error err = { 0 };
    assert_null(rewrite("{\"$ref\":\"#nothing\"}", SCHEMA_REFS_DROP, &dropped, &err));
    assert_string_equal(err.text, "its reference \"#nothing\" leads nowhere: correct it.");
}

static void test_there_are_limits(void **state) {
    (void)state;
    struct buf many = BUF_INIT(1 << 20);
    struct error err = { 0 };
    bool dropped;
    buf_add_str(&many, "{\"allOf\":[{\"$ref\":\"urn:a\"}");
    for (int i = 0; i < SCHEMA_REFS_MAX; i++) buf_add_str(&many, ",{\"$ref\":\"urn:a\"}");
    buf_add_str(&many, "]}");
    assert_null(rewrite(buf_str(&many), SCHEMA_REFS_DROP, &dropped, &err));
    assert_non_null(strstr(err.text, "1000"));
    /* Each is within the one before: their copies would be a square of it. */
    buf_reset(&many);
    buf_add_str(&many, "{\"items\":");
    for (int i = 0; i < 100; i++) buf_addf(&many, "{\"$anchor\":\"a%d\",\"not\":", i);
    buf_add_str(&many, "{\"enum\":[0");
    for (int i = 0; i < SCHEMA_REFS_COPIES_MAX / 50; i++) buf_add_str(&many, ",0");
    buf_add_str(&many, "]}");
    for (int i = 0; i < 100; i++) buf_add_str(&many, "}");
    buf_add_str(&many, ",\"allOf\":[{}");
    for (int i = 0; i < 100; i++) buf_addf(&many, ",{\"$ref\":\"#a%d\"}", i);
    buf_add_str(&many, "]}");
    assert_null(rewrite(buf_str(&many), SCHEMA_REFS_DROP, &dropped, &err));
    assert_non_null(strstr(err.text, "too large"));
    buf_clear(&many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_references_stay),
        cmocka_unit_test(test_escaped_names_are_led_to),
        cmocka_unit_test(test_names_of_schemas_are_led_to),
        cmocka_unit_test(test_old_drafts_have_their_rules),
        cmocka_unit_test(test_dynamic_ones_that_can_mean_one_schema_are_plain),
        cmocka_unit_test(test_what_is_elsewhere_is_done_without),
        cmocka_unit_test(test_what_leads_nowhere_is_an_error),
        cmocka_unit_test(test_there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
