/* SPDX-License-Identifier: MIT */
/*
 * The conversations that agents send go on with every chat template that llama.cpp knows, and
 * nothing that was said in them is lost.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/plan_shim.h"
#include "templates.h"

#define SYSTEM(text) "{\"role\":\"system\",\"content\":\"" text "\"}"
#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define MODEL(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define CALL(id, city)                                                                         \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"get_weather\","         \
    "\"arguments\":\"{\\\"city\\\":\\\"" city "\\\"}\"}}"
#define RAW_CALL(arguments)                                                                    \
    "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"get_weather\""          \
    "" arguments "}}"
#define CALLS(content, calls)                                                                  \
    "{\"role\":\"assistant\",\"content\":" content ",\"tool_calls\":[" calls "]}"
#define RESULT(id, text)                                                                       \
    "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"" text "\"}"
#define ID "call_abcdefghijklmnopqrstuvwx"
#define ID2 "call_ABCDEFGHIJKLMNOPQRSTUVWX"
#define ASKED USER("KEEP-ask") ","

/* Words that begin with KEEP are in the prompt. */
static const struct shape {
    const char *name, *messages;
} shapes[] = {
    { "one message", USER("KEEP-a") },
    { "two of the user", USER("KEEP-a") "," USER("KEEP-b") },
    { "two system messages", SYSTEM("KEEP-a") "," SYSTEM("KEEP-b") "," USER("KEEP-c") },
    { "two of the developer",
      "{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":"
      "\"KEEP-a\"}]},{\"role\":\"developer\",\"content\":[{\"type\":"
      "\"text\",\"text\":\"KEEP-b\"},{\"type\":\"text\",\"text\":"
      "\"KEEP-c\"}]}," USER("KEEP-d") "," USER("KEEP-e") },
    { "a system message in the middle", SYSTEM("KEEP-a") "," USER("KEEP-b") "," SYSTEM(
                                            "KEEP-c") "," MODEL("KEEP-d") "," USER("KEEP-e") },
    { "a system message at the end", USER("KEEP-a") "," SYSTEM("KEEP-b") },
    { "a system message alone", SYSTEM("KEEP-a") },
    { "the model begins", MODEL("KEEP-a") "," USER("KEEP-b") },
    { "two of the model", ASKED MODEL("KEEP-a") "," MODEL("KEEP-b") "," USER("KEEP-c") },
    { "empty texts", SYSTEM("") "," USER("") "," MODEL("") "," USER("KEEP-a") },
    { "no content", "{\"role\":\"user\",\"content\":null}," USER("KEEP-a") },
    { "content as parts", "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
                          "\"KEEP-a\"},{\"type\":\"text\",\"text\":\"KEEP-b\"}]}" },
    { "a call and its result",
      ASKED CALLS("null", CALL(ID, "KEEP-paris")) "," RESULT(ID, "KEEP-sunny") },
    { "a call with text",
      ASKED CALLS("\"I look\"", CALL(ID, "KEEP-paris")) "," RESULT(ID, "KEEP-sunny") },
    { "a call with empty text",
      SYSTEM("KEEP-s") "," ASKED CALLS("\"\"", CALL(ID, "KEEP-paris")) "," RESULT(
          ID, "KEEP-sunny") "," MODEL("KEEP-said") "," USER("KEEP-more") },
    { "the user after a result", ASKED CALLS("null", CALL(ID, "KEEP-paris")) "," RESULT(
                                     ID, "KEEP-sunny") "," USER("KEEP-more") },
    { "two calls at once",
      ASKED CALLS("null", CALL(ID, "KEEP-paris") "," CALL(ID2, "KEEP-rome")) "," RESULT(
          ID, "KEEP-sunny") "," RESULT(ID2, "KEEP-rain") },
    { "results in another order",
      ASKED CALLS("null", CALL(ID, "KEEP-paris") "," CALL(ID2, "KEEP-rome")) "," RESULT(
          ID2, "KEEP-rain") "," RESULT(ID, "KEEP-sunny") "," USER("KEEP-more") },
    { "calls one after the other",
      ASKED CALLS("null", CALL(ID, "KEEP-paris")) "," RESULT(ID, "KEEP-sunny") "," CALLS(
          "null", CALL(ID2, "KEEP-rome")) "," RESULT(ID2, "KEEP-rain") },
    { "an id of Anthropic's",
      ASKED CALLS("null", CALL("toolu_01A09q90qw90lq917835lq9", "KEEP-p")) "," RESULT(
          "toolu_01A09q90qw90lq917835lq9", "KEEP-sunny") },
    { "an id of another call",
      ASKED CALLS("null", CALL("call_1", "KEEP-paris")) "," RESULT("call_2", "KEEP-sunny") },
    { "a result without its call", ASKED RESULT(ID, "KEEP-sunny") "," USER("KEEP-more") },
    { "a call without its result",
      ASKED CALLS("null", CALL(ID, "KEEP-paris")) "," USER("KEEP-more") },
    { "a call at the end", ASKED CALLS("null", CALL(ID, "KEEP-paris")) },
    { "a call that was cut off",
      ASKED CALLS("null", RAW_CALL(",\"arguments\":\"{\\\"city\\\":\\\"KEEP-par\"")) "," RESULT(
          "call_1", "KEEP-broken") },
    { "a call with empty arguments",
      ASKED CALLS("null", RAW_CALL(",\"arguments\":\"\"")) "," RESULT("call_1", "KEEP-sunny") },
    { "a call without arguments",
      ASKED CALLS("null", RAW_CALL("")) "," RESULT("call_1", "KEEP-sunny") },
    { "a call whose arguments are an object",
      ASKED CALLS("null", RAW_CALL(",\"arguments\":{\"city\":\"KEEP-paris\"}")) "," RESULT(
          "call_1", "KEEP-sunny") },
    { "a call whose arguments are a list",
      ASKED CALLS("null", RAW_CALL(",\"arguments\":\"[1]\"")) "," RESULT("call_1",
                                                                         "KEEP-sunny") },
    { "a result in parts",
      ASKED CALLS(
          "null",
          CALL(ID,
               "KEEP-paris")) ",{\"role\":\"tool\",\"tool_call_id\":\"" ID
                              "\",\"content\":[{\"type\":\"text\",\"text\":\"KEEP-sunny\"}]}" },
    { "an empty result", ASKED CALLS("null", CALL(ID, "KEEP-paris")) "," RESULT(ID, "") },
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static const char tools[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"description\":\"Tells\","
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},"
    "\"required\":[\"city\"]}}}]";

static struct plan *plan_of(const struct chat_templates *templates, const char *messages,
                            bool with_tools, struct error *err) {
    char *list = xasprintf("[%s]", messages);
    yyjson_doc *doc = json_parse(list, strlen(list), err);
    yyjson_doc *tools_doc = json_parse(tools, sizeof tools - 1, err);
    assert_non_null(doc);
    struct chat_input input = { .messages = yyjson_doc_get_root(doc),
                                .tools = with_tools ? yyjson_doc_get_root(tools_doc) : NULL,
                                .parallel_tool_calls = -1,
                                .reasoning_budget = -1,
                                .add_generation_prompt = true,
                                .continue_final_message = 0 };
    struct plan *plan = plan_new(templates, &input, err);
    yyjson_doc_free(doc);
    yyjson_doc_free(tools_doc);
    free(list);
    return plan;
}

/* The words of the messages that the prompt has not; how many. */
static int lost_words(const char *messages, const char *prompt, struct buf *ret) {
    int lost = 0;
    for (const char *at = messages; (at = strstr(at, "KEEP-"));) {
        char word[64];
        size_t len = 5 + strspn(at + 5, "abcdefghijklmnopqrstuvwxyz");
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        if (!strstr(prompt, word)) {
            (void)buf_addf(ret, " %s", word);
            lost++;
        }
        at += len;
    }
    return lost;
}

/* True: it goes on and has all words. */
static bool goes_on(const char *name, const struct chat_templates *templates,
                    const struct shape *shape, bool with_tools) {
    struct error err;
    struct buf lost = BUF_INIT(4096);
    struct plan *plan = plan_of(templates, shape->messages, with_tools, &err);
    const char *kind = with_tools ? "with tools" : "without tools";
    size_t len;
    int words = plan ? lost_words(shape->messages, plan_prompt(plan, &len), &lost) : 0;
    if (!plan) print_error("%s, %s, %s: refused: %s\n", name, shape->name, kind, err.text);
    if (words > 0) print_error("%s, %s, %s: lost%s\n", name, shape->name, kind, buf_str(&lost));
    buf_clear(&lost);
    bool ok = plan && words == 0;
    plan_free(plan);
    return ok;
}

static int failures_of(const char *name) {
    struct error err;
    char *path = xasprintf(TEMPLATES_DIR "/%s", name), *jinja = templates_read(path);
    struct chat_templates *templates = chat_templates_new(templates_model.weights, jinja, &err);
    int failures = 0;
    assert_non_null(templates);
    for (int i = 0; i < SHAPES; i++) {
        bool with_tools = strstr(shapes[i].messages, "tool");
        failures += !goes_on(name, templates, &shapes[i], with_tools);
    }
    chat_templates_free(templates);
    free(path);
    free(jinja);
    return failures;
}

/* A sanitizer makes the library's many small allocations 20 times as slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 11 };
#else
enum { STEP = 1 };
#endif

static void test_every_shape_goes_on_with_every_template(void **state) {
    (void)state;
    int templates = 0, failures = 0;
    DIR *dir = opendir(TEMPLATES_DIR);
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir));) {
        if (!strstr(d->d_name, ".jinja")) continue;
        if (templates++ % STEP == 0) failures += failures_of(d->d_name);
    }
    closedir(dir);
    print_message("%d templates, %d shapes\n", templates, SHAPES);
    assert_true(templates > 60);
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape_goes_on_with_every_template),
    };
    return cmocka_run_group_tests(tests, templates_open, templates_close);
}
