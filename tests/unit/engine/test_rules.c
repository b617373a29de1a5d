/* SPDX-License-Identifier: MIT */
/* What of a request is checked without a model. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/rules.h"

#define HI "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define TOOL(name, more) "{\"function\":{\"name\":\"" name "\"}" more "}"
#define TWO_TOOLS                                                                              \
    ",\"tools\":[" TOOL("one", ",\"strict\":true") "," TOOL("two", "") "," TOOL(               \
        "three", ",\"strict\":true") "]"

/* "": nothing is. */
static void assert_rules(const char *body, const char *expected) {
    struct sampling defaults = sampling_defaults();
    struct request r;
    struct error err;
    struct buf out = BUF_INIT(4096);
    if (!request_parse(&r, body, strlen(body), &defaults, 100, &err)) fail_msg("%s", err.text);
    rules_write(&r.chat, 2, &out);
    assert_string_equal(buf_str(&out), expected);
    buf_clear(&out);
    request_clear(&r);
}

static void test_a_plain_request_has_nothing_to_check(void **state) {
    (void)state;
    assert_rules(HI "}", "");
    assert_rules(HI ",\"tools\":[" TOOL("one", "") "]}", "");
    assert_rules("{\"op\":\"embedding\",\"input\":[\"x\"]}", "");
    assert_rules(HI ",\"chat_template\":\"\"}", "");
}

static void test_schemas_and_grammars_are_checked(void **state) {
    (void)state;
    assert_rules("{\"op\":\"completion\",\"prompt\":\"x\",\"grammar\":\"root ::= x\"}",
                 "{\"grammar\":\"root ::= x\",\"seconds\":2.0}");
    assert_rules(HI ",\"response_format\":{\"type\":\"json_object\"}}",
                 "{\"schema\":\"{\\\"type\\\":\\\"object\\\"}\",\"seconds\":2.0}");
    assert_rules(HI ",\"chat_template\":\"{{ x }}\"}",
                 "{\"template\":\"{{ x }}\",\"seconds\":2.0}");
}

static void test_strict_tools_that_may_be_called_are_checked(void **state) {
    (void)state;
    assert_rules(HI TWO_TOOLS "}", "{\"tools\":[" TOOL("one", ",\"strict\":true") "," TOOL(
                                       "three", ",\"strict\":true") "],\"seconds\":2.0}");
    assert_rules(HI TWO_TOOLS ",\"tool_choice\":\"none\"}", "");
    assert_rules(HI TWO_TOOLS ",\"tool_choice\":{\"function\":{\"name\":\"two\"}}}", "");
    assert_rules(HI TWO_TOOLS ",\"tool_choice\":{\"function\":{\"name\":\"three\"}}}",
                 "{\"tools\":[" TOOL("three", ",\"strict\":true") "],\"seconds\":2.0}");
}

static void test_a_schema_beside_tools_says_so(void **state) {
    (void)state;
    assert_rules(
        HI ",\"tools\":[" TOOL("one", "") "],\"response_format\":{\"type\":\"json_object\"}}",
        "{\"calls\":true,\"schema\":\"{\\\"type\\\":\\\"object\\\"}\",\"seconds\":2.0}");
}

static void test_pictures_are_checked(void **state) {
    (void)state;
    assert_rules("{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                 "\"image_url\",\"image_url\":{\"url\":\"data:a\"}}]}]}",
                 "{\"pictures\":[\"data:a\"],\"seconds\":2.0}");
}

static void test_large_pictures_are_left_to_the_worker(void **state) {
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        char *url = xcalloc(RULES_PICTURES_MAX + 2, 1);
        memset(url, 'A', RULES_PICTURES_MAX - 1 + over);
        struct picture_url pictures[] = { { url, RULES_PICTURES_MAX - 1 + over }, { "A", 1 } };
        const struct request_chat chat = { .pictures = pictures, .picture_count = 2 };
        struct buf out = BUF_INIT(16 << 20);
        rules_write(&chat, 1, &out);
        assert_int_equal(out.len == 0, over);
        buf_clear(&out);
        free(url);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_request_has_nothing_to_check),
        cmocka_unit_test(test_schemas_and_grammars_are_checked),
        cmocka_unit_test(test_strict_tools_that_may_be_called_are_checked),
        cmocka_unit_test(test_a_schema_beside_tools_says_so),
        cmocka_unit_test(test_pictures_are_checked),
        cmocka_unit_test(test_large_pictures_are_left_to_the_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
