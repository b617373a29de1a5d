/* SPDX-License-Identifier: MIT */
/* Chats through real templates: tools, reasoning, schemas, and what a template refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define USER "\"messages\":[{\"role\":\"user\",\"content\":\"Weather in Paris?\"}]"
#define TOOLS                                                                                  \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\","                \
    "\"description\":"                                                                         \
    "\"The weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":"  \
    "\"string\"}},\"required\":[\"city\"]}}},{\"type\":\"function\",\"function\":{\"name\":"   \
    "\"get_time\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}]"
#define CALL                                                                                   \
    "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": "                      \
    "\"Paris\"}}\n</tool_call>"

/* A model that speaks `text` after the conversation as the named template writes it. */
static struct worker *speaker(const char *name, const char *template, const char *text) {
    char file[512];
    snprintf(file, sizeof file, TEMPLATES_DIR "/%s.jinja", template);
    char *path = model_make(name, "spoken", "--chat-template", file, "--text", text, NULL);
    struct worker *w = worker_load(path, "\"context_length\":4096,\"parallel\":2");
    free(path);
    return w;
}

static void test_a_tool_is_called(void **state) {
    (void)state;
    struct worker *w = speaker("chat-call", "Qwen-Qwen2.5-7B-Instruct", CALL);
    assert_true(yyjson_get_bool(yyjson_obj_get(worker_fact(w, "capabilities"), "tool_use")));
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "}");
    assert_string_equal(outcome_str(o, "stop_reason"), "toolCalls");
    assert_int_equal(o->call_count, 1);
    assert_string_equal(buf_str(&o->calls[0].name), "get_weather");
    assert_string_equal(buf_str(&o->calls[0].arguments), "{\"city\": \"Paris\"}");
    assert_true(o->calls[0].id.len > 5);
    assert_int_equal(o->content.len, 0);
    assert_true(o->deltas > 2); /* the arguments stream */
    worker_stop(w, 0);
}

static void test_tool_choice(void **state) {
    (void)state;
    struct worker *w = speaker("chat-call", "Qwen-Qwen2.5-7B-Instruct", CALL);
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS ",\"tool_choice\":"
                                      "\"required\",\"temperature\":0}");
    assert_string_equal(buf_str(&o->calls[0].name), "get_weather");
    o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS ",\"tool_choice\":\"none\"}");
    assert_int_equal(o->call_count, 0);
    assert_non_null(strstr(buf_str(&o->content), "get_weather"));
    assert_string_equal(outcome_str(o, "stop_reason"), "eosFound");
    /* The model wants the other tool; the grammar lets it name only the demanded one. */
    o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS
                      ",\"parallel_tool_calls\":false,\"tool_choice\":"
                      "{\"type\":\"function\",\"function\":{\"name\":\"get_time\"}}}");
    assert_string_equal(buf_str(&o->calls[0].name), "get_time");
    o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS ",\"tool_choice\":"
                      "{\"type\":\"function\",\"function\":{\"name\":\"fly\"}}}");
    assert_string_equal(outcome_str(o, "code"), "invalid_request_error");
    assert_non_null(strstr(outcome_str(o, "text"), "fly"));
    o = worker_run(w, "{\"op\":\"chat\"," USER ",\"tool_choice\":\"required\"}");
    assert_string_equal(outcome_str(o, "code"), "invalid_request_error");
    worker_stop(w, 0);
}

static void test_reasoning_comes_apart(void **state) {
    (void)state;
    struct worker *w = speaker("chat-think", "Qwen-Qwen3-0.6B",
                               "<think>\nIt may rain.\n</think>\n\nTake an umbrella.");
    assert_true(yyjson_get_bool(yyjson_obj_get(worker_fact(w, "capabilities"), "reasoning")));
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "}");
    assert_string_equal(buf_str(&o->content), "Take an umbrella.");
    assert_non_null(strstr(buf_str(&o->reasoning), "It may rain."));
    assert_null(strstr(buf_str(&o->reasoning), "think>"));
    assert_true(outcome_int(o, "reasoning_tokens") > 0);
    assert_true(outcome_int(o, "reasoning_tokens") < outcome_int(o, "completion_tokens"));
    worker_stop(w, 0);
}

static void test_a_tool_is_called_after_reasoning(void **state) {
    (void)state;
    struct worker *w = speaker("chat-think-call", "Qwen-Qwen3-0.6B",
                               "<think>\nI could <tool_call> now.\n</think>\n\n" CALL);
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "}");
    assert_string_equal(outcome_str(o, "stop_reason"), "toolCalls");
    assert_int_equal(o->call_count, 1);
    assert_non_null(strstr(buf_str(&o->reasoning), "I could <tool_call> now."));
    worker_stop(w, 0);
}

/* A template that opens the thinking itself: the speaker's own tokens do not spell a tag. */
static struct worker *thinker(const char *options) {
    char file[512];
    snprintf(file, sizeof file,
             TEMPLATES_DIR "/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja");
    char *path = model_make("chat-think-open", "spoken", "--chat-template", file, "--text",
                            "It may rain, or it may snow, or the sun may shine all day long."
                            "\n</think>\n\nTake an umbrella.",
                            NULL);
    struct worker *w = worker_load(path, options);
    free(path);
    return w;
}

/* Then its end is put into the model's mouth. */
static void test_thinking_ends_where_its_budget_does(void **state) {
    (void)state;
    struct worker *w = thinker("\"context_length\":512");
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":40,"
                                      "\"temperature\":0,\"reasoning_budget\":5}");
    assert_false(o->failed);
    assert_non_null(strstr(buf_str(&o->reasoning), "It may"));
    assert_null(strstr(buf_str(&o->reasoning), "day long"));
    assert_true(o->content.len > 0);
    o = worker_run(w, "{\"op\":\"chat\"," USER ",\"temperature\":0,\"reasoning_budget\":500}");
    assert_non_null(strstr(buf_str(&o->content), "Take an umbrella."));
    assert_non_null(strstr(buf_str(&o->reasoning), "day long."));
    worker_stop(w, 0);
}

static void test_the_end_of_a_budget_is_explained(void **state) {
    (void)state;
    struct worker *w = thinker("\"context_length\":512,\"reasoning_ending\":\"Enough.\"");
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":40,"
                                      "\"temperature\":0,\"reasoning_budget\":0}");
    assert_non_null(strstr(buf_str(&o->reasoning), "Enough."));
    assert_null(strstr(buf_str(&o->reasoning), "It may"));
    assert_true(o->content.len > 0);
    assert_null(strstr(buf_str(&o->content), "Enough."));
    worker_stop(w, 0);
}

static void test_another_syntax_of_calls(void **state) {
    (void)state;
    struct worker *w = speaker(
        "chat-coder", "Qwen3-Coder",
        "I look.\n<tool_call>\n<function=get_weather>\n<parameter=city>\n"
        "Paris\n</parameter>\n</function>\n</tool_call>");
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "," TOOLS "}");
    assert_string_equal(buf_str(&o->calls[0].arguments), "{\"city\":\"Paris\"}");
    assert_non_null(strstr(buf_str(&o->content), "I look."));
    assert_null(strstr(buf_str(&o->content), "<tool_call>"));
    worker_stop(w, 0);
}

/* Random weights would say anything; the grammar makes it the schema's. */
static void test_a_schema_is_kept(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(path, "\"context_length\":2048");
    free(path);
    for (int seed = 1; seed <= 5; seed++) {
        struct outcome *o = worker_run(
            w,
            "{\"op\":\"chat\"," USER ",\"seed\":%d,\"temperature\":1,\"response_format\":"
            "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"object\","
            "\"properties\":{\"ok\":{\"type\":\"boolean\"},\"kind\":{\"enum\":[\"red\","
            "\"green\"]}},\"required\":[\"ok\",\"kind\"],\"additionalProperties\":false}}}}",
            seed);
        assert_false(o->failed);
        assert_string_equal(outcome_str(o, "stop_reason"), "eosFound");
        yyjson_doc *doc = yyjson_read(buf_str(&o->content), o->content.len, 0);
        assert_non_null(doc);
        assert_true(yyjson_is_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "ok")));
        assert_true(yyjson_is_str(yyjson_obj_get(yyjson_doc_get_root(doc), "kind")));
        yyjson_doc_free(doc);
    }
    worker_stop(w, 0);
}

static void test_schemas_that_make_no_sense(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(path, "\"context_length\":2048");
    free(path);
    static const char *const schemas[] = {
        "{\"type\":\"nonsense\"}",
        "{\"$ref\":\"#/nowhere\"}",
        "{\"type\":\"string\",\"pattern\":\"^[\"}",
        "{\"$ref\":\"https://example.com/schema.json\"}",
        "{\"type\":\"array\",\"minItems\":-5}",
        "{\"type\":\"string\",\"minLength\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct outcome *o = worker_run(w,
                                       "{\"op\":\"chat\"," USER ",\"max_tokens\":4,"
                                       "\"response_format\":{\"type\":\"json_schema\","
                                       "\"json_schema\":{\"schema\":%s}}}",
                                       schemas[i]);
        if (o->failed) assert_string_equal(outcome_str(o, "code"), "invalid_request_error");
    }
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":4,\"tools\":[{"
                                      "\"type\":\"function\",\"function\":{\"name\":\"f\","
                                      "\"parameters\":{\"type\":\"bogus\"}}}]}");
    if (o->failed) assert_string_equal(outcome_str(o, "code"), "invalid_request_error");
    assert_false(worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":4}")->failed);
    worker_stop(w, 0);
}

static const char *prompt_of(const struct outcome *o) {
    yyjson_val *result = yyjson_obj_get(yyjson_doc_get_root(o->end), "result");
    return yyjson_get_str(yyjson_obj_get(result, "prompt"));
}

static void test_the_template_is_applied(void **state) {
    (void)state;
    struct worker *w = speaker("chat-think", "Qwen-Qwen3-0.6B", "");
    struct outcome *o = worker_run(w, "{\"op\":\"template\"," USER "}");
    assert_string_equal(prompt_of(o), "<|im_start|>user\nWeather in Paris?<|im_end|>\n"
                                      "<|im_start|>assistant\n");
    o = worker_run(w, "{\"op\":\"template\"," USER ",\"add_generation_prompt\":false}");
    assert_null(strstr(prompt_of(o), "assistant"));
    o = worker_run(w, "{\"op\":\"template\"," USER ",\"reasoning_effort\":\"none\"}");
    assert_non_null(strstr(prompt_of(o), "</think>")); /* thinking is closed at once */
    o = worker_run(w, "{\"op\":\"template\"," USER
                      ",\"chat_template_kwargs\":{\"enable_thinking\":false}}");
    assert_non_null(strstr(prompt_of(o), "</think>"));
    o = worker_run(w, "{\"op\":\"template\"," USER
                      ",\"chat_template_kwargs\":{\"enable_thinking\":\"no\"}}");
    assert_true(o->failed);
    o = worker_run(
        w, "{\"op\":\"template\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
           "\"text\",\"text\":\"part one\"},{\"type\":\"text\",\"text\":\"two\"}]}]}");
    assert_non_null(strstr(prompt_of(o), "part one"));
    o = worker_run(w, "{\"op\":\"template\"," USER "," TOOLS "}");
    assert_non_null(strstr(prompt_of(o), "get_weather"));
    worker_stop(w, 0);
}

static struct worker *with_template(const char *template) {
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_start();
    struct buf options = BUF_INIT(4096);
    assert_true(
        buf_addf(&options, "\"context_length\":512,\"chat_template\":\"%s\"", template));
    worker_say_load(w, path, buf_str(&options));
    buf_clear(&options);
    free(path);
    return w;
}

/* Llama's tokenizer begins every text with <s>, so its prompt is written without. */
static void test_marks_around_a_prompt(void **state) {
    (void)state;
    char *path = model_make("random-llama-spm", "random", "--seed", "3", "--vocab",
                            VOCABS_DIR "/ggml-vocab-llama-spm.gguf", NULL);
    struct worker *w = worker_load(path, "\"context_length\":512");
    const char *ask = "{\"op\":\"template\"," USER ",\"chat_template\":"
                      "\"{{ bos_token }}{{ messages[0]['content'] }}\"%s}";
    struct outcome *o = worker_run(w, ask, "");
    assert_string_equal(prompt_of(o), "Weather in Paris?");
    o = worker_run(w, ask, ",\"bos\":true,\"eos\":true");
    assert_string_equal(prompt_of(o), "<s>Weather in Paris?");
    o = worker_run(w, ask, ",\"bos\":false");
    assert_string_equal(prompt_of(o), "Weather in Paris?");
    worker_stop(w, 0);
    free(path);
    /* This one's adds nothing: what is there is the template's. */
    w = speaker("chat-think", "Qwen-Qwen3-0.6B", "");
    o = worker_run(w, ask, ",\"bos\":true,\"eos\":true");
    char *marked = strdup(prompt_of(o));
    o = worker_run(w, ask, "");
    assert_string_equal(prompt_of(o), marked);
    o = worker_run(w, ask, ",\"bos\":false");
    assert_string_equal(prompt_of(o), "Weather in Paris?");
    free(marked);
    worker_stop(w, 0);
}

static void test_the_prompt_is_reported_on_demand(void **state) {
    (void)state;
    struct worker *w = with_template("<{{ messages[0].content }}>{{ 'é'[0:1] }}");
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":1}");
    assert_null(o->prompt);
    o = worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":1,\"report_prompt\":true}");
    assert_false(o->failed);
    assert_string_equal(o->prompt, "<Weather in Paris?>\xef\xbf\xbd");
    worker_stop(w, 0);
}

static void test_a_template_that_complains(void **state) {
    (void)state;
    struct worker *w = with_template("{{ raise_exception('only users may speak here') }}");
    assert_false(w->failed);
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER "}");
    assert_string_equal(outcome_str(o, "code"), "invalid_request_error");
    assert_string_equal(outcome_str(o, "text"),
                        "The conversation does not fit the model's chat "
                        "template: only users may speak here");
    assert_false(
        worker_run(w, "{\"op\":\"completion\",\"prompt\":\"a\",\"max_tokens\":1}")->failed);
    worker_stop(w, 0);
}

static void test_a_template_that_is_broken(void **state) {
    (void)state;
    struct worker *w = with_template("{% for m in messages %}{{ m.content }");
    assert_true(w->failed);
    assert_non_null(strstr(yyjson_get_str(worker_fact(w, "text")), "template"));
    worker_stop(w, 1);
}

static void test_images_are_refused_in_a_sentence(void **state) {
    (void)state;
    struct worker *w = with_template("{{ messages[0].content }}");
    struct outcome *o = worker_run(
        w, "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
           "\"image_url\",\"image_url\":{\"url\":\"data:,\"}}]}]}");
    assert_string_equal(outcome_str(o, "code"), "not_supported");
    worker_stop(w, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tool_is_called),
        cmocka_unit_test(test_tool_choice),
        cmocka_unit_test(test_reasoning_comes_apart),
        cmocka_unit_test(test_a_tool_is_called_after_reasoning),
        cmocka_unit_test(test_thinking_ends_where_its_budget_does),
        cmocka_unit_test(test_the_end_of_a_budget_is_explained),
        cmocka_unit_test(test_another_syntax_of_calls),
        cmocka_unit_test(test_a_schema_is_kept),
        cmocka_unit_test(test_schemas_that_make_no_sense),
        cmocka_unit_test(test_the_template_is_applied),
        cmocka_unit_test(test_marks_around_a_prompt),
        cmocka_unit_test(test_the_prompt_is_reported_on_demand),
        cmocka_unit_test(test_a_template_that_complains),
        cmocka_unit_test(test_a_template_that_is_broken),
        cmocka_unit_test(test_images_are_refused_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
