/* SPDX-License-Identifier: MIT */
/* The second copy of 4-bit weights that takes the place of the first. The models say a given
 * text with wide margins: what they say does not depend on the last bits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define BACKGROUND                                                                             \
    "\"context_length\":20000,\"parallel\":4,\"cells\":512,\"repack\":\"background\""

static struct worker *load(const char *type, const char *options) {
    char name[32];
    snprintf(name, sizeof name, "endless-%s", type);
    char *path = model_make(name, "spoken", "--loop", "--context", "20000", "--type", type,
                            "--layers", "3", "--embd", "256", "--heads", "4", "--ff", "512",
                            "--text", "and so on ", NULL);
    struct worker *w = worker_load(path, options);
    free(path);
    return w;
}

/* The text goes round; only its beginning depends on the prompt. */
static void expect_speech(const struct outcome *o) {
    static const char words[] = "and so on ";
    const char *text = buf_str(&o->content);
    const char *at = strstr(text, words);
    assert_non_null(at);
    assert_in_range(at - text, 0, (int)sizeof words);
    for (; strlen(at) >= sizeof words - 1; at += sizeof words - 1) {
        assert_memory_equal(at, words, sizeof words - 1);
    }
}

static void cancel(struct worker *w, int request) {
    worker_send(w, MSG_CANCEL, request, "");
    struct outcome *o = worker_end(w, request);
    assert_false(o->failed);
    expect_speech(o);
}

static int endless(struct worker *w) {
    return worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\",\"temperature\":0}");
}

static void until_repacked(struct worker *w) {
    while (!w->repacked) assert_true(worker_pump(w));
}

static void test_answers_go_on_over_the_move(void **state) {
    (void)state;
    struct worker *w = load("q4_0", BACKGROUND);
    int64_t before = yyjson_get_sint(worker_fact(w, "memory_bytes"));
    int first = endless(w), second = endless(w);
    worker_until_deltas(w, first, 3);
    until_repacked(w);
    assert_false(w->outcomes[first].ended || w->outcomes[second].ended);
    worker_until_deltas(w, first, w->outcomes[first].deltas + 30);
    worker_until_deltas(w, second, w->outcomes[second].deltas + 30);
    cancel(w, first);
    cancel(w, second);
    assert_true(w->memory > 0 && before > 0);
    worker_stop(w, 0);
}

/* One of the running requests with some more deltas. Of those that are prepared at a time, any
 * may have come first, and got a slot before the others. */
static int one_that_speaks(struct worker *w, const int *ids, int count) {
    for (;;) {
        for (int i = 0; i < count; i++) {
            const struct outcome *o = &w->outcomes[ids[i]];
            if (!o->ended && o->deltas >= 20) return ids[i];
        }
        assert_true(worker_pump(w));
    }
}

/* Requests made for the first copy, running and waiting, end well on the second; so do new
 * ones. */
static void test_requests_made_before_the_move_end_after_it(void **state) {
    (void)state;
    struct worker *w = load("q4_0", BACKGROUND);
    int ids[6] = { endless(w) };
    worker_until_deltas(w, ids[0], 2);
    for (int i = 1; i < 6; i++) ids[i] = endless(w);
    until_repacked(w);
    for (int i = 0; i < 6; i++) cancel(w, one_that_speaks(w, ids, 6));
    struct outcome *o = worker_run(
        w, "{\"op\":\"completion\",\"prompt\":\"Go\",\"temperature\":0,\"max_tokens\":40}");
    assert_false(o->failed);
    expect_speech(o);
    worker_stop(w, 0);
}

static void test_idle_it_moves_too_and_remembers(void **state) {
    (void)state;
    struct worker *w = load("q4_0", BACKGROUND);
    static const char ask[] =
        "{\"op\":\"completion\",\"prompt\":\"Tell me how it goes on, please\","
        "\"temperature\":0,\"max_tokens\":20}";
    struct outcome *before = worker_run(w, "%s", ask);
    until_repacked(w);
    struct outcome *after = worker_run(w, "%s", ask);
    assert_string_equal(buf_str(&after->content), buf_str(&before->content));
    assert_true(outcome_int(after, "cached_tokens") > 5);
    worker_stop(w, 0);
}

static void test_stop_while_the_copy_is_made(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct worker *w = load("q4_0", BACKGROUND);
        int id = endless(w);
        worker_until_deltas(w, id, 1 + i);
        worker_stop(w, 0);
    }
}

/* Neither for other types, nor without memory, nor when it is not wanted. */
static void test_no_copy_without_cause_or_memory(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "q8_0", BACKGROUND },
        { "q4_0", BACKGROUND ",\"memory_bytes\":1" },
        { "q4_0", "\"context_length\":512,\"repack\":\"never\"" },
        { "q4_0", "\"context_length\":512,\"repack\":\"first\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct worker *w = load(cases[i][0], cases[i][1]);
        int id = endless(w);
        worker_until_deltas(w, id, 60);
        cancel(w, id);
        assert_false(w->repacked);
        worker_stop(w, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_go_on_over_the_move),
        cmocka_unit_test(test_requests_made_before_the_move_end_after_it),
        cmocka_unit_test(test_idle_it_moves_too_and_remembers),
        cmocka_unit_test(test_stop_while_the_copy_is_made),
        cmocka_unit_test(test_no_copy_without_cause_or_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
