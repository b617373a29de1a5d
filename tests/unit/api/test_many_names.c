/* SPDX-License-Identifier: MIT */
/* Bodies of as many names as fit in, each of which is to be found among others. A search that
 * looks at all of them for each would take hours here. */
#include <stdlib.h>
#include <string.h>

#include "api/anthropic/anthropic.h"
#include "api/name_set.h"
#include "api/openai/openai.h"
#include "api/responses/responses.h"
#include "api/unenforced.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"

enum { MANY = 150000, BODY_MAX = 64 << 20 };

static void test_a_set_has_what_was_added(void **state) {
    struct name_set set = { 0 };
    (void)state;
    assert_false(name_set_has(&set, "a"));
    name_set_add(&set, "b");
    name_set_add(&set, NULL);
    name_set_add(&set, "a");
    assert_true(name_set_has(&set, "a"));
    name_set_add(&set, "c");
    name_set_add(&set, "a");
    assert_true(name_set_has(&set, "c"));
    assert_true(name_set_has(&set, "b"));
    assert_false(name_set_has(&set, "bb"));
    assert_false(name_set_has(&set, NULL));
    assert_int_equal(set.count, 4);
    name_set_clear(&set);
    assert_int_equal(set.count, 0);
}

/* ---- tools ---- */

/* "form" with the number at its %d, so often. */
static void add_each(struct buf *out, int count, const char *form) {
    const char *at = strstr(form, "%d");
    for (int i = 0; i < count; i++) {
        if (i > 0) buf_add_str(out, ",");
        buf_add(out, form, (size_t)(at - form));
        buf_addf(out, "%d", i);
        buf_add_str(out, at + 2);
    }
}

static void add_openai(struct buf *body, int tools, int names, const char *description) {
    buf_add_str(body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
                      "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"one\","
                      "\"description\":\"");
    buf_add_str(body, description);
    buf_add_str(body, "\"}}");
    if (tools > 0) buf_add_str(body, ",");
    add_each(body, tools, "{\"type\":\"function\",\"function\":{\"name\":\"%d\"}}");
    buf_add_str(body, "],\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":"
                      "{\"mode\":\"auto\",\"tools\":[");
    add_each(body, names,
             tools ? "{\"function\":{\"name\":\"%d\"}}"
                   : "{\"function\":{\"name\":\"one\",\"n\":%d}}");
    buf_add_str(body, "]}}}");
}

static size_t tools_of(const struct dialect *dialect, const struct buf *body) {
    struct parsed parsed;
    struct error err;
    if (!dialect->parse(OP_CHAT, buf_str(body), body->len, &parsed, &err))
        fail_msg("%s", err.text);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(parsed.requests[0].body);
    size_t count = yyjson_mut_arr_size(yyjson_mut_obj_get(root, "tools"));
    parsed_clear(&parsed);
    return count;
}

static void test_as_many_allowed_tools_as_fit_in(void **state) {
    struct buf body = BUF_INIT(BODY_MAX);
    (void)state;
    add_openai(&body, MANY, MANY, "");
    assert_int_equal(tools_of(&dialect_openai, &body), MANY);
    buf_clear(&body);
}

/* A name has a few bytes, and what it stands for may have megabytes. */
static void test_a_tool_that_is_allowed_often_is_there_once(void **state) {
    struct buf body = BUF_INIT(BODY_MAX);
    char *text = xcalloc((4 << 20) + 1, 1);
    (void)state;
    memset(text, 'a', 4 << 20);
    add_openai(&body, 0, MANY, text);
    assert_int_equal(tools_of(&dialect_openai, &body), 1);
    free(text);
    buf_clear(&body);
}

static void test_as_many_allowed_tools_of_responses_as_fit_in(void **state) {
    struct buf body = BUF_INIT(BODY_MAX);
    (void)state;
    buf_add_str(&body, "{\"model\":\"m\",\"input\":\"a\",\"tools\":[");
    add_each(&body, MANY, "{\"type\":\"function\",\"name\":\"%d\"}");
    buf_add_str(&body, "],\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"auto\","
                       "\"tools\":[");
    add_each(&body, MANY, "{\"name\":\"1%d\"}");
    buf_add_str(&body, "]}}");
    size_t kept = tools_of(&dialect_responses, &body); /* those that begin with 1 */
    assert_int_equal(kept, MANY / 3);
    buf_clear(&body);
}

static void test_as_many_references_to_tools_as_fit_in(void **state) {
    struct buf body = BUF_INIT(BODY_MAX);
    (void)state;
    buf_add_str(&body, "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\","
                       "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"a\","
                       "\"content\":[");
    add_each(&body, MANY, "{\"type\":\"tool_reference\",\"tool_name\":\"1%d\"}");
    buf_add_str(&body, "]}]}],\"tools\":[");
    add_each(&body, MANY, "{\"name\":\"%d\",\"defer_loading\":true,\"input_schema\":{}}");
    buf_add_str(&body, "]}");
    size_t kept = tools_of(&dialect_anthropic, &body);
    assert_int_equal(kept, MANY / 3);
    buf_clear(&body);
}

/* ---- schemas ---- */

static void expect_unenforced(const struct buf *schema, const char *expected) {
    struct buf names = BUF_INIT(1024);
    yyjson_doc *in = yyjson_read(buf_str(schema), schema->len, 0);
    assert_non_null(in);
    yyjson_mut_doc *body = yyjson_doc_mut_copy(in, NULL);
    unenforced_format(yyjson_mut_doc_get_root(body), &names);
    assert_string_equal(buf_str(&names), expected);
    yyjson_mut_doc_free(body);
    yyjson_doc_free(in);
    buf_clear(&names);
}

static void test_as_many_required_properties_as_fit_in(void **state) {
    struct buf schema = BUF_INIT(BODY_MAX);
    (void)state;
    buf_add_str(&schema, "{\"response_format\":{\"json_schema\":{\"schema\":{\"properties\":{");
    add_each(&schema, MANY, "\"%d\":{}");
    buf_add_str(&schema, "},\"required\":[");
    add_each(&schema, MANY, "\"%d\"");
    buf_add_str(&schema, "]}}}}");
    expect_unenforced(&schema, "");
    buf_clear(&schema);
}

static void test_as_many_types_and_values_as_fit_in(void **state) {
    struct buf schema = BUF_INIT(BODY_MAX);
    (void)state;
    buf_add_str(&schema, "{\"response_format\":{\"json_schema\":{\"schema\":{\"enum\":[");
    add_each(&schema, MANY, "%d");
    buf_add_str(&schema, "],\"type\":[");
    add_each(&schema, MANY, "\"%d\"");
    buf_add_str(&schema, ",\"integer\"]}}}}");
    expect_unenforced(&schema, "");
    buf_clear(&schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_set_has_what_was_added),
        cmocka_unit_test(test_as_many_allowed_tools_as_fit_in),
        cmocka_unit_test(test_a_tool_that_is_allowed_often_is_there_once),
        cmocka_unit_test(test_as_many_allowed_tools_of_responses_as_fit_in),
        cmocka_unit_test(test_as_many_references_to_tools_as_fit_in),
        cmocka_unit_test(test_as_many_required_properties_as_fit_in),
        cmocka_unit_test(test_as_many_types_and_values_as_fit_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
