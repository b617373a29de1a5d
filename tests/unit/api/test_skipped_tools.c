/* SPDX-License-Identifier: MIT */
/* Tools that only OpenAI's or Anthropic's own servers run: a body with them is answered without
 * them, and the log can say which kinds there were. */
#include <string.h>

#include "api/anthropic/anthropic.h"
#include "api/responses/responses.h"
#include "base/buf.h"
#include "cmocka_prelude.h"

static const char responses_body[] = "{\"model\":\"m\",\"input\":\"a\",\"tools\":[%s]}";
static const char messages_body[] =
    "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
    "\"tools\":[%s]}";

static void assert_skipped(const struct dialect *dialect, const char *form, const char *tools,
                           const char *kinds) {
    struct buf body = BUF_INIT(1 << 16);
    struct parsed parsed;
    struct error err = { 0 };
    const char *at = strstr(form, "%s");
    buf_add(&body, form, (size_t)(at - form));
    buf_add_str(&body, tools);
    buf_add_str(&body, at + 2);
    assert_true(dialect->parse(OP_CHAT, buf_str(&body), body.len, &parsed, &err));
    if (kinds)
        assert_string_equal(parsed.skipped_tools, kinds);
    else
        assert_null(parsed.skipped_tools);
    parsed_clear(&parsed);
    buf_clear(&body);
}

static void test_kinds_of_tools_that_are_left_out_are_noted_once(void **state) {
    (void)state;
    assert_skipped(&dialect_responses, responses_body,
                   "{\"type\":\"web_search_preview\"},{\"type\":\"function\",\"name\":\"f\"},"
                   "{\"type\":\"web_search\"},{\"type\":\"mcp\"},{\"type\":\"web_search\"}",
                   "web_search_preview, web_search, mcp");
    assert_skipped(&dialect_anthropic, messages_body,
                   "{\"type\":\"bash_20250124\",\"name\":\"bash\"},"
                   "{\"name\":\"f\",\"input_schema\":{}},"
                   "{\"type\":\"bash_20250124\",\"name\":\"other\"}",
                   "bash_20250124");
}

static void test_the_clients_own_tools_are_not_noted(void **state) {
    (void)state;
    assert_skipped(
        &dialect_responses, responses_body,
        "{\"type\":\"custom\",\"name\":\"g\"},{\"type\":\"namespace\",\"name\":\"n\","
        "\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}",
        NULL);
    assert_skipped(&dialect_anthropic, messages_body,
                   "{\"type\":\"custom\",\"name\":\"f\",\"input_schema\":{}},"
                   "{\"name\":\"g\",\"input_schema\":{},\"defer_loading\":true}",
                   NULL);
}

static void test_more_kinds_than_there_is_room_for_are_not_noted(void **state) {
    struct buf tools = BUF_INIT(1 << 15);
    struct parsed parsed;
    struct error err = { 0 };
    (void)state;
    buf_add_str(&tools, "{\"model\":\"m\",\"input\":\"a\",\"tools\":[{\"type\":\"first\"}");
    for (int i = 0; i < 1000; i++) buf_addf(&tools, ",{\"type\":\"kind_%d\"}", i);
    buf_add_str(&tools, "]}");
    assert_true(dialect_responses.parse(OP_CHAT, buf_str(&tools), tools.len, &parsed, &err));
    assert_true(strlen(parsed.skipped_tools) < SKIPPED_TOOLS_SIZE);
    assert_memory_equal(parsed.skipped_tools, "first, kind_0, kind_1, ", 23);
    parsed_clear(&parsed);
    buf_clear(&tools);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_of_tools_that_are_left_out_are_noted_once),
        cmocka_unit_test(test_the_clients_own_tools_are_not_noted),
        cmocka_unit_test(test_more_kinds_than_there_is_room_for_are_not_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
