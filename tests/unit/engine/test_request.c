/* SPDX-License-Identifier: MIT */
#include "engine/request.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "cmocka_prelude.h"

enum { VOCAB = 1000 };

static bool parse(struct request *r, const char *text, struct error *err) {
    struct sampling defaults = sampling_defaults();
    return request_parse(r, text, strlen(text), &defaults, VOCAB, err);
}

static void test_a_bare_chat_gets_the_defaults(void **state) {
    (void)state;
    struct request r;
    struct error err;
    assert_true(parse(
        &r, "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", &err));
    assert_int_equal(r.op, REQUEST_CHAT);
    assert_string_equal(json_find_str(yyjson_arr_get_first(r.chat.messages), "content"), "hi");
    assert_int_equal(r.sampling.max_tokens, -1);
    assert_float_equal(r.sampling.temperature, 0.8, 1e-9);
    assert_int_equal(r.sampling.top_k, 40);
    assert_int_equal(r.sampling.logprobs, -1);
    assert_false(r.sampling.seeded);
    assert_true(r.sampling.cache_prompt);
    assert_true(r.chat.add_generation_prompt);
    assert_int_equal(r.chat.parallel_tool_calls, -1);
    assert_int_equal(r.chat.reasoning_budget, -1);
    assert_null(r.chat.tools);
    assert_null(r.chat.schema);
    request_clear(&r);
}

static void test_every_sampling_field(void **state) {
    (void)state;
    struct request r;
    struct error err;
    assert_true(
        parse(&r,
              "{\"op\":\"completion\",\"prompt\":\"a\",\"max_tokens\":7,\"temperature\":0,"
              "\"top_p\":0.5,\"min_p\":0.1,\"repeat_penalty\":1.1,\"presence_penalty\":-1,"
              "\"frequency_penalty\":2,\"top_k\":3,\"seed\":42,\"stop\":[\"x\",\"\",\"yy\"],"
              "\"logit_bias\":{\"5\":-100,\"999\":1.5},\"logprobs\":4,"
              "\"typical_p\":0.3,\"xtc_probability\":0.4,\"xtc_threshold\":0.2,"
              "\"mirostat\":2,\"mirostat_tau\":3,\"mirostat_eta\":0.6,"
              "\"cache_prompt\":false,\"echo\":true,\"suffix\":\"z\"}",
              &err));
    const struct sampling *s = &r.sampling;
    assert_int_equal(s->max_tokens, 7);
    assert_float_equal(s->temperature, 0, 0);
    assert_float_equal(s->top_p, 0.5, 0);
    assert_float_equal(s->min_p, 0.1, 0);
    assert_float_equal(s->repeat_penalty, 1.1, 0);
    assert_float_equal(s->presence_penalty, -1, 0);
    assert_float_equal(s->frequency_penalty, 2, 0);
    assert_int_equal(s->top_k, 3);
    assert_float_equal(s->typical_p, 0.3, 0);
    assert_float_equal(s->xtc_probability, 0.4, 0);
    assert_float_equal(s->xtc_threshold, 0.2, 0);
    assert_int_equal(s->mirostat, 2);
    assert_float_equal(s->mirostat_tau, 3, 0);
    assert_float_equal(s->mirostat_eta, 0.6, 0);
    assert_true(s->seeded);
    assert_int_equal(s->seed, 42);
    assert_int_equal(s->stops.count, 2); /* the empty one stops nothing */
    assert_string_equal(s->stops.words[1], "yy");
    assert_int_equal(s->bias_count, 2);
    assert_int_equal(s->biases[1].token, 999);
    assert_int_equal(s->logprobs, 4);
    assert_false(s->cache_prompt);
    assert_true(r.echo);
    assert_string_equal(r.suffix, "z");
    request_clear(&r);
}

static void test_long_seeds_stay_different(void **state) {
    (void)state;
    struct request one, two;
    struct error err;
    assert_true(
        parse(&one, "{\"op\":\"completion\",\"prompt\":\"\",\"seed\":9007199254740993}", &err));
    assert_true(
        parse(&two, "{\"op\":\"completion\",\"prompt\":\"\",\"seed\":9007199254740992}", &err));
    assert_true(one.sampling.seeded && two.sampling.seeded);
    assert_int_not_equal(one.sampling.seed, two.sampling.seed);
    request_clear(&one);
    request_clear(&two);
}

static void test_minus_one_is_a_random_seed(void **state) {
    (void)state;
    struct request r;
    struct error err;
    assert_true(parse(&r, "{\"op\":\"completion\",\"prompt\":\"\",\"seed\":-1}", &err));
    assert_false(r.sampling.seeded);
    request_clear(&r);
}

static void test_inputs_are_texts_or_tokens(void **state) {
    (void)state;
    struct request r;
    struct error err;
    assert_true(
        parse(&r, "{\"op\":\"embedding\",\"input\":[\"a\\u0000b\",[1,2,999],\"\"]}", &err));
    assert_int_equal(r.input_count, 3);
    assert_int_equal(r.inputs[0].len, 3);
    assert_int_equal(r.inputs[1].count, 3);
    assert_int_equal(r.inputs[1].tokens[2], 999);
    assert_int_equal(r.inputs[2].len, 0);
    assert_false(r.truncate);
    request_clear(&r);
    assert_true(parse(&r, "{\"op\":\"embedding\",\"input\":[\"a\"],\"truncate\":true}", &err));
    assert_true(r.truncate);
    request_clear(&r);
}

static void test_formats_become_schemas(void **state) {
    (void)state;
    struct request r;
    struct error err;
    assert_true(
        parse(&r,
              "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
              "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":"
              "{\"type\":\"array\"}}}}",
              &err));
    assert_string_equal(r.chat.schema, "{\"type\":\"array\"}");
    request_clear(&r);
    assert_true(parse(&r,
                      "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                      "\"response_format\":{\"type\":\"json_object\"}}",
                      &err));
    assert_string_equal(r.chat.schema, "{\"type\":\"object\"}");
    request_clear(&r);
}

static void test_a_named_tool(void **state) {
    (void)state;
    struct request r;
    struct error err;
    assert_true(parse(&r,
                      "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":null}],"
                      "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
                      "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
                      "\"parallel_tool_calls\":false}",
                      &err));
    assert_null(r.chat.tool_choice);
    assert_string_equal(r.chat.tool_name, "f");
    assert_int_equal(r.chat.parallel_tool_calls, 0);
    request_clear(&r);
}

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static const struct wrong_row {
    const char *text, *param;
    enum err_code code;
} wrong_rows[] = {
    { "[]", "", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",", "", ERR_INVALID_REQUEST },
    { "{}", "op", ERR_NOT_SUPPORTED },
    { "{\"op\":\"fly\"}", "op", ERR_NOT_SUPPORTED },
    { "{\"op\":1}", "op", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"}", "messages", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[]}", "messages", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[1]}", "messages", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[{\"content\":\"x\"}]}", "messages", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\"}]}", "messages", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":5}]}", "messages",
      ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_"
      "url\","
      "\"image_url\":\"data:\"}]}]}",
      "messages", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_"
      "audio\","
      "\"input_audio\":{\"data\":\"\"}}]}]}",
      "messages", ERR_NOT_SUPPORTED },
    { "{\"op\":\"chat\"," HI ",\"temperature\":\"hot\"}", "temperature", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"top_p\":1.5}", "top_p", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"max_tokens\":-1}", "max_tokens", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"stop\":[1]}", "stop", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"stop\":\"x\"}", "stop", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"logit_bias\":{\"1000\":1}}", "logit_bias",
      ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"logit_bias\":{\"-1\":1}}", "logit_bias", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"logit_bias\":{\"x\":1}}", "logit_bias", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"logprobs\":101}", "logprobs", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"tools\":[{}]}", "tools", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"tool_choice\":\"any\"}", "tool_choice", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"tool_choice\":\"required\"}", "tool_choice",
      ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"tools\":[{\"function\":{\"name\":\"f\"}}],\"tool_choice\":"
      "{\"type\":\"function\",\"function\":{\"name\":\"g\"}}}",
      "tool_choice", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"continue_final_message\":true}", "continue_final_message",
      ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\"}],"
      "\"continue_final_message\":true}",
      "continue_final_message", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\",\"messages\":[{\"role\":\"assistant\",\"content\":\"x\",\"tool_calls\":"
      "[{}]}],"
      "\"continue_final_message\":true}",
      "continue_final_message", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"chat_template_kwargs\":{\"enable_thinking\":\"no\"}}",
      "chat_template_kwargs", ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"response_format\":{\"type\":\"xml\"}}", "response_format",
      ERR_INVALID_REQUEST },
    { "{\"op\":\"chat\"," HI ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
      "{\"schema\":true}}}",
      "response_format", ERR_INVALID_REQUEST },
    { "{\"op\":\"completion\"}", "prompt", ERR_INVALID_REQUEST },
    { "{\"op\":\"completion\",\"prompt\":[1000]}", "prompt", ERR_INVALID_REQUEST },
    { "{\"op\":\"completion\",\"prompt\":[-1]}", "prompt", ERR_INVALID_REQUEST },
    { "{\"op\":\"completion\",\"prompt\":[\"a\"]}", "prompt", ERR_INVALID_REQUEST },
    { "{\"op\":\"embedding\"}", "input", ERR_INVALID_REQUEST },
    { "{\"op\":\"embedding\",\"input\":[]}", "input", ERR_INVALID_REQUEST },
    { "{\"op\":\"embedding\",\"input\":[{}]}", "input", ERR_INVALID_REQUEST },
    { "{\"op\":\"tokenize\"}", "text", ERR_INVALID_REQUEST },
};

static void test_what_is_wrong_is_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong_rows / sizeof wrong_rows[0]; i++) {
        const struct wrong_row *row = &wrong_rows[i];
        struct request r;
        struct error err = { 0 };
        if (parse(&r, row->text, &err)) fail_msg("accepted: %s", row->text);
        assert_string_equal(err.param, row->param);
        assert_int_equal(err.code, row->code);
        assert_true(strlen(err.text) > 10);
    }
}

static void test_one_stop_string_too_many(void **state) {
    (void)state;
    for (int count = REQUEST_MAX_STOPS; count <= REQUEST_MAX_STOPS + 1; count++) {
        struct buf text = BUF_INIT(8192);
        struct request r;
        struct error err;
        assert_true(
            buf_add_str(&text, "{\"op\":\"completion\",\"prompt\":\"\",\"stop\":[\"a\""));
        for (int i = 1; i < count; i++) assert_true(buf_add_str(&text, ",\"a\""));
        assert_true(buf_add_str(&text, "]}"));
        bool ok = parse(&r, buf_str(&text), &err);
        assert_int_equal(ok, count == REQUEST_MAX_STOPS);
        if (ok) request_clear(&r);
        buf_clear(&text);
    }
}

/* A chat with `head`, `count` copies of `piece`, and `tail`. param: what is refused. */
static void check_limit(const char *head, const char *piece, int count, const char *tail,
                        const char *param) {
    struct buf text = BUF_INIT(16 << 20);
    struct request r;
    struct error err = { 0 };
    assert_true(buf_add_str(&text, "{\"op\":\"chat\"," HI ",") && buf_add_str(&text, head));
    for (int i = 0; i < count; i++) assert_true(buf_add_str(&text, piece));
    assert_true(buf_add_str(&text, tail));
    bool ok = parse(&r, buf_str(&text), &err);
    assert_int_equal(ok, param == NULL);
    if (ok) request_clear(&r);
    if (param) assert_string_equal(err.param, param);
    if (param) assert_int_equal(err.code, ERR_INVALID_REQUEST);
    buf_clear(&text);
}

static void test_templates_schemas_and_grammars_have_limits(void **state) {
    (void)state;
    check_limit("\"chat_template\":\"", "x", 256 << 10, "\"}", NULL);
    check_limit("\"chat_template\":\"", "x", (256 << 10) + 1, "\"}", "chat_template");
    check_limit("\"grammar\":\"", "x", 1 << 20, "\"}", NULL);
    check_limit("\"grammar\":\"", "x", (1 << 20) + 1, "\"}", "grammar");
    check_limit("\"grammar\":\"", "()", 1000, "\"}", NULL);
    check_limit("\"grammar\":\"", "(", 200, "\"}", NULL);
    check_limit("\"grammar\":\"", "(", 201, "\"}", "grammar");
#define SCHEMA "\"response_format\":{\"type\":\"json_schema\",\"schema\":{\"enum\":[0"
    check_limit(SCHEMA, ",1", 50000 - 3, "]}}}", NULL);
    check_limit(SCHEMA, ",1", 50000 - 2, "]}}}", "response_format");
#define TOOL "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":[0"
    check_limit(TOOL, ",1", 50000 - 7, "]}}]}", NULL);
    check_limit(TOOL, ",1", 50000 - 6, "]}}]}", "tools");
}

#define PICTURE "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,x\"}},"

/* In the order in which they stand; and a conversation that has some is never cut. */
static void test_pictures_are_found(void **state) {
    (void)state;
    struct request r;
    struct error err;
    assert_true(parse(&r,
                      "{\"op\":\"chat\",\"overflow\":\"rolling_window\",\"messages\":[{"
                      "\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
                      "\"url\":\"data:,one\"}},{\"type\":\"text\",\"text\":\"\"}]},{\"role\":"
                      "\"tool\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
                      "\"data:,two\"}}]}]}",
                      &err));
    assert_int_equal(r.chat.picture_count, 2);
    assert_string_equal(r.chat.pictures[0].text, "data:,one");
    assert_int_equal(r.chat.pictures[1].len, strlen("data:,two"));
    assert_int_equal(r.overflow, OVERFLOW_STOP);
    request_clear(&r);
}

static void test_one_picture_too_many(void **state) {
    (void)state;
    static const char head[] = "\"messages\":[{\"role\":\"user\",\"content\":[";
    static const char tail[] = "{\"type\":\"text\",\"text\":\"\"}]}]}";
    for (int count = REQUEST_MAX_PICTURES; count <= REQUEST_MAX_PICTURES + 1; count++) {
        struct buf text = BUF_INIT(1 << 20);
        struct request r;
        struct error err = { 0 };
        assert_true(buf_add_str(&text, "{\"op\":\"chat\",") && buf_add_str(&text, head));
        for (int i = 0; i < count; i++) assert_true(buf_add_str(&text, PICTURE));
        assert_true(buf_add_str(&text, tail));
        bool ok = parse(&r, buf_str(&text), &err);
        assert_int_equal(ok, count == REQUEST_MAX_PICTURES);
        if (ok) request_clear(&r);
        buf_clear(&text);
    }
}

/* Each token of the answer has its probabilities changed so often. */
static void test_one_biased_token_too_many(void **state) {
    (void)state;
    for (int count = REQUEST_MAX_BIASES; count <= REQUEST_MAX_BIASES + 1; count++) {
        struct buf text = BUF_INIT(1 << 20);
        struct request r;
        struct error err;
        buf_add_str(&text, "{\"op\":\"completion\",\"prompt\":\"a\",\"logit_bias\":{\"0\":1");
        for (int i = 1; i < count; i++) buf_addf(&text, ",\"%d\":1", i % VOCAB);
        buf_add_str(&text, "}}");
        bool ok = parse(&r, buf_str(&text), &err);
        assert_int_equal(ok, count == REQUEST_MAX_BIASES);
        if (ok) request_clear(&r);
        if (!ok) assert_string_equal(err.param, "logit_bias");
        buf_clear(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bare_chat_gets_the_defaults),
        cmocka_unit_test(test_every_sampling_field),
        cmocka_unit_test(test_long_seeds_stay_different),
        cmocka_unit_test(test_minus_one_is_a_random_seed),
        cmocka_unit_test(test_inputs_are_texts_or_tokens),
        cmocka_unit_test(test_formats_become_schemas),
        cmocka_unit_test(test_a_named_tool),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_one_stop_string_too_many),
        cmocka_unit_test(test_pictures_are_found),
        cmocka_unit_test(test_one_picture_too_many),
        cmocka_unit_test(test_one_biased_token_too_many),
        cmocka_unit_test(test_templates_schemas_and_grammars_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
