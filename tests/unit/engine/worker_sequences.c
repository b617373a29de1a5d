/* SPDX-License-Identifier: MIT */
/* A small model computes one sequence at a time until two requests are there at once, and an
 * answer that is alone has the cells for itself. Every text is compared with that of a worker
 * which has one place only. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define STORY                                                                                  \
    "Once upon a time there was a small machine that slept most of the day, and what it "      \
    "dreamed of then nobody knew. "
#define TALE "Nobody had ever seen a cat that could count, but this one could, and so it did. "
#define CRY "Help! The house is on fire, all of it, and nobody is there who has some water! "
#define MEMORY ",\"prompts\":{\"mode\":\"memory\"}"
#define GREEDY "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":%d,\"temperature\":0}"

static const char *const prompts[] = { STORY, TALE, CRY };
enum { PROMPTS = 3, TOKENS = 40 };

static char *texts[PROMPTS];

static struct worker *load(int parallel, const char *more) {
    char *path = model_make("random-sequences", "random", "--seed", "5", "--context", "4096",
                            "--type", "f32", NULL);
    char *options = xasprintf("\"context_length\":2048,\"parallel\":%d,%s%s", parallel,
                              WORKER_STEADY, more);
    struct worker *w = worker_load(path, options);
    free(options);
    free(path);
    return w;
}

static int say_all_alone(void **state) {
    (void)state;
    for (int i = 0; i < PROMPTS; i++) {
        struct worker *w = load(1, "");
        texts[i] = xstrdup(buf_str(&worker_run(w, GREEDY, prompts[i], TOKENS)->content));
        worker_stop(w, 0);
    }
    return 0;
}

static int forget_all(void **state) {
    (void)state;
    for (int i = 0; i < PROMPTS; i++) free(texts[i]);
    return 0;
}

static void expect(struct outcome *o, int text) {
    assert_false(o->failed);
    assert_string_equal(buf_str(&o->content), texts[text]);
}

static void test_conversations_take_turns(void **state) {
    (void)state;
    struct worker *w = load(4, MEMORY);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < PROMPTS; i++) expect(worker_run(w, GREEDY, prompts[i], TOKENS), i);
    }
    worker_stop(w, 0);
}

/* The second comes while the first is being written, and all that was said before is there. */
static void test_two_at_once_say_what_each_says_alone(void **state) {
    (void)state;
    struct worker *w = load(4, MEMORY);
    for (int i = 0; i < PROMPTS; i++) expect(worker_run(w, GREEDY, prompts[i], TOKENS), i);
    int first = worker_ask(w, GREEDY, STORY, TOKENS);
    worker_until_deltas(w, first, 5);
    int second = worker_ask(w, GREEDY, TALE, TOKENS), third = worker_ask(w, GREEDY, CRY, 40);
    expect(worker_end(w, second), 1);
    expect(worker_end(w, first), 0);
    expect(worker_end(w, third), 2);
    for (int i = 0; i < PROMPTS; i++) {
        struct outcome *o = worker_run(w, GREEDY, prompts[i], TOKENS);
        expect(o, i);
        assert_true(outcome_int(o, "cached_tokens") > 0);
    }
    worker_stop(w, 0);
}

static void test_what_is_only_remembered_leaves_the_cells_to_an_answer(void **state) {
    (void)state;
    struct worker *w = load(4, MEMORY);
    expect(worker_run(w, GREEDY, STORY, TOKENS), 0);
    expect(worker_run(w, GREEDY, TALE, TOKENS), 1);
    struct outcome *o = worker_run(w, GREEDY, STORY, TOKENS);
    expect(o, 0);
    assert_string_equal(outcome_str(o, "cache_source"), "memory");
    assert_true(outcome_int(o, "cached_tokens") + 8 > outcome_int(o, "prompt_tokens"));
    worker_stop(w, 0);
}

static void test_what_the_prompt_begins_with_stays(void **state) {
    (void)state;
    struct worker *w = load(4, MEMORY);
    expect(worker_run(w, GREEDY, STORY, TOKENS), 0);
    struct outcome *o = worker_run(w, GREEDY, STORY STORY TALE, 8);
    assert_string_equal(outcome_str(o, "cache_source"), "slot");
    o = worker_run(w, GREEDY, STORY, TOKENS);
    assert_string_equal(outcome_str(o, "cache_source"), "slot");
    worker_stop(w, 0);
}

/* Without a store it would be lost: it stays, and the cells with it. */
static void test_without_a_store_all_stay_in_the_cells(void **state) {
    (void)state;
    struct worker *w = load(4, ",\"prompts\":{\"mode\":\"off\"}");
    for (int i = 0; i < PROMPTS; i++) expect(worker_run(w, GREEDY, prompts[i], TOKENS), i);
    for (int i = 0; i < PROMPTS; i++) {
        struct outcome *o = worker_run(w, GREEDY, prompts[i], TOKENS);
        expect(o, i);
        assert_string_equal(outcome_str(o, "cache_source"), "slot");
    }
    worker_stop(w, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations_take_turns),
        cmocka_unit_test(test_two_at_once_say_what_each_says_alone),
        cmocka_unit_test(test_what_is_only_remembered_leaves_the_cells_to_an_answer),
        cmocka_unit_test(test_what_the_prompt_begins_with_stays),
        cmocka_unit_test(test_without_a_store_all_stay_in_the_cells),
    };
    return cmocka_run_group_tests(tests, say_all_alone, forget_all);
}
