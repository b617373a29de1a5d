/* SPDX-License-Identifier: MIT */
/* The context that grows and shrinks. Every text is compared with that of a worker whose
 * context has all its cells from the start. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define STORY "Once upon a time there was a small machine that slept most of the day. "
/* The 60 words that follow have no other that is nearly as likely: rounding changes none. */
#define SURE STORY STORY STORY "Four"
#define LONG STORY STORY STORY STORY STORY STORY STORY STORY

#define GREEDY "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":%d,\"temperature\":0}"

static struct worker *load(const char *options) {
    char *path = model_make("random-long-f32", "random", "--seed", "11", "--context", "8192",
                            "--layers", "4", "--embd", "256", "--heads", "4", "--kv-heads", "4",
                            "--type", "f32", NULL);
    struct worker *w = worker_load(path, options);
    free(path);
    return w;
}

static struct worker *load_small(const char *more) {
    char *options = xasprintf("\"context_length\":4096,\"parallel\":3,\"cells\":256%s,%s", more,
                              WORKER_STEADY); /* the first of equal names counts */
    struct worker *w = load(options);
    free(options);
    return w;
}

static struct worker *load_whole(void) {
    return load(WORKER_STEADY ",\"context_length\":4096,\"parallel\":3");
}

/* The text of an answer, from a worker of its own; caller frees. */
static char *expected(const char *prompt, int tokens) {
    struct worker *w = load_whole();
    struct outcome *o = worker_run(w, GREEDY, prompt, tokens);
    assert_false(o->failed);
    char *text = xstrdup(buf_str(&o->content));
    assert_int_equal(w->resized, 0);
    worker_stop(w, 0);
    return text;
}

static void expect(const struct outcome *o, const char *text) {
    assert_false(o->failed);
    assert_string_equal(buf_str(&o->content), text);
}

static void test_an_answer_goes_on_while_the_context_grows(void **state) {
    (void)state;
    char *text = expected(STORY "G", 460); /* as sure as SURE */
    struct worker *w = load_small("");
    struct outcome *o = worker_run(w, GREEDY, STORY "G", 460);
    expect(o, text);
    assert_in_range(w->resized, 2, 3); /* 256, 512, 1024 */
    worker_stop(w, 0);
    free(text);
}

static int count_threads(const struct worker *w) {
    char *path = xasprintf("/proc/%d/task", (int)w->pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    int count = 0;
    for (struct dirent *d; (d = readdir(dir));) count += d->d_name[0] != '.';
    closedir(dir);
    free(path);
    return count;
}

#ifdef __SANITIZE_THREAD__
enum { OWN_THREADS = 1 }; /* ThreadSanitizer's */
#else
enum { OWN_THREADS = 0 };
#endif

/* A thread that each context made for itself would still be there, or missing. */
static void test_the_threads_stay_when_the_context_grows(void **state) {
    (void)state;
    char *path = model_make("endless", "spoken", "--loop", "--context", "20000", "--text",
                            "and so on ", NULL);
    struct worker *w = worker_load(path, "\"context_length\":4096,\"cells\":256,\"threads\":2");
    struct outcome *o = worker_run(w, GREEDY, "Go", 900);
    assert_true(w->resized > 0);
    for (const char *at = buf_str(&o->content); strlen(at) > 10; at += 10) {
        assert_memory_equal(at, buf_str(&o->content), 10);
    }
    assert_in_range(count_threads(w), 1, 2 + OWN_THREADS); /* 1 where no core was free */
    worker_stop(w, 0);
    free(path);
}

static void test_a_long_prompt_gets_its_room_at_once(void **state) {
    (void)state;
    char *text = expected(LONG LONG, 20);
    struct worker *w = load_small("");
    struct outcome *o = worker_run(w, GREEDY, LONG LONG, 20);
    expect(o, text);
    assert_true(outcome_int(o, "prompt_tokens") > 1000);
    assert_int_equal(w->resized, 1);
    assert_true(w->memory > 0);
    worker_stop(w, 0);
    free(text);
}

static void test_the_first_prompt_finds_its_room_ready(void **state) {
    (void)state;
    char *text = expected(LONG LONG, 20);
    struct worker *w = load_small(",\"prompt_tokens\":1400");
    expect(worker_run(w, GREEDY, LONG LONG, 20), text);
    assert_int_equal(w->resized, 0);
    worker_stop(w, 0);
    free(text);
}

/* It has not been idle before it was there: the room is not given back while the request comes.
 */
static void test_a_late_first_prompt_finds_its_room_ready(void **state) {
    (void)state;
    struct worker *w = load_small(",\"prompt_tokens\":1400");
    for (int i = 0; i < 30; i++) { /* it rests between any two */
        assert_false(worker_run(w, "{\"op\":\"tokenize\",\"text\":\"Hi\"}")->failed);
    }
    assert_int_equal(w->resized, 0);
    worker_stop(w, 0);
}

static void test_a_guess_beyond_all_bounds_is_only_a_guess(void **state) {
    (void)state;
    char *text = expected(STORY, 20);
    struct worker *w = load_small(",\"prompt_tokens\":9223372036854775807");
    expect(worker_run(w, GREEDY, STORY, 20), text);
    worker_stop(w, 0);
    free(text);
}

static void test_no_room_is_made_ready_that_memory_does_not_allow(void **state) {
    (void)state;
    struct worker *w = load_small(",\"prompt_tokens\":1400,\"memory_bytes\":1");
    struct outcome *o = worker_run(w, GREEDY, LONG, 8);
    assert_true(o->failed);
    assert_string_equal(outcome_str(o, "code"), "insufficient_memory");
    worker_stop(w, 0);
}

/* Two answers are being written when a prompt comes that needs more cells than there are. */
static void test_others_do_not_notice_that_it_grows(void **state) {
    (void)state;
    /* Their answers have no two words that are as likely. */
    static const char *const prompts[] = { STORY "G", STORY STORY "J", LONG "R" };
    char *texts[3];
    int ids[3];
    for (int i = 0; i < 3; i++) texts[i] = expected(prompts[i], 60);
    struct worker *w = load_small("");
    for (int i = 0; i < 2; i++) ids[i] = worker_ask(w, GREEDY, prompts[i], 60);
    for (int i = 0; i < 2; i++) worker_until_deltas(w, ids[i], 5);
    int before = w->resized;
    ids[2] = worker_ask(w, GREEDY, prompts[2], 60);
    for (int i = 0; i < 3; i++) {
        expect(worker_end(w, ids[i]), texts[i]);
        free(texts[i]);
    }
    assert_true(w->resized > before);
    worker_stop(w, 0);
}

static void test_a_conversation_goes_on_in_the_larger_context(void **state) {
    (void)state;
    struct worker *w = load_small("");
    struct outcome *first = worker_run(w, GREEDY, STORY "A", 8);
    assert_false(first->failed);
    (void)worker_run(w, GREEDY, LONG "C", 8);
    assert_int_equal(w->resized, 1);
    struct outcome *again = worker_run(w, GREEDY, STORY "A", 8);
    expect(again, buf_str(&first->content));
    assert_true(outcome_int(again, "cached_tokens") > (int64_t)strlen(STORY) - OUTCOME_GROUP);
    worker_stop(w, 0);
}

/* ---- no memory for more ---- */

static void test_a_prompt_without_room_fails_alone(void **state) {
    (void)state;
    struct worker *w = load_small(",\"memory_bytes\":1");
    int answer = worker_ask(w, GREEDY, STORY, 60);
    worker_until_deltas(w, answer, 2);
    struct outcome *o = worker_run(w, GREEDY, LONG, 8);
    assert_true(o->failed);
    assert_string_equal(outcome_str(o, "code"), "insufficient_memory");
    assert_non_null(strstr(outcome_str(o, "text"), " tokens, but only "));
    assert_false(worker_end(w, answer)->failed);
    assert_int_equal(outcome_int(&w->outcomes[answer], "completion_tokens"), 60);
    assert_int_equal(w->resized, 0);
    worker_stop(w, 0);
}

static void test_an_answer_without_room_ends_as_in_a_full_context(void **state) {
    (void)state;
    struct worker *w = load_small(",\"memory_bytes\":1");
    struct outcome *o = worker_run(w, GREEDY, STORY, 900);
    assert_false(o->failed);
    assert_string_equal(outcome_str(o, "stop_reason"), "contextLengthReached");
    int64_t all = outcome_int(o, "prompt_tokens") + outcome_int(o, "completion_tokens");
    assert_in_range(all, 255, 257);
    worker_stop(w, 0);
}

/* Conversations that nobody works on make room. */
static void test_idle_conversations_make_room(void **state) {
    (void)state;
    struct worker *w = load_small(",\"memory_bytes\":1");
    (void)worker_run(w, GREEDY, STORY "A", 8);
    (void)worker_run(w, GREEDY, "Another one. " STORY, 8);
    struct outcome *o = worker_run(w, GREEDY, "And a third. " STORY "C", 8);
    assert_false(o->failed);
    assert_int_equal(outcome_int(o, "completion_tokens"), 8);
    o = worker_run(w, GREEDY, STORY "A", 8);
    assert_false(o->failed);
    worker_stop(w, 0);
}

/* The one that was asked for last begins as the new one does: it is no reason to keep it. */
static void test_a_remembered_conversation_never_keeps_a_new_one_out(void **state) {
    (void)state;
    char *text = expected(STORY "B", 8);
    struct worker *w = load_small(",\"memory_bytes\":1");
    struct outcome *full = worker_run(w, GREEDY, STORY, 900);
    assert_string_equal(outcome_str(full, "stop_reason"), "contextLengthReached");
    struct outcome *o = worker_run(w, GREEDY, STORY "B", 8);
    expect(o, text);
    assert_true(outcome_int(o, "cached_tokens") > (int64_t)strlen(STORY) / 2);
    assert_int_equal(w->resized, 0);
    worker_stop(w, 0);
    free(text);
}

/* "needs room for 2617 tokens, but only 2760 fit" helps nobody. The context is so large that
 * the system has it back when another takes its place. */
static void test_the_numbers_of_a_refusal_agree(void **state) {
    (void)state;
    enum { CELL = 34 << 10, CELLS = 2048, STEP = 16 /* tokens, each a byte */ };
    char *path = model_make("random-deep", "random", "--seed", "11", "--context", "8192",
                            "--layers", "32", "--embd", "256", "--heads", "4", "--kv-heads",
                            "4", NULL);
    struct worker *w = worker_load(path, "\"parallel\":1,\"cells\":2048");
    int64_t taken = yyjson_get_sint(worker_fact(w, "memory_bytes"));
    worker_stop(w, 0);
    char *options = xasprintf("\"parallel\":1,\"cells\":2048,\"memory_bytes\":%lld",
                              (long long)taken + 220 * CELL);
    w = worker_load(path, options);
    int refused = 0;
    for (int length = CELLS + STEP; length < CELLS + 256; length += STEP) {
        char *prompt = xasprintf("%.*s", length, LONG LONG LONG LONG LONG);
        struct outcome *o = worker_run(w, GREEDY, prompt, 1);
        unsigned need, fit;
        free(prompt);
        if (!o->failed) continue;
        const char *at = strstr(outcome_str(o, "text"), "room for ");
        assert_non_null(at);
        assert_int_equal(sscanf(at, "room for %u tokens, but only %u fit", &need, &fit), 2);
        assert_true(need > fit);
        refused++;
    }
    assert_true(refused > 0);
    worker_stop(w, 0);
    free(options);
    free(path);
}

/* ---- the daemon is asked first ---- */

static void test_it_asks_before_it_grows(void **state) {
    (void)state;
    struct worker *w = load_small("");
    int64_t before = yyjson_get_sint(worker_fact(w, "memory_bytes"));
    assert_false(worker_run(w, GREEDY, LONG LONG, 8)->failed);
    assert_int_equal(w->asks, 1);
    assert_true(w->asked.bytes > before && w->asked.bytes > w->asked.least);
    assert_false(w->asked.optional);
    worker_stop(w, 0);
}

static void test_others_go_on_while_one_waits_for_its_grant(void **state) {
    (void)state;
    char *text = expected(LONG "C", 8);
    struct worker *w = load_small("");
    w->mute = true;
    int running = worker_ask(w, GREEDY, STORY, 100);
    worker_until_deltas(w, running, 2);
    int waits = worker_ask(w, GREEDY, LONG "C", 8);
    while (w->asks == 0) assert_true(worker_pump(w));
    worker_until_deltas(w, running, w->outcomes[running].deltas + 20);
    assert_int_equal(w->resized, 0);
    worker_grant(w, w->asked.ask, w->asked.bytes);
    w->mute = false;
    expect(worker_end(w, waits), text);
    assert_false(worker_end(w, running)->failed);
    worker_stop(w, 0);
    free(text);
}

/* No cell is left, and the answer waits; then it goes on as if nothing had been. */
static void test_an_answer_waits_for_its_next_cells(void **state) {
    (void)state;
    char *text = expected(SURE, 60);
    struct worker *w = load_small("");
    w->mute = true;
    int running = worker_ask(w, GREEDY, SURE, 60);
    while (w->asks == 0) assert_true(worker_pump(w));
    int beats = w->heartbeats;
    while (w->heartbeats < beats + 3) assert_true(worker_pump(w)); /* it lives */
    assert_false(w->outcomes[running].ended);
    assert_int_equal(w->asks, 1);
    worker_grant(w, w->asked.ask, w->asked.bytes);
    w->mute = false;
    expect(worker_end(w, running), text);
    worker_stop(w, 0);
    free(text);
}

/* Its client stops reading while its cells are asked for; another has the slot meanwhile. */
static void test_one_that_waits_for_cells_can_be_put_aside(void **state) {
    (void)state;
    char *text = expected(SURE, 60);
    struct worker *w = load(
        "\"context_length\":4096,\"parallel\":1,\"cells\":256," WORKER_STEADY);
    w->mute = true;
    int running = worker_ask(w, GREEDY, SURE, 60);
    while (w->asks == 0) assert_true(worker_pump(w));
    worker_send(w, MSG_PAUSE, running, "");
    int other = worker_ask(w, GREEDY, STORY "B", 8);
    worker_grant(w, w->asked.ask, w->asked.bytes);
    w->mute = false;
    assert_false(worker_end(w, other)->failed);
    assert_false(w->outcomes[running].ended);
    worker_send(w, MSG_RESUME, running, "");
    expect(worker_end(w, running), text);
    worker_stop(w, 0);
    free(text);
}

static void test_a_daemon_that_never_answers_hangs_no_worker(void **state) {
    (void)state;
    struct worker *w = load_small(",\"growth_seconds\":0.1");
    w->mute = true;
    struct outcome *o = worker_run(w, GREEDY, LONG, 8);
    assert_true(o->failed);
    assert_string_equal(outcome_str(o, "code"), "insufficient_memory");
    assert_non_null(strstr(outcome_str(o, "text"), "did not answer"));
    assert_false(worker_run(w, GREEDY, STORY, 8)->failed);
    /* A late answer no longer grants anything: the worker reports that it took nothing. */
    int said = w->resized;
    worker_grant(w, w->asked.ask, w->asked.bytes);
    while (w->resized == said) assert_true(worker_pump(w));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they take memory, too */
    assert_true(w->memory < w->asked.bytes);
#endif
    worker_stop(w, 0);
}

/* Nobody has to leave for what is only remembered. */
static void test_for_remembered_conversations_it_asks_politely(void **state) {
    (void)state;
    struct worker *w = load_small(",\"memory_bytes\":1");
    (void)worker_run(w, GREEDY, STORY "A", 8);
    assert_int_equal(w->asks, 0);
    (void)worker_run(w, GREEDY, "Another one. " STORY "B", 8);
    (void)worker_run(w, GREEDY, "And a third. " STORY "C", 8);
    assert_true(w->asks > 0);
    assert_true(w->asked.optional);
    worker_stop(w, 0);
}

static void test_a_limit_lowered_later_is_obeyed(void **state) {
    (void)state;
    struct worker *w = load_small("");
    (void)worker_run(w, GREEDY, LONG LONG LONG LONG, 8);
    assert_int_equal(w->resized, 1);
    int64_t grown = w->memory;
    worker_grant(w, 0, 1);
    while (w->resized < 2) assert_true(worker_pump(w));
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
    assert_true(w->memory < grown);
#else
    assert_true(grown > 0);
#endif
    assert_false(worker_run(w, GREEDY, STORY, 8)->failed);
    worker_stop(w, 0);
}

/* ---- giving back ---- */

static void test_idle_it_gives_back_what_it_does_not_use(void **state) {
    (void)state;
    char *text = expected(LONG "R", 8);
    /* Without flash attention the scores, not the cells, take most of the memory. */
    struct worker *w = load_small(",\"shrink_seconds\":0.1,\"flash_attention\":true");
    struct outcome *o = worker_run(w, GREEDY, LONG LONG LONG LONG, 8);
    assert_int_equal(w->resized, 1);
    int64_t grown = w->memory;
    /* The slot's conversation becomes a short one; then half of the cells are too many. */
    o = worker_run(w, GREEDY, STORY "A", 8);
    (void)worker_run(w, GREEDY, "B" STORY, 8);
    (void)worker_run(w, GREEDY, "C" STORY, 8);
    while (w->resized < 2) assert_true(worker_pump(w));
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
    assert_true(w->memory < grown);
#else
    assert_true(grown > 0);
#endif
    expect(worker_run(w, GREEDY, STORY "A", 8), buf_str(&o->content));
    expect(worker_run(w, GREEDY, LONG "R", 8), text); /* and grows again */
    free(text);
    worker_stop(w, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_goes_on_while_the_context_grows),
        cmocka_unit_test(test_the_threads_stay_when_the_context_grows),
        cmocka_unit_test(test_a_long_prompt_gets_its_room_at_once),
        cmocka_unit_test(test_the_first_prompt_finds_its_room_ready),
        cmocka_unit_test(test_a_late_first_prompt_finds_its_room_ready),
        cmocka_unit_test(test_a_guess_beyond_all_bounds_is_only_a_guess),
        cmocka_unit_test(test_no_room_is_made_ready_that_memory_does_not_allow),
        cmocka_unit_test(test_others_do_not_notice_that_it_grows),
        cmocka_unit_test(test_a_conversation_goes_on_in_the_larger_context),
        cmocka_unit_test(test_a_prompt_without_room_fails_alone),
        cmocka_unit_test(test_an_answer_without_room_ends_as_in_a_full_context),
        cmocka_unit_test(test_idle_conversations_make_room),
        cmocka_unit_test(test_a_remembered_conversation_never_keeps_a_new_one_out),
        cmocka_unit_test(test_the_numbers_of_a_refusal_agree),
        cmocka_unit_test(test_it_asks_before_it_grows),
        cmocka_unit_test(test_others_go_on_while_one_waits_for_its_grant),
        cmocka_unit_test(test_an_answer_waits_for_its_next_cells),
        cmocka_unit_test(test_one_that_waits_for_cells_can_be_put_aside),
        cmocka_unit_test(test_a_daemon_that_never_answers_hangs_no_worker),
        cmocka_unit_test(test_for_remembered_conversations_it_asks_politely),
        cmocka_unit_test(test_a_limit_lowered_later_is_obeyed),
        cmocka_unit_test(test_idle_it_gives_back_what_it_does_not_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
