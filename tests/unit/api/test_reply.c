/* SPDX-License-Identifier: MIT */
/* What golden files cannot show: the limits of collected answers, and full buffers. */
#include <stdlib.h>
#include <string.h>

#include "api/anthropic/anthropic.h"
#include "api/choice.h"
#include "api/decisions/decisions.h"
#include "api/lmstudio_rest/v0.h"
#include "api/lmstudio_rest/v1_chat.h"
#include "api/ollama/ollama.h"
#include "api/openai/openai.h"
#include "api/rerank/rerank.h"
#include "api/responses/responses.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"

static char *long_text(size_t len) {
    char *text = xcalloc(len + 1, 1);
    memset(text, 'a', len);
    return text;
}

static void test_a_text_past_its_limit_is_cut(void **state) {
    struct choice choice = { 0 };
    char *text = long_text(CHOICE_TEXT_MAX);
    (void)state;
    choice_keep(&choice, &(struct service_event){ .content = text });
    assert_false(choice.cut);
    assert_int_equal(choice.text.len, CHOICE_TEXT_MAX);
    choice_keep(&choice, &(struct service_event){ .content = "b" });
    assert_true(choice.cut);
    assert_int_equal(choice.text.len, CHOICE_TEXT_MAX);
    free(text);
    choice_clear(&choice);
}

static struct service_event call_event(int index, const char *arguments) {
    struct service_event ev = { .kind = SERVICE_DELTA, .call_count = 1 };
    ev.calls[0] =
        (struct tool_call_piece){ .index = index, .name = "f", .arguments = arguments };
    return ev;
}

static void test_arguments_past_their_limit_are_cut(void **state) {
    struct choice choice = { 0 };
    char *text = long_text(CHOICE_ARGUMENTS_MAX + 1);
    struct service_event ev = call_event(0, text);
    (void)state;
    choice_keep(&choice, &ev);
    assert_true(choice.cut);
    free(text);
    choice_clear(&choice);
}

static void test_a_call_past_the_last_is_cut(void **state) {
    static const int bad[] = { DELTA_MAX_CALLS, -1, 1 << 30 };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct choice choice = { 0 };
        struct service_event last = call_event(DELTA_MAX_CALLS - 1, "{}");
        struct service_event ev = call_event(bad[i], "{}");
        choice_keep(&choice, &last);
        assert_false(choice.cut);
        assert_int_equal(choice.call_count, DELTA_MAX_CALLS);
        choice_keep(&choice, &ev);
        assert_true(choice.cut);
        choice_clear(&choice);
    }
}

static void test_logprobs_past_their_limit_are_cut(void **state) {
    struct choice choice = { 0 };
    yyjson_doc *doc = yyjson_read("[1,1,1,1]", 9, 0);
    struct service_event ev = { .logprobs = yyjson_doc_get_root(doc) };
    (void)state;
    for (int i = 0; i < CHOICE_LOGPROBS_MAX; i += 4) choice_keep(&choice, &ev);
    assert_false(choice.cut);
    choice_keep(&choice, &ev);
    assert_true(choice.cut);
    assert_int_equal(yyjson_mut_arr_size(yyjson_mut_doc_get_root(choice.logprobs)),
                     CHOICE_LOGPROBS_MAX);
    choice_clear(&choice);
    yyjson_doc_free(doc);
}

static yyjson_doc *play_cut(void) {
    struct reply_options options = { .op = OP_CHAT, .model = (char[]){ "m" } };
    struct reply *reply = dialect_openai.reply_new(&options, 1, "x", 1);
    struct service_event ev = call_event(DELTA_MAX_CALLS, "{}");
    struct service_event done = { .kind = SERVICE_DONE, .stop_reason = STOP_EOS };
    struct buf out = BUF_INIT(1 << 16);
    struct error err = { 0 };
    assert_int_equal(dialect_openai.reply_event(reply, 0, &ev, &out), REPLY_MORE);
    assert_int_equal(dialect_openai.reply_event(reply, 0, &done, &out), REPLY_END);
    dialect_openai.reply_free(reply);
    yyjson_doc *doc = json_parse_object(out.data, out.len, &err);
    assert_non_null(doc);
    buf_clear(&out);
    return doc;
}

static void test_a_cut_answer_says_length(void **state) {
    yyjson_doc *doc = play_cut();
    (void)state;
    yyjson_val *reason = yyjson_ptr_get(yyjson_doc_get_root(doc), "/choices/0/finish_reason");
    assert_string_equal(yyjson_get_str(reason), "length");
    yyjson_doc_free(doc);
}

static void expect_comment(struct service_wait wait, const char *text) {
    struct buf out = BUF_INIT(1 << 10);
    wait_comment(&wait, &out);
    assert_string_equal(buf_str(&out), text);
    buf_clear(&out);
}

static void test_order_4_a_comment_says_place_and_estimate(void **state) {
    (void)state;
    expect_comment((struct service_wait){ .kind = WAIT_UNKNOWN }, ": waiting\n\n");
    expect_comment((struct service_wait){ .kind = WAIT_IN_LINE, .place = 3 },
                   ": place 3 in line\n\n");
    expect_comment((struct service_wait){ .kind = WAIT_IN_LINE, .place = 3, .seconds = 11.2 },
                   ": place 3 in line, about 12 s\n\n");
    expect_comment((struct service_wait){ .kind = WAIT_LOAD, .done = 420, .total = 1000 },
                   ": loading 42%\n\n");
    expect_comment(
        (struct service_wait){
            .kind = WAIT_PROMPT, .done = 3100, .total = 8000, .seconds = 0.4 },
        ": prompt 3100 of 8000, about 1 s\n\n");
}

static void expect_waiting(const struct dialect *dialect, const char *begins, const char *has) {
    struct reply_options options = { .op = OP_CHAT, .stream = true, .model = (char[]){ "m" } };
    struct service_wait wait = { .kind = WAIT_IN_LINE, .place = 2 };
    struct reply *reply = dialect->reply_new(&options, 1, "x", 1);
    struct buf out = BUF_INIT(1 << 16);
    dialect->format_waiting(reply, &wait, &out);
    assert_int_equal(strncmp(buf_str(&out), begins, strlen(begins)), 0);
    assert_non_null(strstr(buf_str(&out), has));
    dialect->reply_free(reply);
    buf_clear(&out);
}

static void test_order_4_each_dialect_tells_in_its_way(void **state) {
    (void)state;
    expect_waiting(&dialect_openai, ": place 2 in line\n\n", "");
    expect_waiting(&dialect_anthropic, ": place 2 in line\n\nevent: ping\n", "");
    expect_waiting(&dialect_responses, ": place 2 in line\n\n", "response.created");
    expect_waiting(&dialect_ollama, " ", "");
}

/* The route makes an error of it, with its status. */
static void test_vectors_past_the_limit_are_an_error(void **state) {
    enum { COUNT = 4 << 20, SOME = 10, PAST = 12 }; /* 22 MB of base64 each */
    struct reply_options options = { .op = OP_EMBEDDING,
                                     .base64 = true,
                                     .model = (char[]){ "m" } };
    struct reply *reply = dialect_openai.reply_new(&options, 1, "x", 1);
    float *values = xcalloc(COUNT, sizeof *values);
    struct service_event ev = { .kind = SERVICE_VECTOR, .vector = values, .vector_len = COUNT };
    struct buf out = BUF_INIT(1 << 16);
    (void)state;
    for (int i = 0; i < PAST; i++) {
        assert_false(out.overflowed);
        (void)dialect_openai.reply_event(reply, 0, &ev, &out);
        assert_true(i >= SOME || !out.overflowed);
    }
    assert_true(out.overflowed);
    dialect_openai.reply_free(reply);
    free(values);
    buf_clear(&out);
}

static void test_no_number_that_json_lacks(void **state) {
    struct reply_options options = { .op = OP_EMBEDDING, .model = (char[]){ "m" } };
    struct reply *reply = dialect_openai.reply_new(&options, 1, "x", 1);
    float values[] = { 1.0f / 0.0f, 0.25f, -1.0f / 0.0f, 0.0f / 0.0f };
    struct service_event vector = { .kind = SERVICE_VECTOR, .vector = values, .vector_len = 4 };
    struct service_event done = { .kind = SERVICE_DONE };
    struct buf out = BUF_INIT(1 << 16);
    (void)state;
    (void)dialect_openai.reply_event(reply, 0, &vector, &out);
    (void)dialect_openai.reply_event(reply, 0, &done, &out);
    assert_non_null(strstr(buf_str(&out), "\"embedding\":[null,0.25,null,null]"));
    dialect_openai.reply_free(reply);
    buf_clear(&out);
}

static void test_a_full_buffer_says_so(void **state) {
    struct reply_options options = { .op = OP_CHAT, .stream = true, .model = (char[]){ "m" } };
    struct reply *reply = dialect_openai.reply_new(&options, 1, "x", 1);
    struct service_event ev = { .kind = SERVICE_DELTA, .content = "Hello" };
    struct buf out = BUF_INIT(100);
    (void)state;
    (void)dialect_openai.reply_event(reply, 0, &ev, &out);
    assert_true(out.overflowed);
    dialect_openai.reply_free(reply);
    buf_clear(&out);
}

/* Of a dialect, and the kind of work; `echo` is what its answer repeats. */
struct whole_case {
    const struct dialect *dialect;
    enum service_op op;
    bool vectors;
    const char *echo;
};

/* Is a whole answer marked that has less room than it needs? The route sends it only if it is
 * not marked (answer.c). */
static bool is_marked(const struct whole_case *c, size_t room) {
    static const float values[] = { 0.5f, 0.25f };
    struct service_event said = { .kind = SERVICE_DELTA,
                                  .content = "Hello",
                                  .reasoning = "Hm" };
    struct service_event vector = { .kind = SERVICE_VECTOR, .vector = values, .vector_len = 2 };
    struct service_event done = { .kind = SERVICE_DONE, .stop_reason = STOP_EOS };
    struct reply_options options = { .op = c->op,
                                     .vectors = c->vectors,
                                     .model = (char[]){ "m" } };
    yyjson_doc *echo = c->echo ? yyjson_read(c->echo, strlen(c->echo), 0) : NULL;
    if (echo) options.echo = yyjson_doc_mut_copy(echo, NULL);
    struct reply *reply = c->dialect->reply_new(&options, 1, "x", 1);
    bool numbers = c->vectors || c->op == OP_EMBEDDING || c->op == OP_RERANK;
    struct buf out = BUF_INIT(room);
    (void)c->dialect->reply_event(reply, 0, numbers ? &vector : &said, &out);
    (void)c->dialect->reply_event(reply, 0, &done, &out);
    bool marked = out.overflowed;
    assert_true(marked || out.len > 0);
    c->dialect->reply_free(reply);
    yyjson_mut_doc_free(options.echo);
    yyjson_doc_free(echo);
    buf_clear(&out);
    return marked;
}

static void test_attack_16_an_answer_past_its_limit_is_marked_in_each_dialect(void **state) {
    static const char question[] = "[{\"type\":\"choice\",\"options\":[\"a\",\"b\"]}]";
    static const struct whole_case cases[] = {
        { &dialect_openai, OP_CHAT, false, NULL },
        { &dialect_openai, OP_COMPLETION, false, NULL },
        { &dialect_openai, OP_EMBEDDING, false, NULL },
        { &dialect_lmstudio_v0, OP_CHAT, false, NULL },
        { &dialect_lmstudio_v1_chat, OP_CHAT, false, NULL },
        { &dialect_anthropic, OP_CHAT, false, NULL },
        { &dialect_responses, OP_CHAT, false, "{}" },
        { &dialect_ollama, OP_CHAT, false, NULL },
        { &dialect_ollama, OP_EMBEDDING, true, NULL },
        { &dialect_ollama_prompt, OP_CHAT, false, NULL },
        { &dialect_rerank, OP_RERANK, false, NULL },
        { &dialect_decisions, OP_CHAT, false, question },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(is_marked(&cases[i], 20));
        assert_false(is_marked(&cases[i], 1 << 16));
    }
}

/* A tree takes more than the text that it becomes: it is not gathered up to the end. */
static void test_attack_16_logprobs_past_their_limit_are_marked_before_the_end(void **state) {
    enum { RIVALS = 19, COUNT = 64 };
    static const char token[] = "[{\"token\":\"a\",\"logprob\":-1,\"top_logprobs\":"
                                "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}]";
    struct reply_options options = { .op = OP_CHAT,
                                     .logprobs = true,
                                     .model = (char[]){ "m" } };
    struct reply *reply = dialect_openai.reply_new(&options, COUNT, "x", 1);
    yyjson_doc *doc = yyjson_read(token, sizeof token - 1, 0);
    struct service_event ev = { .kind = SERVICE_DELTA, .logprobs = yyjson_doc_get_root(doc) };
    struct buf out = BUF_INIT(1 << 16);
    (void)state;
    for (int i = 0; i < ANSWER_RATED_MAX / (RIVALS + 1); i++) {
        (void)dialect_openai.reply_event(reply, i % COUNT, &ev, &out);
        assert_false(out.overflowed);
    }
    (void)dialect_openai.reply_event(reply, 0, &ev, &out);
    assert_true(out.overflowed);
    dialect_openai.reply_free(reply);
    yyjson_doc_free(doc);
    buf_clear(&out);
}

/* Its text is part of the end of a stream, too. */
static void test_attack_16_a_text_past_its_limit_is_marked_before_the_end(void **state) {
    (void)state;
    for (int streams = 0; streams < 2; streams++) {
        struct reply_options options = { .op = OP_CHAT,
                                         .stream = streams,
                                         .model = (char[]){ "m" } };
        const struct dialect *dialect = &dialect_lmstudio_v1_chat;
        struct reply *reply = dialect->reply_new(&options, 1, "x", 1);
        char *text = long_text(CHOICE_TEXT_MAX);
        struct service_event ev = { .kind = SERVICE_DELTA, .content = text };
        struct buf out = BUF_INIT(256 << 20);
        (void)dialect->reply_event(reply, 0, &ev, &out);
        assert_false(out.overflowed);
        ev.content = "b";
        (void)dialect->reply_event(reply, 0, &ev, &out);
        assert_true(out.overflowed);
        free(text);
        dialect->reply_free(reply);
        buf_clear(&out);
    }
}

static size_t held_after(const struct dialect *dialect, bool stream, struct service_event ev) {
    enum { EVENTS = 100 };
    yyjson_doc *echo = yyjson_read("{}", 2, 0);
    struct reply_options options = { .op = OP_CHAT,
                                     .stream = stream,
                                     .logprobs = ev.logprobs != NULL,
                                     .store = true,
                                     .echo = yyjson_doc_mut_copy(echo, NULL),
                                     .model = (char[]){ "m" } };
    struct reply *reply = dialect->reply_new(&options, 1, "x", 1);
    struct buf out = BUF_INIT(1 << 24);
    ev.kind = SERVICE_DELTA;
    assert_true(dialect->reply_held(reply) < 1000);
    for (int i = 0; i < EVENTS; i++) (void)dialect->reply_event(reply, 0, &ev, &out);
    size_t held = dialect->reply_held(reply) / EVENTS;
    dialect->reply_free(reply);
    yyjson_mut_doc_free(options.echo);
    yyjson_doc_free(echo);
    buf_clear(&out);
    return held;
}

/* The route counts it (answer.c). */
static void test_what_is_collected_is_told_in_each_dialect(void **state) {
    static const struct {
        const struct dialect *dialect;
        bool in_streams; /* their end repeats it */
    } cases[] = {
        { &dialect_openai, false },          { &dialect_lmstudio_v0, false },
        { &dialect_lmstudio_v1_chat, true }, { &dialect_anthropic, false },
        { &dialect_responses, true },        { &dialect_ollama, true },
    };
    char *text = long_text(1000);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct service_event said = { .content = text }, thought = { .reasoning = text };
        const struct dialect *dialect = cases[i].dialect;
        assert_true(held_after(dialect, false, said) >= 1000);
        assert_true(held_after(dialect, false, thought) >= 1000);
        assert_true((held_after(dialect, true, said) >= 1000) == cases[i].in_streams);
    }
    struct service_event call = call_event(0, text);
    assert_true(held_after(&dialect_openai, false, call) >= 1000);
    assert_true(held_after(&dialect_responses, true, call) >= 1000);
    assert_true(held_after(&dialect_ollama, true, call) >= 1000);
    free(text);
}

/* Parts that are complete, too. */
static void test_a_thought_before_the_answer_is_told(void **state) {
    static const struct dialect *const dialects[] = { &dialect_responses,
                                                      &dialect_lmstudio_v1_chat };
    char *text = long_text(1000);
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct service_event both = { .reasoning = text, .content = text };
        assert_true(held_after(dialects[i], false, both) >= 2000);
    }
    free(text);
}

static void test_log_probabilities_and_vectors_are_told(void **state) {
    static const char token[] = "[{\"token\":\"a\",\"logprob\":-1,\"top_logprobs\":"
                                "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}]";
    static const float values[100];
    yyjson_doc *doc = yyjson_read(token, sizeof token - 1, 0);
    struct service_event ev = { .logprobs = yyjson_doc_get_root(doc) };
    struct service_event vector = { .kind = SERVICE_VECTOR, .vector = values };
    struct reply_options options = { .op = OP_EMBEDDING,
                                     .vectors = true,
                                     .model = (char[]){ "m" } };
    struct reply *reply = dialect_ollama.reply_new(&options, 1, "x", 1);
    struct buf out = BUF_INIT(1 << 16);
    (void)state;
    assert_true(held_after(&dialect_openai, false, ev) >= 24 * sizeof(yyjson_mut_val));
    assert_true(held_after(&dialect_ollama, false, ev) >= 24 * sizeof(yyjson_mut_val));
    vector.vector_len = 100;
    (void)dialect_ollama.reply_event(reply, 0, &vector, &out);
    assert_true(dialect_ollama.reply_held(reply) >= 200);
    dialect_ollama.reply_free(reply);
    yyjson_doc_free(doc);
    buf_clear(&out);
}

static void test_a_reply_may_be_dropped_at_any_time(void **state) {
    struct reply_options options = { .op = OP_CHAT, .model = (char[]){ "" } };
    struct reply *reply = dialect_openai.reply_new(&options, 3, "x", 1);
    struct service_event ev = call_event(2, "{");
    struct buf out = BUF_INIT(1 << 16);
    (void)state;
    ev.content = "a";
    ev.reasoning = "b";
    assert_int_equal(dialect_openai.reply_event(reply, 1, &ev, &out), REPLY_MORE);
    assert_int_equal(out.len, 0);
    dialect_openai.reply_free(reply);
    dialect_openai.reply_free(NULL);
}

static void test_every_code_has_an_openai_error(void **state) {
    (void)state;
    for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
        struct error err = { 0 }, problem = { 0 };
        struct buf out = BUF_INIT(1 << 12);
        (void)error_set_param(&err, (enum err_code)code, "p", "Text \"quoted\".");
        dialect_openai.format_error(&err, &out);
        yyjson_doc *doc = json_parse_object(out.data, out.len, &problem);
        assert_non_null(doc);
        yyjson_val *root = yyjson_doc_get_root(doc);
        assert_string_equal(yyjson_get_str(yyjson_ptr_get(root, "/error/message")), err.text);
        assert_string_equal(yyjson_get_str(yyjson_ptr_get(root, "/error/param")), "p");
        const char *type = yyjson_get_str(yyjson_ptr_get(root, "/error/type"));
        bool server = error_status(err.code) >= 500;
        assert_int_equal(strcmp(type, "server_error") == 0, server);
        yyjson_val *named = yyjson_ptr_get(root, "/error/code");
        assert_true(yyjson_is_null(named) == (code == ERR_INVALID_REQUEST));
        yyjson_doc_free(doc);
        buf_clear(&out);
    }
}

static bool may_repeat(int pairs) {
    struct parsed parsed;
    struct error err;
    struct buf body = BUF_INIT(4 << 20);
    (void)buf_add_str(&body, "{\"model\":\"m\",\"input\":\"Hi\",\"metadata\":{");
    for (int i = 0; i < pairs; i++) (void)buf_addf(&body, "%s\"%d\":\"\"", i > 0 ? "," : "", i);
    (void)buf_add_str(&body, "}}");
    assert_true(dialect_responses.parse(OP_CHAT, body.data, body.len, &parsed, &err));
    bool fits = reply_options_fit(&parsed.options, &err);
    if (!fits) assert_int_equal(err.code, ERR_TOO_LARGE);
    parsed_clear(&parsed);
    buf_clear(&body);
    return fits;
}

/* It is copied and written on the loop. */
static void test_what_an_answer_repeats_has_a_limit(void **state) {
    (void)state;
    assert_true(may_repeat(16));
    assert_true(may_repeat(ECHO_VALUES_MAX / 2 - 100));
    assert_false(may_repeat(ECHO_VALUES_MAX / 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_past_its_limit_is_cut),
        cmocka_unit_test(test_arguments_past_their_limit_are_cut),
        cmocka_unit_test(test_a_call_past_the_last_is_cut),
        cmocka_unit_test(test_logprobs_past_their_limit_are_cut),
        cmocka_unit_test(test_a_cut_answer_says_length),
        cmocka_unit_test(test_order_4_a_comment_says_place_and_estimate),
        cmocka_unit_test(test_order_4_each_dialect_tells_in_its_way),
        cmocka_unit_test(test_vectors_past_the_limit_are_an_error),
        cmocka_unit_test(test_no_number_that_json_lacks),
        cmocka_unit_test(test_a_full_buffer_says_so),
        cmocka_unit_test(test_what_an_answer_repeats_has_a_limit),
        cmocka_unit_test(test_attack_16_an_answer_past_its_limit_is_marked_in_each_dialect),
        cmocka_unit_test(test_attack_16_a_text_past_its_limit_is_marked_before_the_end),
        cmocka_unit_test(test_attack_16_logprobs_past_their_limit_are_marked_before_the_end),
        cmocka_unit_test(test_what_is_collected_is_told_in_each_dialect),
        cmocka_unit_test(test_a_thought_before_the_answer_is_told),
        cmocka_unit_test(test_log_probabilities_and_vectors_are_told),
        cmocka_unit_test(test_a_reply_may_be_dropped_at_any_time),
        cmocka_unit_test(test_every_code_has_an_openai_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
