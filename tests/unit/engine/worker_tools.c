/* SPDX-License-Identifier: MIT */
/*
 * Tools with chat templates that know none: described, called, demanded, answered. And what
 * schemas do to tools, and tools to schemas.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define USER "\"messages\":[{\"role\":\"user\",\"content\":\"Weather in Paris?\"}]"
#define TOOL(name, properties)                                                                 \
    "{\"type\":\"function\",\"function\":{\"name\":\"" name "\",\"description\":\"Tells " name \
    "\",\"parameters\":{\"type\":\"object\",\"properties\":{" properties "}}}}"
#define CITY "\"city\":{\"type\":\"string\"}"
#define TOOLS "\"tools\":[" TOOL("get_weather", CITY) "," TOOL("get_time", "") "]"
#define SWITCH                                                                                 \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"light\",\"parameters\":{"      \
    "\"type\":\"object\",\"properties\":{\"on\":{\"type\":\"boolean\"}},\"required\":[\"on\"]" \
    ","                                                                                        \
    "\"additionalProperties\":false}}}]"
#define CALL(city)                                                                             \
    "[TOOL_REQUEST]{\"name\": \"get_weather\", \"arguments\": {\"city\": \"" city "\"}}"       \
    "[END_TOOL_REQUEST]"

/* A model with this template says this. */
static struct worker *speaks(const char *name, const char *template, const char *text) {
    char file[512];
    snprintf(file, sizeof file, TEMPLATES_DIR "/%s.jinja", template);
    char *path = model_make(name, "spoken", "--chat-template", file, "--text", text, NULL);
    struct worker *w = worker_load(path, "\"context_length\":8192,\"parallel\":2");
    free(path);
    return w;
}

/* Its template has never heard of tools. */
static struct worker *speaker(const char *name, const char *text) {
    return speaks(name, "google-gemma-2-2b-it", text);
}

/* It says anything. */
static struct worker *babbler(void) {
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(path, "\"context_length\":8192");
    free(path);
    return w;
}

static void test_a_tool_is_called_in_the_generic_format(void **state) {
    (void)state;
    struct worker *w = speaker("generic-call", "I look. " CALL("Paris"));
    assert_false(yyjson_get_bool(yyjson_obj_get(worker_fact(w, "capabilities"), "tool_use")));
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "}");
    assert_string_equal(outcome_str(o, "stop_reason"), "toolCalls");
    assert_string_equal(buf_str(&o->content), "I look. ");
    assert_int_equal(o->call_count, 1);
    assert_string_equal(buf_str(&o->calls[0].name), "get_weather");
    assert_string_equal(buf_str(&o->calls[0].arguments), "{\"city\": \"Paris\"}");
    assert_true(o->calls[0].id.len > 5);
    assert_true(o->deltas > 4); /* text and arguments stream */
    o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS ",\"tool_choice\":\"none\"}");
    assert_int_equal(o->call_count, 0);
    assert_non_null(strstr(buf_str(&o->content), "[TOOL_REQUEST]"));
    worker_stop(w, 0);
}

static void test_parallel_calls_in_the_generic_format(void **state) {
    (void)state;
    struct worker *w = speaker("generic-two", CALL("Paris") "\n" CALL("Rome"));
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "}");
    assert_int_equal(o->call_count, 2);
    assert_string_equal(buf_str(&o->calls[1].arguments), "{\"city\": \"Rome\"}");
    assert_int_equal(o->content.len, 0);
    o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS ",\"parallel_tool_calls\":false}");
    assert_int_equal(o->call_count, 1);
    assert_string_equal(outcome_str(o, "stop_reason"), "toolCalls");
    worker_stop(w, 0);
}

/* The formats of some templates allow more calls all the same. */
static void test_parallel_calls_of_a_template(void **state) {
    (void)state;
    static const char both[] =
        "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n"
        "</tool_call>\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": "
        "\"Rome\"}}\n</tool_call>";
    struct worker *w = speaks("native-two", "Qwen-Qwen2.5-7B-Instruct", both);
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "}");
    assert_int_equal(o->call_count, 2);
    o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS ",\"parallel_tool_calls\":false}");
    assert_int_equal(o->call_count, 1);
    assert_string_equal(outcome_str(o, "stop_reason"), "toolCalls");
    worker_stop(w, 0);
}

static void test_the_generic_format_is_described(void **state) {
    (void)state;
    struct worker *w = speaker("generic-call", "I look. " CALL("Paris"));
    struct outcome *o = worker_run(
        w, "{\"op\":\"chat\",\"report_prompt\":true,\"max_tokens\":1," TOOLS ",\"messages\":["
           "{\"role\":\"system\",\"content\":\"Be brief.\"},"
           "{\"role\":\"user\",\"content\":\"Weather?\"},"
           "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\","
           "\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"arguments\":"
           "\"{\\\"city\\\":\\\"Paris\\\"}\"}}]},"
           "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"sunny\"}]}");
    assert_false(o->failed);
    assert_non_null(strstr(o->prompt, "<start_of_turn>user\nBe brief.\n\nYou can call tools."));
    assert_non_null(strstr(o->prompt, "{\"name\":\"get_weather\",\"description\":\"Tells"));
    assert_non_null(strstr(o->prompt, "<start_of_turn>model\n[TOOL_REQUEST]{\"name\": "
                                      "\"get_weather\", \"arguments\": {\"city\":\"Paris\"}}"
                                      "[END_TOOL_REQUEST]<end_of_turn>"));
    assert_non_null(strstr(o->prompt, "<start_of_turn>user\n[TOOL_RESULT]sunny"
                                      "[END_TOOL_RESULT]<end_of_turn>"));
    worker_stop(w, 0);
}

/* Random weights would say anything; the grammar makes it a call, and nothing but a call. */
static void check_forced(struct worker *w, const char *choice) {
    for (int seed = 1; seed <= 3; seed++) {
        struct outcome *o = worker_run(w,
                                       "{\"op\":\"chat\"," USER "," SWITCH ",\"seed\":%d,"
                                       "\"parallel_tool_calls\":false,\"temperature\":1,"
                                       "\"max_tokens\":2000,\"tool_choice\":%s}",
                                       seed, choice);
        assert_string_equal(outcome_str(o, "stop_reason"), "toolCalls");
        assert_int_equal(o->call_count, 1);
        assert_int_equal(o->content.len, 0);
        assert_string_equal(buf_str(&o->calls[0].name), "light");
        yyjson_doc *doc = yyjson_read(buf_str(&o->calls[0].arguments),
                                      o->calls[0].arguments.len, 0);
        assert_true(yyjson_is_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "on")));
        yyjson_doc_free(doc);
    }
}

static void test_a_call_is_forced_in_the_generic_format(void **state) {
    (void)state;
    struct worker *w = babbler();
    check_forced(w, "\"required\"");
    check_forced(w, "{\"type\":\"function\",\"function\":{\"name\":\"light\"}}");
    worker_stop(w, 0);
}

/* ---- schemas ---- */

static const char *const odd_schemas[] = {
    "{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}}}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/none\"}}}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"https://example.com/s\"}}}",
    "{\"type\":\"object\",\"properties\":{\"a\":true,\"b\":false}}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"any\"}}}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[]}}}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^[\"}}}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"minLength\":-1}}}",
    "{\"type\":\"bogus\"}",
    "{\"type\":\"object\",\"properties\":[]}",
    "true",
};

/* The other tools go on as they are, and the model still sees the odd one. */
static void test_an_odd_schema_is_of_its_tool_alone(void **state) {
    (void)state;
    struct worker *w = speaks("chat-call", "Qwen-Qwen2.5-7B-Instruct",
                              "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": "
                              "{\"city\": \"Paris\"}}\n</tool_call>");
    for (size_t i = 0; i < sizeof odd_schemas / sizeof odd_schemas[0]; i++) {
        struct outcome *o = worker_run(
            w,
            "{\"op\":\"chat\"," USER ",\"report_prompt\":true,\"tools\":[" TOOL(
                "get_weather", CITY) ",{\"type\":\"function\",\"function\":{\"name\":\"odd\","
                                     "\"parameters\":%s}}]}",
            odd_schemas[i]);
        if (o->failed) fail_msg("%s: %s", odd_schemas[i], outcome_str(o, "text"));
        assert_int_equal(o->call_count, 1);
        assert_string_equal(buf_str(&o->calls[0].arguments), "{\"city\": \"Paris\"}");
        assert_non_null(strstr(o->prompt, "\"odd\""));
    }
    worker_stop(w, 0);
}

static void test_an_odd_schema_in_the_generic_format(void **state) {
    (void)state;
    struct worker *w = babbler();
    for (size_t i = 0; i < sizeof odd_schemas / sizeof odd_schemas[0]; i++) {
        struct outcome *o = worker_run(
            w,
            "{\"op\":\"chat\"," USER ",\"seed\":1,\"max_tokens\":200,"
            "\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{"
            "\"name\":\"odd\",\"parameters\":%s}}]}",
            odd_schemas[i]);
        if (o->failed) fail_msg("%s: %s", odd_schemas[i], outcome_str(o, "text"));
        assert_string_equal(buf_str(&o->calls[0].name), "odd");
    }
    worker_stop(w, 0);
}

#define SCHEMA                                                                                 \
    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":"     \
    "\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"}},\"required\":[\"ok\"],"         \
    "\"additionalProperties\":false}}}"

static void test_tools_beside_a_schema_are_called(void **state) {
    (void)state;
    static const char *const templates[] = { "google-gemma-2-2b-it",
                                             "Qwen-Qwen2.5-7B-Instruct" };
    static const char *const models[] = { "both-call-gemma", "both-call-qwen" };
    for (size_t i = 0; i < 2; i++) {
        struct worker *w = speaks(models[i], templates[i], CALL("Paris"));
        struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "," SCHEMA "}");
        assert_int_equal(o->call_count, 1);
        assert_string_equal(buf_str(&o->calls[0].arguments), "{\"city\": \"Paris\"}");
        assert_int_equal(o->content.len, 0);
        worker_stop(w, 0);
    }
}

/* gpt-oss has marks around every answer, so it keeps its own format. */
static void test_a_schema_beside_tools_is_kept(void **state) {
    (void)state;
    static const struct {
        const char *model, *template, *text;
    } cases[] = {
        { "both-answer", "Qwen-Qwen2.5-7B-Instruct", "{\"ok\": true}" },
        { "both-kimi", "moonshotai-Kimi-K2", "{\"ok\": true}" },
        { "both-marked", "openai-gpt-oss-120b", "<|channel|>final<|message|>{\"ok\": true}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct worker *w = speaks(cases[i].model, cases[i].template, cases[i].text);
        struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "," SCHEMA "}");
        assert_string_equal(outcome_str(o, "stop_reason"), "eosFound");
        assert_string_equal(buf_str(&o->content), "{\"ok\": true}");
        assert_int_equal(o->call_count, 0);
        worker_stop(w, 0);
    }
}

/* The library has a format of its own for this template, and no schema in it. */
static void test_a_schema_is_kept_where_the_format_has_none(void **state) {
    (void)state;
    struct worker *w = speaks("schema-thought", "moonshotai-Kimi-K2",
                              "<think>So.</think>{\"ok\": true}");
    struct outcome *o = worker_run(w,
                                   "{\"op\":\"chat\"," USER "," SCHEMA ",\"temperature\":0}");
    assert_string_equal(buf_str(&o->reasoning), "So.");
    assert_string_equal(buf_str(&o->content), "{\"ok\": true}");
    worker_stop(w, 0);
}

/* An answer is a call or matches the schema, whatever the model would say. */
static void test_nothing_but_a_call_or_the_schema(void **state) {
    (void)state;
    struct worker *w = babbler();
    for (int seed = 1; seed <= 5; seed++) {
        struct outcome *o = worker_run(w,
                                       "{\"op\":\"chat\"," USER "," SWITCH "," SCHEMA
                                       ",\"seed\":%d,\"temperature\":1,\"max_tokens\":2000,"
                                       "\"parallel_tool_calls\":false}",
                                       seed);
        yyjson_doc *doc = yyjson_read(buf_str(&o->content), o->content.len, 0);
        bool answered = yyjson_is_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "ok"));
        assert_true(answered != (o->call_count == 1));
        assert_true(answered || o->content.len == 0);
        yyjson_doc_free(doc);
    }
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," SWITCH "," SCHEMA
                                      ",\"tool_choice\":\"required\",\"max_tokens\":2000,"
                                      "\"parallel_tool_calls\":false}");
    assert_int_equal(o->call_count, 1);
    worker_stop(w, 0);
}

static void test_an_answer_may_have_a_schema_that_refers_to_itself(void **state) {
    (void)state;
    struct worker *w = babbler();
    struct outcome *o = worker_run(
        w, "{\"op\":\"chat\"," USER ",\"max_tokens\":2000,\"response_format\":{\"type\":"
           "\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"object\",\"properties\":{"
           "\"a\":{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#\"}]}},\"required\":[\"a\"],"
           "\"additionalProperties\":false}}}}"); /* others might go on and on */
    yyjson_doc *doc = yyjson_read(buf_str(&o->content), o->content.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    assert_non_null(yyjson_obj_get(root, "a"));
    yyjson_doc_free(doc);
    worker_stop(w, 0);
}

static void test_a_schema_that_cannot_be_used_is_named(void **state) {
    (void)state;
    struct worker *w = babbler();
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER
                                      ",\"response_format\":{\"type\":\"json_schema\","
                                      "\"json_schema\":{\"schema\":{\"type\":\"bogus\"}}}}");
    assert_string_equal(outcome_str(o, "code"), "invalid_request_error");
    assert_string_equal(outcome_str(o, "param"), "response_format");
    assert_non_null(strstr(outcome_str(o, "text"), "bogus"));
    assert_null(strstr(outcome_str(o, "text"), "template"));
    worker_stop(w, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tool_is_called_in_the_generic_format),
        cmocka_unit_test(test_parallel_calls_in_the_generic_format),
        cmocka_unit_test(test_parallel_calls_of_a_template),
        cmocka_unit_test(test_the_generic_format_is_described),
        cmocka_unit_test(test_a_call_is_forced_in_the_generic_format),
        cmocka_unit_test(test_an_odd_schema_is_of_its_tool_alone),
        cmocka_unit_test(test_an_odd_schema_in_the_generic_format),
        cmocka_unit_test(test_tools_beside_a_schema_are_called),
        cmocka_unit_test(test_a_schema_beside_tools_is_kept),
        cmocka_unit_test(test_a_schema_is_kept_where_the_format_has_none),
        cmocka_unit_test(test_nothing_but_a_call_or_the_schema),
        cmocka_unit_test(test_an_answer_may_have_a_schema_that_refers_to_itself),
        cmocka_unit_test(test_a_schema_that_cannot_be_used_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
