/* SPDX-License-Identifier: MIT */
/* The prompt store through a real worker: what one has processed the next one need not, and
 * says the same as if it had never been away. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "models.h"
#include "store_folder.h"

/* Two turns of a conversation: in one worker without a store, in one with a store, and in two.
 * behind: what cannot be cut at any token may be so much behind it. */
static void check_two_turns(const char *model, int64_t behind) {
    struct worker *w = start(model, "off");
    struct said first = ask(w, STORY STORY, ANSWER, "");
    char *prompt = xasprintf("%s%s And then?", STORY STORY, first.text);
    struct said second = ask(w, prompt, ANSWER, "");
    worker_stop(w, 0);

    w = start(model, "on");
    struct said again = ask(w, STORY STORY, ANSWER, "");
    expect(&again, first.text, 0, 0, "");
    again = ask(w, prompt, ANSWER, "");
    expect(&again, second.text, STORY_TOKENS - behind, 2 * STORY_TOKENS, "slot");
    int64_t stayed = again.cached;
    worker_stop(w, 0);
    each_file(delete_file);

    w = start(model, "on");
    again = ask(w, STORY STORY, ANSWER, "");
    expect(&again, first.text, 0, 0, "");
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);

    w = start(model, "on");
    again = ask(w, prompt, ANSWER, "");
    expect(&again, second.text, stayed - behind, stayed, "disk");
    worker_stop(w, 0);
    free(first.text);
    free(second.text);
    free(prompt);
}

static void test_dense(void **state) {
    (void)state;
    char *model = model_make("random", "random", "--seed", "7", NULL);
    check_two_turns(model, 0);
    free(model);
}

/* Six layers: five have the window, and the story is longer than it. */
static void test_sliding_window(void **state) {
    (void)state;
    char *model = model_make("window", "random", "--arch", "gemma3", "--layers", "6",
                             "--window", "64", "--seed", "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

static void test_hybrid(void **state) {
    (void)state;
    char *model = model_make("hybrid", "random", "--arch", "jamba", "--layers", "4", "--seed",
                             "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

static void test_recurrent(void **state) {
    (void)state;
    char *model = model_make("recurrent", "random", "--arch", "mamba", "--layers", "4",
                             "--seed", "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

/* A context that starts small and is replaced by a larger one on the way. */
static void test_contexts_that_grow(void **state) {
    static void (*const tests[])(void **) = { test_dense, test_sliding_window, test_hybrid };
    usual = "\"parallel\":2,\"cells\":256";
    for (int i = 0; i < 3; i++) {
        tests[i](state);
        each_file(delete_file);
    }
    usual = "\"parallel\":2";
}

/* The file of a shorter beginning goes when that of the longer is there. */
static void test_longer_supersedes_shorter(void **state) {
    (void)state;
    char *model = model_make("random", "random", "--seed", "7", NULL);
    const char *prompts[] = { STORY, STORY STORY, STORY STORY STORY };
    for (int i = 0; i < 3; i++) {
        struct worker *w = start(model, "on");
        struct said said = ask(w, prompts[i], 1, "");
        assert_int_equal(said.cached > 0, i > 0);
        free(said.text);
        worker_stop(w, 0);
        assert_int_equal(file_count(), 1);
    }
    free(model);
}

/* One slot, and two conversations in turns. */
static void test_put_aside_in_memory(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "memory", "\"parallel\":1");
    struct said one = ask(w, STORY, ANSWER, ""), other = ask(w, OTHER OTHER, ANSWER, "");
    assert_int_equal(other.cached, 0);
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, one.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "memory");
    again = ask(w, OTHER OTHER, ANSWER, "");
    expect(&again, other.text, 250, 350, "memory");
    worker_stop(w, 0);
    assert_int_equal(file_count(), 0);
    free(one.text);
    free(other.text);
    free(model);
}

/* FORGET comes behind STOP, while it saves. */
static void test_forgotten_while_it_stops(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    assert_int_equal(kill(w->pid, SIGSTOP), 0);
    worker_send(w, MSG_STOP, 0, "");
    worker_send(w, MSG_FORGET, 0, "");
    assert_int_equal(kill(w->pid, SIGCONT), 0);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 0);
    free(said.text);
    free(model);
}

/* STOP before it was idle: what is in memory is written, too. */
static void test_put_aside_in_memory_is_written_at_stop(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "on", "\"parallel\":1");
    struct said one = ask(w, STORY, ANSWER, ""), other = ask(w, OTHER OTHER, 1, "");
    assert_int_equal(file_count(), 0);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 2);
    w = start(model, "on");
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, one.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "disk");
    worker_stop(w, 0);
    free(one.text);
    free(other.text);
    free(model);
}

/* Fewer than 64 tokens are processed again sooner. */
static void test_little_is_not_put_aside(void **state) {
    (void)state;
    const char *little = "Once upon a time there was a small machine that s";
    char *model = random_model();
    struct worker *w = start_with(model, "memory", "\"parallel\":1");
    struct said one = ask(w, little, 1, ""), other = ask(w, OTHER, 1, "");
    struct said again = ask(w, little, 1, "");
    expect(&again, one.text, 0, 0, "");
    worker_stop(w, 0);
    free(one.text);
    free(other.text);
    free(model);
}

/* What is put aside has ten tokens more than the slot: not worth the copy. */
static void test_little_is_not_fetched(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "memory", "\"parallel\":1");
    struct said one = ask(w, STORY "0123456789" OTHER, 1, "");
    struct said two = ask(w, STORY OTHER, 1, "");
    struct said again = ask(w, STORY "0123456789 Now?", 1, "");
    assert_string_equal(again.source, "slot");
    worker_stop(w, 0);
    free(one.text);
    free(two.text);
    free(again.text);
    free(model);
}

/* Without a budget for memory it goes to disk at once. */
static void test_put_aside_on_disk(void **state) {
    (void)state;
    char *model = random_model();
    char *options = xasprintf("\"parallel\":1,\"prompts\":{\"mode\":\"on\",\"dir\":\"%s\","
                              "\"memory_bytes\":0}",
                              folder);
    struct worker *w = worker_load(model, options);
    struct said one = ask(w, STORY, ANSWER, ""), other = ask(w, OTHER OTHER, ANSWER, "");
    assert_true(file_count() > 0); /* the other one follows when it is idle */
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, one.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "disk");
    worker_stop(w, 0);
    assert_int_equal(file_count(), 2);
    free(one.text);
    free(other.text);
    free(options);
    free(model);
}

static void test_cache_prompt_false_neither_reads_nor_leaves(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said secret = ask(w, STORY, ANSWER, ",\"cache_prompt\":false");
    struct said open = ask(w, STORY, ANSWER, "");
    expect(&open, secret.text, 0, 0, ""); /* not even from the slot */
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);
    w = start(model, "on");
    open = ask(w, STORY, ANSWER, ",\"cache_prompt\":false");
    expect(&open, secret.text, 0, 0, "");
    open = ask(w, OTHER, ANSWER, ",\"cache_prompt\":false");
    free(open.text);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);
    free(secret.text);
    free(model);
}

/* ---- when ---- */

/* Saved without being told to stop, so that even a killed worker leaves it. */
static void test_saved_when_idle(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    while (!w->store) assert_true(worker_pump(w));
    assert_int_equal(yyjson_get_int(yyjson_obj_get(yyjson_doc_get_root(w->store), "entries")),
                     1);
    assert_int_equal(file_count(), 1);
    assert_int_equal(kill(w->pid, SIGKILL), 0);
    worker_stop(w, 128 + SIGKILL);
    w = start(model, "on");
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, said.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "disk");
    worker_stop(w, 0);
    free(said.text);
    free(model);
}

/* A turn too short to be saved after two seconds is saved when nothing more comes. */
static void test_a_short_turn_is_saved_later(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "on", "\"parallel\":2,\"shrink_seconds\":3");
    struct said said = ask(w, STORY STORY, 1, "");
    while (!w->store) assert_true(worker_pump(w));
    free(said.text);
    yyjson_doc_free(w->store);
    w->store = NULL;
    said = ask(w, STORY STORY " And then, one day, what came?", 1, "");
    free(said.text);
    while (!w->store) assert_true(worker_pump(w));
    assert_int_equal(kill(w->pid, SIGKILL), 0);
    worker_stop(w, 128 + SIGKILL);
    w = start(model, "on");
    said = ask(w, STORY STORY " And then, one day, what came?", 1, "");
    assert_in_range(said.cached, STORY_TOKENS + 20, STORY_TOKENS + 40);
    assert_string_equal(said.source, "disk");
    free(said.text);
    worker_stop(w, 0);
    free(model);
}

/* STOP in the middle of an answer: what has been processed of it is saved. */
static void test_saved_while_it_writes(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"%s\",\"temperature\":0}",
                        STORY);
    worker_until_deltas(w, id, 20);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);
    w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    assert_string_equal(said.source, "disk");
    free(said.text);
    worker_stop(w, 0);
    free(model);
}

#define TWO STORY STORY "Two. " OTHER OTHER

/* Back to the second prompt, which has a checkpoint where the first two part and one near its
 * end; then away from it, which takes the first one. */
static void check_both_checkpoints(const char *model, const char *right) {
    struct worker *w = start(model, "on");
    struct said back = ask(w, TWO "And now?", 4, "");
    assert_true(back.cached > STORY_TOKENS + 2 * BEHIND);
    assert_string_equal(back.source, "disk");
    assert_string_equal(back.text, right);
    struct said away = ask(w, STORY STORY "Not so.", 4, "");
    assert_in_range(away.cached, STORY_TOKENS - BEHIND, STORY_TOKENS + BEHIND);
    assert_string_equal(away.source, "slot");
    worker_stop(w, 0);
    free(back.text);
    free(away.text);
}

/* What two prompts share is there for a third, also where a state cannot be cut. */
static void check_shared_beginning(const char *model) {
    struct worker *w = start(model, "off");
    struct said right = ask(w, TWO "And now?", 4, "");
    worker_stop(w, 0);
    w = start(model, "on");
    struct said one = ask(w, STORY STORY OTHER "One?", 4, "");
    struct said two = ask(w, TWO, 1, "");
    worker_stop(w, 0);
    check_both_checkpoints(model, right.text);
    w = start(model, "on");
    struct said three = ask(w, STORY STORY "Three. " OTHER OTHER, 4, "");
    assert_in_range(three.cached, STORY_TOKENS - BEHIND, STORY_TOKENS + BEHIND);
    assert_string_equal(three.source, "disk");
    worker_stop(w, 0);
    free(one.text);
    free(two.text);
    free(three.text);
    free(right.text);
}

static void test_shared_beginning(void **state) {
    (void)state;
    static const char *const shapes[] = { "llama", "gemma3", "jamba", "mamba" };
    for (int i = 0; i < 4; i++) {
        char *name = xasprintf("shared-%s", shapes[i]);
        bool window = strcmp(shapes[i], "gemma3") == 0;
        char *model = model_make(name, "random", "--arch", shapes[i], "--layers", "6", "--seed",
                                 "5", window ? "--window" : NULL, "64", NULL);
        check_shared_beginning(model);
        each_file(delete_file);
        free(name);
        free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_longer_supersedes_shorter),
        TEST(test_put_aside_in_memory),
        TEST(test_forgotten_while_it_stops),
        TEST(test_put_aside_in_memory_is_written_at_stop),
        TEST(test_little_is_not_put_aside),
        TEST(test_little_is_not_fetched),
        TEST(test_put_aside_on_disk),
        TEST(test_cache_prompt_false_neither_reads_nor_leaves),
        TEST(test_dense),
        TEST(test_sliding_window),
        TEST(test_hybrid),
        TEST(test_recurrent),
        TEST(test_contexts_that_grow),
        TEST(test_saved_when_idle),
        TEST(test_a_short_turn_is_saved_later),
        TEST(test_saved_while_it_writes),
        TEST(test_shared_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
