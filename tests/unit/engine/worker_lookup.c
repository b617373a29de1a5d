/* SPDX-License-Identifier: MIT */
/* Guesses taken from the conversation: the answers are the same, and cost fewer batches. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

static struct worker *plain, *guessing;

/* However long they take. */
#define LOOKUP "\"speculation\":\"lookup\",\"draft_trial\":1000000"

static void start(const char *path, const char *without, const char *with) {
    plain = worker_load(path, without);
    guessing = worker_load(path, with);
}

static int start_random(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    start(path, "\"context_length\":512,\"parallel\":3",
          "\"context_length\":512,\"parallel\":3," LOOKUP);
    free(path);
    return 0;
}

/* Its window is shorter than the answers. */
static int start_window(void **state) {
    (void)state;
    char *path = model_make("lookup-window", "random", "--arch", "gemma3", "--layers", "6",
                            "--window", "64", "--type", "f32", "--seed", "7", NULL);
    start(path, "\"context_length\":512,\"parallel\":3",
          "\"context_length\":512,\"parallel\":3," LOOKUP);
    free(path);
    return 0;
}

/* Repeats itself for ever. */
static int start_endless(void **state) {
    (void)state;
    char *path = model_make("endless", "spoken", "--loop", "--context", "20000", "--text",
                            "and so on ", NULL);
    start(path, "\"context_length\":600,\"parallel\":3",
          "\"context_length\":600,\"parallel\":3," LOOKUP);
    free(path);
    return 0;
}

static int stop(void **state) {
    (void)state;
    worker_stop(plain, 0);
    worker_stop(guessing, 0);
    return 0;
}

static struct outcome *answer(struct worker *w, const char *prompt, const char *more) {
    struct outcome *o = worker_run(w, "{\"op\":\"completion\",\"prompt\":\"%s\",%s}", prompt,
                                   more);
    if (o->failed) print_message("%s: %s\n", more, outcome_str(o, "text"));
    assert_false(o->failed);
    return o;
}

/* 0 if it is absent. */
static int64_t figure(const struct outcome *o, const char *name) {
    return yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(o->end), name));
}

static const struct outcome *assert_same(const char *prompt, const char *more) {
    const struct outcome *a = answer(plain, prompt, more);
    const struct outcome *b = answer(guessing, prompt, more);
    assert_string_equal(buf_str(&a->content), buf_str(&b->content));
    assert_string_equal(buf_str(&a->logprobs), buf_str(&b->logprobs));
    assert_string_equal(outcome_str(a, "stop_reason"), outcome_str(b, "stop_reason"));
    assert_int_equal(outcome_int(a, "completion_tokens"), outcome_int(b, "completion_tokens"));
    assert_int_equal(figure(a, "drafted_tokens"), 0);
    return b;
}

static void test_what_repeats_itself_is_guessed(void **state) {
    (void)state;
    const struct outcome *o = answer(guessing, "Go", "\"max_tokens\":200,\"temperature\":0");
    assert_int_equal(outcome_int(o, "completion_tokens"), 200);
    assert_true(outcome_int(o, "accepted_tokens") > 100);
    assert_true(outcome_int(o, "drafted_tokens") >= outcome_int(o, "accepted_tokens"));
    assert_true(outcome_int(o, "ignored_tokens") <= 1);
}

static void test_answers_end_where_they_would(void **state) {
    (void)state;
    static const char *const ends[] = {
        "\"max_tokens\":1",
        "\"max_tokens\":2",
        "\"max_tokens\":31",
        "\"max_tokens\":32",
        "\"seed\":1",
        "\"stop\":[\"on and so on and so on and so on a\"]",
        "\"max_tokens\":40,\"logprobs\":2",
        "\"max_tokens\":60,\"overflow\":\"rolling_window\"",
        "\"max_tokens\":60,\"repeat_penalty\":1.3,\"presence_penalty\":1",
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char more[200];
        (void)snprintf(more, sizeof more, "\"temperature\":0,%s", ends[i]);
        (void)assert_same("Go", more);
    }
}

/* The same request, its own answer behind it: what is left in the slot is right. */
static void test_a_conversation_goes_on_after_guesses(void **state) {
    (void)state;
    char prompt[2000] = "Go on";
    for (int turn = 0; turn < 4; turn++) {
        (void)assert_same(prompt, "\"temperature\":0,\"max_tokens\":23");
        const struct outcome *o = answer(guessing, prompt,
                                         "\"temperature\":0,\"max_tokens\":23");
        strncat(prompt, buf_str(&o->content), sizeof prompt - strlen(prompt) - 1);
    }
}

static void test_cancelled_answers_leave_a_slot_that_serves(void **state) {
    (void)state;
    int id = worker_ask(guessing, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(guessing, id, 20);
    worker_send(guessing, MSG_CANCEL, id, "");
    assert_false(worker_end(guessing, id)->failed);
    (void)assert_same("Go", "\"temperature\":0,\"max_tokens\":50");
}

/* Three tokens only, so that what they repeat is guessed and is partly wrong. */
#define THREE "\"logit_bias\":{\"301\":1000,\"302\":1000,\"303\":1000},"

static void test_guesses_that_are_partly_wrong_change_nothing(void **state) {
    (void)state;
    static const char *const prompts[] = { "Hi", "one two one two one two", "a a a a a a a a",
                                           "The cat sat. The cat sat. The cat" };
    static const char *const settings[] = {
        THREE "\"temperature\":0,\"max_tokens\":64",
        THREE "\"temperature\":0,\"max_tokens\":64,\"frequency_penalty\":0.5",
        THREE "\"temperature\":1,\"seed\":5,\"max_tokens\":64",
        THREE "\"temperature\":0,\"max_tokens\":64,\"cache_prompt\":false",
        "\"temperature\":0,\"max_tokens\":64,\"logprobs\":2",
    };
    int64_t drafted = 0, accepted = 0;
    for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++) {
        for (size_t j = 0; j < sizeof settings / sizeof settings[0]; j++) {
            const struct outcome *o = assert_same(prompts[i], settings[j]);
            drafted += figure(o, "drafted_tokens");
            accepted += figure(o, "accepted_tokens");
        }
    }
    assert_true(accepted > 50);
    assert_true(drafted - accepted > 50);
}

static void test_several_answers_at_once_are_the_same(void **state) {
    (void)state;
    enum { COUNT = 3 };
    static const char *const prompts[COUNT] = { "Go", "Go on", "Go on and so on" };
    int ids[COUNT];
    for (int i = 0; i < COUNT; i++)
        ids[i] = worker_ask(guessing,
                            "{\"op\":\"completion\",\"prompt\":\"%s\",\"temperature\":0,"
                            "\"max_tokens\":90}",
                            prompts[i]);
    for (int i = 0; i < COUNT; i++) {
        const struct outcome *b = worker_end(guessing, ids[i]);
        const struct outcome *a = answer(plain, prompts[i],
                                         "\"temperature\":0,\"max_tokens\":90");
        assert_string_equal(buf_str(&a->content), buf_str(&b->content));
    }
}

/* Its client does not read, and others have all slots, with guesses of their own. */
static void test_an_answer_with_guesses_can_be_put_aside(void **state) {
    (void)state;
    static const char ask[] = "{\"op\":\"completion\",\"prompt\":\"Go\",\"temperature\":0,"
                              "\"max_tokens\":300}";
    int id = worker_ask(guessing, "%s", ask), others[3];
    worker_until_deltas(guessing, id, 3);
    worker_send(guessing, MSG_PAUSE, id, "");
    for (int i = 0; i < 3; i++) others[i] = worker_ask(guessing, "%s", ask);
    for (int i = 0; i < 3; i++) assert_false(worker_end(guessing, others[i])->failed);
    assert_false(guessing->outcomes[id].ended);
    worker_send(guessing, MSG_RESUME, id, "");
    const struct outcome *o = worker_end(guessing, id);
    const struct outcome *same = answer(plain, "Go", "\"temperature\":0,\"max_tokens\":300");
    assert_string_equal(buf_str(&o->content), buf_str(&same->content));
    assert_int_equal(outcome_int(o, "completion_tokens"), 300);
    assert_true(figure(o, "accepted_tokens") > 0);
}

static void test_a_grammar_is_answered_without_guesses(void **state) {
    (void)state;
    const struct outcome *o = answer(
        guessing, "Go", "\"temperature\":0,\"max_tokens\":40,\"grammar\":\"root ::= [a-z ]+\"");
    assert_int_equal(figure(o, "drafted_tokens"), 0);
}

/* What leaves the window while guesses are taken back. */
static void test_behind_a_window_guesses_change_nothing(void **state) {
    (void)state;
    const struct outcome *o = assert_same("Once upon a time",
                                          THREE "\"temperature\":0,\"max_tokens\":400");
    assert_true(figure(o, "accepted_tokens") > 50);
    assert_true(figure(o, "drafted_tokens") > figure(o, "accepted_tokens"));
    o = assert_same("Once upon a time", "\"temperature\":0,\"max_tokens\":460");
    assert_int_equal(outcome_int(o, "completion_tokens"), 460);
}

/* Batches of one shape only. */
static void test_reproducible_answers_have_no_guesses(void **state) {
    (void)state;
    char *path = model_make("endless", "spoken", "--loop", "--context", "20000", "--text",
                            "and so on ", NULL);
    struct worker *w = worker_load(path, "\"context_length\":512," WORKER_STEADY "," LOOKUP);
    const struct outcome *o = answer(w, "Go", "\"temperature\":0,\"max_tokens\":60");
    assert_int_equal(figure(o, "drafted_tokens"), 0);
    worker_stop(w, 0);
    free(path);
}

int main(void) {
    const struct CMUnitTest endless[] = {
        cmocka_unit_test(test_what_repeats_itself_is_guessed),
        cmocka_unit_test(test_answers_end_where_they_would),
        cmocka_unit_test(test_a_conversation_goes_on_after_guesses),
        cmocka_unit_test(test_cancelled_answers_leave_a_slot_that_serves),
        cmocka_unit_test(test_several_answers_at_once_are_the_same),
        cmocka_unit_test(test_an_answer_with_guesses_can_be_put_aside),
        cmocka_unit_test(test_a_grammar_is_answered_without_guesses),
        cmocka_unit_test(test_reproducible_answers_have_no_guesses),
    };
    const struct CMUnitTest random[] = {
        cmocka_unit_test(test_guesses_that_are_partly_wrong_change_nothing),
    };
    const struct CMUnitTest window[] = {
        cmocka_unit_test(test_guesses_that_are_partly_wrong_change_nothing),
        cmocka_unit_test(test_behind_a_window_guesses_change_nothing),
    };
    int failed = cmocka_run_group_tests(endless, start_endless, stop) +
                 cmocka_run_group_tests(window, start_window, stop);
    return failed + cmocka_run_group_tests(random, start_random, stop);
}
