/* SPDX-License-Identifier: MIT */
#include "commands_groups.h"
#include "run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void test_one_question(void **state) {
    (void)state;
    struct result r = RUN(NULL, "chat", "qwen3-4b", "-p", "hello", "--ttl", "2m");
    assert_int_equal(r.code, 0);
    assert_string_equal(buf_str(&r.out), "Got 1 messages, the last: hello\n");
    assert_string_equal(buf_str(&r.err), "");
    result_clear(&r);
    char *body = server_get("/fake/last");
    assert_string_equal(body, "{\"model\":\"qwen3-4b\",\"stream\":true,\"ttl\":120,"
                              "\"stream_options\":{\"include_progress\":true},\"messages\":"
                              "[{\"role\":\"user\",\"content\":\"hello\"}]}");
    free(body);
}

static void test_prompt_from_stdin(void **state) {
    (void)state;
    struct result r = RUN("from a pipe\n", "chat", "-s", "Be brief.");
    assert_string_equal(buf_str(&r.out), "Got 2 messages, the last: from a pipe\n");
    result_clear(&r);
    r = RUN("the text\n", "chat", "-p", "Sum up:");
    assert_string_equal(buf_str(&r.out), "Got 1 messages, the last: Sum up:\n\nthe text\n");
    result_clear(&r);
    r = RUN(" \n", "chat");
    assert_int_equal(r.code, 2);
    assert_has(&r.err, "The prompt is empty");
    result_clear(&r);
    r = RUN("latin \xe4", "chat");
    assert_int_equal(r.code, 1);
    assert_string_equal(buf_str(&r.err), "doze: The prompt is not UTF-8 text; convert it, for "
                                         "example with iconv.\n");
    result_clear(&r);
    r = RUN(NULL, "chat", "-p", "hi", "-s", "\xff");
    assert_int_equal(r.code, 2);
    result_clear(&r);
}

static void test_stats_go_to_stderr(void **state) {
    (void)state;
    struct result r = RUN(NULL, "chat", "-p", "hi", "--stats");
    assert_string_equal(buf_str(&r.out), "Got 1 messages, the last: hi\n");
    assert_has(&r.err, "prompt 35 tokens (30 cached), answer 12 tokens\n"
                       "30.5 tokens/s, first token after 0.25 s, total 1.75 s, complete\n");
    result_clear(&r);
}

static void test_reasoning_stays_out_of_pipes(void **state) {
    (void)state;
    struct result r = RUN(NULL, "chat", "-p", "think");
    assert_string_equal(buf_str(&r.out), "Got 1 messages, the last: think\n");
    result_clear(&r);
    struct terminal t = terminal_open(
        (const char *const[]){ "chat", "qwen3-4b", "-p", "think", NULL });
    terminal_expect(&t, "\033[2mLet me see.\033[0m\r\n\r\nGot 1 messages");
    assert_int_equal(terminal_close(&t), 0);
}

static void test_control_characters_do_not_reach_the_terminal(void **state) {
    (void)state;
    struct terminal t = terminal_open(
        (const char *const[]){ "chat", "qwen3-4b", "-p", "a\033[2Jb", NULL });
    terminal_expect(&t, "the last: a?[2Jb");
    assert_int_equal(terminal_close(&t), 0);
}

static void test_a_part_of_a_key_is_enough(void **state) {
    (void)state;
    struct result r = RUN(NULL, "chat", "QWEN3", "-p", "hello");
    assert_int_equal(r.code, 0);
    result_clear(&r);
    char *body = server_get("/fake/last");
    assert_non_null(strstr(body, "\"model\":\"qwen3-4b\""));
    free(body);
    r = RUN(NULL, "chat", "qwen", "-p", "hello"); /* two fit: the server may refuse it */
    result_clear(&r);
    body = server_get("/fake/last");
    assert_non_null(strstr(body, "\"model\":\"qwen\""));
    free(body);
}

static void test_a_model_is_picked_where_none_is_loaded(void **state) {
    (void)state;
    struct terminal t = terminal_open((const char *const[]){ "chat", NULL });
    terminal_expect(&t, "Which one (1-3, or a name)?"); /* none for embeddings */
    terminal_type(&t, "2\n");
    terminal_expect(&t, "> ");
    terminal_type(&t, "one\n");
    terminal_expect(&t, "Loading qwen3-4b [");
    terminal_expect(&t, "the last: one");
    terminal_type(&t, "/exit\n");
    assert_int_equal(terminal_close(&t), 0);
}

static void test_failures(void **state) {
    (void)state;
    struct result r = RUN(NULL, "chat", "nope", "-p", "x");
    assert_int_equal(r.code, 1);
    assert_string_equal(buf_str(&r.err), "doze: No model is called nope.\n");
    result_clear(&r);
    r = RUN(NULL, "chat", "-p", "fail");
    assert_int_equal(r.code, 1);
    assert_string_equal(buf_str(&r.err), "doze: The worker died.\n");
    result_clear(&r);
}

static void test_conversation(void **state) {
    (void)state;
    struct terminal t = terminal_open(
        (const char *const[]){ "chat", "qwen3-4b", "-s", "Be brief.", NULL });
    terminal_expect(&t, "> ");
    terminal_type(&t, "one\n");
    terminal_expect(&t, "Loading qwen3-4b [");
    terminal_expect(&t, "Got 2 messages, the last: one");
    terminal_expect(&t, "> ");
    terminal_type(&t, "two\n");
    terminal_expect(&t, "Got 4 messages, the last: two");
    terminal_type(&t, "fail\n");
    terminal_expect(&t, "doze: The worker died.");
    terminal_type(&t, "three\n");
    terminal_expect(&t, "Got 6 messages, the last: three");
    terminal_type(&t, "/clear\n");
    terminal_expect(&t, "The conversation is cleared.");
    terminal_type(&t, "four\n");
    terminal_expect(&t, "Got 2 messages, the last: four");
    terminal_expect(&t, "> ");
    terminal_type(&t, "\x04");
    assert_int_equal(terminal_close(&t), 0);
}

/* A conversation with qwen3-4b, after its first prompt. */
static struct terminal converse(void) {
    struct terminal t = terminal_open((const char *const[]){ "run", "qwen3-4b", NULL });
    terminal_expect(&t, "qwen3-4b> ");
    return t;
}

static void bye(struct terminal *t) {
    terminal_type(t, "/bye\n");
    assert_int_equal(terminal_close(t), 0);
}

static void test_the_prompt_names_the_model(void **state) {
    (void)state;
    struct terminal t = terminal_open((const char *const[]){ "chat", "QWEN3", NULL });
    terminal_expect(&t, "/help lists the commands");
    terminal_expect(&t, "qwen3-4b> ");
    bye(&t);
}

static void test_an_unknown_model_ends_before_the_prompt(void **state) {
    (void)state;
    struct terminal t = terminal_open((const char *const[]){ "run", "nope", NULL });
    terminal_expect(&t, "doze: No model is called nope.");
    assert_int_equal(terminal_close(&t), 1);
}

static void test_a_paste_of_several_lines_is_one_message(void **state) {
    (void)state;
    struct terminal t = converse();
    terminal_type(&t, "\033[200~one\rtwo\r  three \xc3\xa4\n\033[201~");
    terminal_expect(&t, "three \xc3\xa4");
    terminal_type(&t, " and more\n");
    terminal_expect(&t, "Got 1 messages, the last: one\r\ntwo\r\n  three \xc3\xa4 and more");
    bye(&t);
}

static void test_a_line_can_be_edited(void **state) {
    (void)state;
    struct terminal t = converse();
    terminal_type(&t, "wrld\002\002\002o\001the \n"); /* Ctrl-B, Ctrl-A */
    terminal_expect(&t, "the last: the world");
    terminal_type(&t, "\033[A again\n"); /* the line before */
    terminal_expect(&t, "the last: the world again");
    bye(&t);
}

static void test_the_history_is_kept(void **state) {
    (void)state;
    struct terminal t = converse();
    terminal_type(&t, "remember me\n");
    terminal_expect(&t, "the last: remember me");
    bye(&t);
    t = converse();
    terminal_type(&t, "\033[A\033[A\n"); /* past "/bye" */
    terminal_expect(&t, "the last: remember me");
    bye(&t);
}

static void test_a_message_of_several_lines_is_typed(void **state) {
    (void)state;
    struct terminal t = converse();
    terminal_type(&t, "one \\\n");
    terminal_expect(&t, "... ");
    terminal_type(&t, "two\n");
    terminal_expect(&t, "the last: one \r\ntwo");
    terminal_type(&t, "\"\"\"three\n");
    terminal_expect(&t, "... ");
    terminal_type(&t, "four\"\"\"\n");
    terminal_expect(&t, "the last: three\r\nfour");
    bye(&t);
}

static void test_commands_of_a_conversation(void **state) {
    (void)state;
    struct terminal t = converse();
    terminal_type(&t, "/help\n");
    terminal_expect(&t, "continue a saved one");
    terminal_expect(&t, "  text \\               the message goes on in the next line\r\n");
    terminal_expect(&t, "\r\nA pasted text is one message, however many lines it has.\r\n");
    terminal_type(&t, "/nonsense\n");
    terminal_expect(&t, "There is no command /nonsense; /help lists them.");
    terminal_type(&t, "/etc/fstab is what?\n"); /* a path is not a command */
    terminal_expect(&t, "Got 1 messages, the last: /etc/fstab is what?");
    terminal_type(&t, "/system Be brief.\n");
    terminal_expect(&t, "System message: Be brief.");
    terminal_type(&t, "two\n");
    terminal_expect(&t, "Got 4 messages, the last: two");
    terminal_type(&t, "/system none\n");
    terminal_expect(&t, "System message: none");
    terminal_type(&t, "/stats\n");
    terminal_expect(&t, "Figures after each answer: on.");
    terminal_type(&t, "three\n");
    terminal_expect(&t, "Got 5 messages, the last: three");
    terminal_expect(&t, "30.5 tokens/s");
    bye(&t);
}

static void test_set_sends_sampling_settings(void **state) {
    (void)state;
    struct terminal t = converse();
    terminal_type(&t, "/set temperature 9\n");
    terminal_expect(&t, "'temperature' must be between 0 and 5, not 9.");
    terminal_type(&t, "/set temprature 1\n");
    terminal_expect(&t, "did you mean 'temperature'?");
    terminal_type(&t, "/sats\n");
    terminal_expect(&t, "did you mean '/stats'");
    terminal_type(&t, "/set top_k 1.5\n");
    terminal_expect(&t, "'top_k' must be an integer, not 1.5.");
    terminal_type(&t, "/set temperature 0.5\n");
    terminal_expect(&t, "temperature is 0.5.");
    terminal_type(&t, "/set top_k warm\n");
    terminal_expect(&t, "top_k takes a number or none, not 'warm'.");
    terminal_type(&t, "/set colour 1\n");
    terminal_expect(&t, "There is no setting 'colour'; /set lists them.");
    terminal_type(&t, "/set\n");
    terminal_expect(&t, "temperature        0.5");
    terminal_type(&t, "one\n");
    terminal_expect(&t, "the last: one");
    char *body = server_get("/fake/last");
    assert_non_null(strstr(body, "\"temperature\":0.5"));
    free(body);
    terminal_type(&t, "/set temperature none\n");
    terminal_expect(&t, "temperature is none.");
    terminal_type(&t, "two\n");
    terminal_expect(&t, "the last: two");
    body = server_get("/fake/last");
    assert_null(strstr(body, "temperature"));
    free(body);
    bye(&t);
}

static void test_a_conversation_is_saved_and_loaded(void **state) {
    (void)state;
    struct terminal t = converse();
    terminal_type(&t, "/system Be brief.\n");
    terminal_expect(&t, "System message: Be brief.");
    terminal_type(&t, "one\n");
    terminal_expect(&t, "Got 2 messages, the last: one");
    terminal_type(&t, "/save mine\n");
    terminal_expect(&t, "/doze/chats/mine.json.");
    bye(&t);
    t = converse();
    terminal_type(&t, "/load theirs\n");
    terminal_expect(&t, "cannot be read");
    terminal_type(&t, "/load mine\n");
    terminal_expect(&t, "Loaded 3 messages.");
    terminal_type(&t, "/system\n");
    terminal_expect(&t, "System message: Be brief.");
    terminal_type(&t, "two\n");
    terminal_expect(&t, "Got 4 messages, the last: two");
    bye(&t);
}

static void test_run_takes_the_question_behind_the_model(void **state) {
    (void)state;
    struct result r = RUN(NULL, "run", "qwen3-4b", "why", "is", "it?");
    assert_string_equal(buf_str(&r.out), "Got 1 messages, the last: why is it?\n");
    result_clear(&r);
    r = RUN("a text\n", "run", "QWEN3", "Sum up:");
    assert_string_equal(buf_str(&r.out), "Got 1 messages, the last: Sum up:\n\na text\n");
    result_clear(&r);
    r = RUN("only this", "run", "qwen3-4b");
    assert_string_equal(buf_str(&r.out), "Got 1 messages, the last: only this\n");
    result_clear(&r);
    r = RUN(NULL, "run");
    assert_int_equal(r.code, 2);
    result_clear(&r);
}

static void test_ctrl_c_stops_the_answer_only(void **state) {
    (void)state;
    struct terminal t = terminal_open((const char *const[]){ "chat", "qwen3-4b", NULL });
    terminal_expect(&t, "> ");
    terminal_type(&t, "hang\n");
    terminal_expect(&t, "I begin");
    terminal_type(&t, "\x03");
    terminal_expect(&t, "(stopped)");
    free(server_get("/fake/gone"));
    terminal_expect(&t, "> ");
    terminal_type(&t, "half a line");
    terminal_expect(&t, "half a line");
    terminal_type(&t, "\x03");
    terminal_expect(&t, "(Ctrl-D ends the conversation)");
    terminal_type(&t, "on\n");
    terminal_expect(&t, "Got 3 messages, the last: on");
    terminal_type(&t, "/exit\n");
    assert_int_equal(terminal_close(&t), 0);
}

/* Ctrl-C while the model thinks: the dim text ends, the server sees the client go. */
static void test_ctrl_c_ends_a_single_question(void **state) {
    (void)state;
    struct terminal t = terminal_open(
        (const char *const[]){ "chat", "qwen3-4b", "-p", "think, hang", NULL });
    terminal_expect(&t, "I begin");
    terminal_type(&t, "\x03");
    free(server_get("/fake/gone"));
    assert_int_equal(terminal_close(&t), 1);
}

/* `doze ps | head` ends by SIGPIPE, without a word, when head is gone. */
static void test_closed_pipe_is_quiet(void **state) {
    (void)state;
    struct result r = run_into_closed_pipe((const char *const[]){ "chat", "-p", "hi", NULL });
    assert_int_equal(r.code, -SIGPIPE);
    assert_string_equal(buf_str(&r.err), "");
    result_clear(&r);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, server_begin, server_end)

int run_chat(void) {
    const struct CMUnitTest tests[] = {
        SERVED(test_one_question),
        SERVED(test_prompt_from_stdin),
        SERVED(test_stats_go_to_stderr),
        SERVED(test_reasoning_stays_out_of_pipes),
        SERVED(test_control_characters_do_not_reach_the_terminal),
        SERVED(test_a_part_of_a_key_is_enough),
        SERVED(test_a_model_is_picked_where_none_is_loaded),
        SERVED(test_failures),
        SERVED(test_conversation),
        SERVED(test_the_prompt_names_the_model),
        SERVED(test_an_unknown_model_ends_before_the_prompt),
        SERVED(test_a_paste_of_several_lines_is_one_message),
        SERVED(test_a_line_can_be_edited),
        SERVED(test_the_history_is_kept),
        SERVED(test_a_message_of_several_lines_is_typed),
        SERVED(test_commands_of_a_conversation),
        SERVED(test_set_sends_sampling_settings),
        SERVED(test_a_conversation_is_saved_and_loaded),
        SERVED(test_run_takes_the_question_behind_the_model),
        SERVED(test_ctrl_c_stops_the_answer_only),
        SERVED(test_ctrl_c_ends_a_single_question),
        SERVED(test_closed_pipe_is_quiet),
    };
    return cmocka_run_group_tests_name("chat", tests, NULL, NULL);
}
