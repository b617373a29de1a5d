/* SPDX-License-Identifier: MIT */
/* Several requests at once: slots, the queue, cancelling, pausing, reuse. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

static struct worker *w;

#define GREEDY_OF "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":4,\"temperature\":0}"

/* Says the same for ever, so that only cancelling ends it. */
static int start_endless(void **state) {
    (void)state;
    char *path = model_make("endless", "spoken", "--loop", "--context", "20000", "--text",
                            "and so on ", NULL);
    w = worker_load(path, "\"context_length\":20000,\"parallel\":4");
    free(path);
    return 0;
}

static int start_random(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    w = worker_load(path, "\"context_length\":2048,\"parallel\":3");
    free(path);
    return 0;
}

/* For those that compare longer texts. */
static int start_steady(void **state) {
    (void)state;
    char *path = model_make("random-f32", "random", "--seed", "7", "--type", "f32", NULL);
    w = worker_load(path, "\"context_length\":2048,\"parallel\":3," WORKER_STEADY);
    free(path);
    return 0;
}

static int stop(void **state) {
    (void)state;
    worker_stop(w, 0);
    return 0;
}

static void cancel(int request) {
    worker_send(w, MSG_CANCEL, request, "");
    struct outcome *o = worker_end(w, request);
    assert_false(o->failed);
    assert_string_equal(outcome_str(o, "stop_reason"), "userStopped");
}

/* Requests are prepared by several processes, so one may get ahead of another that was asked
 * just before: the two that wait are asked when the four run, and either may be the next. */
static void test_four_run_and_two_wait(void **state) {
    (void)state;
    int ids[6];
    for (int i = 0; i < 4; i++)
        ids[i] = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    for (int i = 0; i < 4; i++) worker_until_deltas(w, ids[i], 3);
    for (int i = 4; i < 6; i++)
        ids[i] = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, ids[0], w->outcomes[ids[0]].deltas + 5);
    const struct outcome *a = &w->outcomes[ids[4]], *b = &w->outcomes[ids[5]];
    assert_false(a->started || b->started);
    cancel(ids[2]);
    while (!a->started && !b->started) assert_true(worker_pump(w));
    int next = a->started ? ids[4] : ids[5], waits = a->started ? ids[5] : ids[4];
    worker_until_deltas(w, next, 1);
    cancel(waits);
    assert_false(w->outcomes[waits].started);
    assert_int_equal(w->outcomes[waits].deltas, 0);
    int left[] = { ids[0], ids[1], ids[3], next };
    for (int i = 0; i < 4; i++) cancel(left[i]);
}

static void test_cancel_while_it_writes(void **state) {
    (void)state;
    int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, id, 10);
    cancel(id);
    struct outcome *o = &w->outcomes[id];
    assert_true(outcome_int(o, "completion_tokens") >= 10);
}

static void test_cancel_of_what_is_not_there(void **state) {
    (void)state;
    worker_send(w, MSG_CANCEL, 12345, "");
    worker_send(w, MSG_PAUSE, 12345, "");
    worker_send(w, MSG_RESUME, 12345, "");
    int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, id, 1);
    cancel(id);
    worker_send(w, MSG_CANCEL, id, ""); /* again: it has ended */
    assert_false(worker_run(w, "{\"op\":\"tokenize\",\"text\":\"a\"}")->failed);
}

/* A prompt of this many bytes, with an answer of one token. */
static int ask_long(size_t size, char letter) {
    char *text = xcalloc(size + 1, 1);
    memset(text, letter, size);
    int id = worker_ask(w,
                        "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":1,"
                        "\"cache_prompt\":false}",
                        text);
    free(text);
    return id;
}

/* One of which a little has been processed, of a worker that is held; again if this program was
 * held up meanwhile. */
static int hold_giant(void) {
    for (;;) {
        int id = ask_long(8000, 'x');
        while (w->outcomes[id].prompts == 0) assert_true(worker_pump(w));
        worker_hold(w);
        if (w->outcomes[id].prompts < 6) return id;
        worker_let_go(w);
        (void)worker_end(w, id);
    }
}

/* Its prompt takes many batches; the cancel is acted on before it is all processed. */
static void test_cancel_while_the_prompt_is_processed(void **state) {
    (void)state;
    int id = hold_giant();
    worker_send(w, MSG_CANCEL, id, "");
    worker_let_go(w);
    assert_string_equal(outcome_str(worker_end(w, id), "stop_reason"), "userStopped");
    assert_int_equal(w->outcomes[id].deltas, 0);
    id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, id, 5);
    cancel(id);
    assert_non_null(strstr(buf_str(&w->outcomes[id].content), "and so on"));
}

static void test_a_paused_request_waits_and_others_go_on(void **state) {
    (void)state;
    int slow = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, slow, 2);
    worker_send(w, MSG_PAUSE, slow, "");
    /* The answer to a question asked later shows that the pause has been read. */
    (void)worker_run(w, "{\"op\":\"tokenize\",\"text\":\"a\"}");
    int had = w->outcomes[slow].deltas;
    int quick = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, quick, 50);
    assert_int_equal(w->outcomes[slow].deltas, had);
    worker_send(w, MSG_RESUME, slow, "");
    worker_until_deltas(w, slow, had + 5);
    worker_send(w, MSG_PAUSE, slow, "");
    cancel(slow); /* also while paused */
    cancel(quick);
}

/* ---- readers that do not read (Order, rule 3) ---- */

static void pause_all(const int *ids, int count) {
    for (int i = 0; i < count; i++) worker_send(w, MSG_PAUSE, ids[i], "");
    (void)worker_run(w, "{\"op\":\"tokenize\",\"text\":\"a\"}"); /* the pauses were read */
}

static void test_those_that_do_not_read_give_their_slots(void **state) {
    (void)state;
    int ids[4], had[4];
    for (int i = 0; i < 4; i++) {
        ids[i] = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
        worker_until_deltas(w, ids[i], 2);
    }
    pause_all(ids, 4);
    for (int i = 0; i < 4; i++) had[i] = w->outcomes[ids[i]].deltas;
    for (int i = 0; i < 6; i++)
        assert_false(worker_run(w, "{\"op\":\"completion\",\"prompt\":\"Go\","
                                   "\"max_tokens\":2}")
                         ->failed);
    for (int i = 0; i < 4; i++) assert_int_equal(w->outcomes[ids[i]].deltas, had[i]);
    cancel(ids[0]); /* put aside, or in a slot */
    for (int i = 1; i < 4; i++) worker_send(w, MSG_RESUME, ids[i], "");
    for (int i = 1; i < 4; i++) worker_until_deltas(w, ids[i], had[i] + 5);
    for (int i = 1; i < 4; i++) cancel(ids[i]);
}

static void test_one_that_was_put_aside_waits_for_a_slot(void **state) {
    (void)state;
    int ids[5];
    for (int i = 0; i < 4; i++) {
        ids[i] = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
        worker_until_deltas(w, ids[i], 2);
    }
    pause_all(ids, 1);
    ids[4] = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, ids[4], 2);
    int had = w->outcomes[ids[0]].deltas;
    worker_send(w, MSG_RESUME, ids[0], "");
    worker_until_deltas(w, ids[4], w->outcomes[ids[4]].deltas + 20);
    assert_int_equal(w->outcomes[ids[0]].deltas, had);
    cancel(ids[2]);
    worker_until_deltas(w, ids[0], had + 5);
    for (int i = 0; i < 5; i++)
        if (i != 2) cancel(ids[i]);
}

/* A worker whose work is all paused still shows that it lives. */
static void test_it_shows_signs_of_life(void **state) {
    (void)state;
    int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, id, 1);
    worker_send(w, MSG_PAUSE, id, "");
    int had = w->heartbeats;
    while (w->heartbeats < had + 2) assert_true(worker_pump(w));
    cancel(id);
}

static void test_tokenize_does_not_wait_for_a_slot(void **state) {
    (void)state;
    int ids[5];
    for (int i = 0; i < 5; i++)
        ids[i] = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    assert_false(worker_run(w, "{\"op\":\"tokenize\",\"text\":\"a\"}")->failed);
    for (int i = 4; i >= 0; i--) cancel(ids[i]);
}

static void test_stop_drops_everything(void **state) {
    (void)state;
    int first = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, first, 1);
    for (int i = 0; i < 5; i++)
        (void)worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, first, w->outcomes[first].deltas + 5);
    /* worker_stop in the tear-down checks the exit status. */
}

/* ---- whose prompt is next (Order, rule 2) ---- */

/* How far another is when one has ended: they do not all end together at the end. */
static void test_three_giants_end_in_turn(void **state) {
    (void)state;
    int ids[3];
    for (int i = 0; i < 3; i++) {
        ids[i] = ask_long(6000, (char)('x' + i));
        worker_send(w, MSG_PAUSE, ids[i], ""); /* until all have been prepared */
    }
    for (int i = 0; i < 3; i++)
        while (!w->outcomes[ids[i]].started) assert_true(worker_pump(w));
    for (int i = 0; i < 3; i++) worker_send(w, MSG_RESUME, ids[i], "");
    for (int left = 3; left > 0; left--) {
        int ended = -1, begun = 0;
        while (ended < 0) {
            assert_true(worker_pump(w));
            for (int i = 0; i < left; i++)
                if (w->outcomes[ids[i]].ended) ended = i;
        }
        assert_false(w->outcomes[ids[ended]].failed);
        ids[ended] = ids[left - 1];
        for (int i = 0; i < left - 1; i++) begun += w->outcomes[ids[i]].prompts > 10;
        if (left == 3) assert_in_range(begun, 0, 1);
    }
}

static void test_a_short_prompt_passes_a_long_one(void **state) {
    (void)state;
    int giant = hold_giant(), quick = ask_long(40, 'y');
    worker_let_go(w);
    (void)worker_end(w, quick);
    assert_false(w->outcomes[giant].ended);
    (void)worker_end(w, giant);
}

/* ---- with a model whose answer depends on all of its context ---- */

#define STORY "Once upon a time there was a small machine that slept most of the day. "

static const char *greedy(const char *prompt, const char *more, int64_t *ret_cached) {
    struct outcome *o = worker_run(w,
                                   "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":24,"
                                   "\"temperature\":0%s}",
                                   prompt, more);
    assert_false(o->failed);
    *ret_cached = outcome_int(o, "cached_tokens");
    return buf_str(&o->content);
}

static void test_reuse_changes_nothing_in_the_text(void **state) {
    (void)state;
    int64_t cached = -1;
    const char *fresh = greedy(STORY STORY "It", ",\"cache_prompt\":false", &cached);
    assert_int_equal(cached, 0);
    (void)greedy(STORY STORY "So", "", &cached);
    assert_int_equal(cached, 0); /* what was asked not to be cached serves nobody */
    const char *again = greedy(STORY STORY "It", "", &cached);
    assert_true(cached > 100);
    assert_string_equal(again, fresh);
}

static void test_a_conversation_goes_on_where_it_was(void **state) {
    (void)state;
    int64_t cached = -1;
    (void)greedy(STORY "A", "", &cached);
    (void)greedy("Something else entirely, " STORY, "", &cached);
    const char *reused = greedy(STORY "A" STORY, "", &cached);
    assert_true(cached >= (int64_t)strlen(STORY));
    const char *fresh = greedy(STORY "A" STORY, ",\"cache_prompt\":false", &cached);
    assert_string_equal(reused, fresh);
}

/* Slots that work on the same beginning share its cells; each text is still its own. */
static void test_a_common_beginning_is_shared(void **state) {
    (void)state;
    static const char *const ends[] = { "The cat", "A dog", "No one" };
    const char *ask = "{\"op\":\"completion\",\"prompt\":\"%s%s\",\"max_tokens\":16,"
                      "\"temperature\":0%s}";
    int alone[3], together[3];
    for (int i = 0; i < 3; i++) {
        alone[i] = worker_ask(w, ask, STORY STORY, ends[i], ",\"cache_prompt\":false");
        (void)worker_end(w, alone[i]);
    }
    (void)worker_run(w, ask, STORY STORY, "Nothing", "");
    for (int i = 0; i < 3; i++) together[i] = worker_ask(w, ask, STORY STORY, ends[i], "");
    for (int i = 0; i < 3; i++) {
        struct outcome *o = worker_end(w, together[i]);
        assert_true(outcome_int(o, "cached_tokens") > 100);
        assert_string_equal(buf_str(&o->content), buf_str(&w->outcomes[alone[i]].content));
    }
}

/* After a batch that was given up, nothing of it is taken for processed. */
static void test_a_cancelled_prompt_leaves_no_trace(void **state) {
    (void)state;
    int64_t cached = -1;
    const char *before = greedy(STORY "B", ",\"cache_prompt\":false", &cached);
    char text[1801];
    memset(text, 'B', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 3; i++) {
        int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"%d" STORY "%s\"}", i, text);
        while (!w->outcomes[id].started) assert_true(worker_pump(w));
        worker_send(w, MSG_CANCEL, id, "");
        (void)worker_end(w, id);
    }
    const char *after = greedy(STORY "B", "", &cached);
    assert_string_equal(after, before);
    assert_int_equal(w->logs, 0); /* nor in the log: the library calls it a failure */
}

/* How many tokens of the prompt are cached and how many processed, behind 700 of `letter` that
 * were just processed. */
static void ask_behind(char letter, int due, int64_t *ret_cached, int64_t *ret_due) {
    char text[801];
    struct outcome *o = NULL;
    for (int i = 0; i < 2; i++) {
        size_t len = i == 0 ? 700 : 700 + (size_t)due;
        memset(text, letter, 700);
        memset(text + 700, letter + 1, len - 700);
        text[len] = '\0';
        o = worker_run(w, GREEDY_OF, text);
        assert_false(o->failed);
    }
    *ret_cached = outcome_int(o, "cached_tokens");
    *ret_due = outcome_int(o, "prompt_tokens") - *ret_cached;
}

static void test_most_of_a_piece_is_filled_with_what_was_processed(void **state) {
    (void)state;
    int64_t cached, due;
    ask_behind('a', 40, &cached, &due);
    assert_in_range(cached, 700 - OUTCOME_GROUP, 702);
    ask_behind('p', 60, &cached, &due);
    assert_in_range(due, 64, 64 + OUTCOME_GROUP);
    assert_in_range(cached, 680, 699);
}

/* What `n` answers to one chat are: only one of them processes the prompt. */
static void test_answers_to_one_prompt_share_its_processing(void **state) {
    (void)state;
    char text[601];
    int ids[3], whole = 0;
    for (size_t i = 0; i < sizeof text - 1; i++) text[i] = (char)('a' + i % 23);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 3; i++) {
        ids[i] = worker_ask(w,
                            "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":8,"
                            "\"seed\":%d}",
                            text, i);
    }
    for (int i = 0; i < 3; i++) {
        struct outcome *o = worker_end(w, ids[i]);
        assert_false(o->failed);
        assert_int_equal(outcome_int(o, "completion_tokens"), 8);
        int64_t left = outcome_int(o, "prompt_tokens") - outcome_int(o, "cached_tokens");
        if (left > OUTCOME_GROUP) whole++;
    }
    assert_int_equal(whole, 1);
}

/* Nobody waits for a prompt whose client does not read. */
static void test_a_paused_prompt_keeps_no_equal_one_waiting(void **state) {
    (void)state;
    char text[601];
    memset(text, 'q', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    int slow = worker_ask(w, GREEDY_OF, text);
    worker_send(w, MSG_PAUSE, slow, "");
    assert_false(worker_run(w, GREEDY_OF, text)->failed);
    worker_send(w, MSG_RESUME, slow, "");
    assert_false(worker_end(w, slow)->failed);
}

/* Paused in the middle of its answer, while others have all slots one after the other. */
static int run_put_aside(const char *ask) {
    int id = worker_ask(w, "%s", ask);
    worker_until_deltas(w, id, 3);
    worker_send(w, MSG_PAUSE, id, "");
    for (int round = 0; round < 2; round++) {
        int others[3];
        for (int i = 0; i < 3; i++) {
            others[i] = worker_ask(
                w, GREEDY_OF, round ? STORY "And so it went on." : "Something else. " STORY);
        }
        for (int i = 0; i < 3; i++) assert_false(worker_end(w, others[i])->failed);
    }
    worker_send(w, MSG_RESUME, id, "");
    assert_false(worker_end(w, id)->failed);
    return id;
}

/* Sampled, so that the state of the sampler counts, and with a grammar, whose state is made
 * again from what was said. */
static void test_an_answer_that_was_put_aside_says_the_same(void **state) {
    (void)state;
    static const char *const asks[] = {
        "{\"op\":\"completion\",\"prompt\":\"" STORY STORY "Then\",\"max_tokens\":60,"
        "\"temperature\":0.9,\"seed\":5,\"repeat_penalty\":1.3}",
        "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"" STORY STORY
        "\"}],\"max_tokens\":400,\"seed\":5,\"response_format\":{\"type\":\"json_schema\","
        "\"json_schema\":{\"schema\":{\"type\":\"array\",\"minItems\":40,\"items\":"
        "{\"type\":\"integer\",\"minimum\":10,\"maximum\":99}}}}}",
    };
    for (int i = 0; i < 2; i++) {
        /* The prompt is remembered in all runs that are compared: processed in one piece it may
         * be rounded otherwise. */
        (void)worker_run(w, "%s", asks[i]);
        int alone = worker_ask(w, "%s", asks[i]);
        if (worker_end(w, alone)->failed)
            fail_msg("%d: %s", i, outcome_str(&w->outcomes[alone], "text"));
        const struct outcome *o = &w->outcomes[run_put_aside(asks[i])];
        const struct outcome *whole = &w->outcomes[alone];
        assert_string_equal(buf_str(&o->content), buf_str(&whole->content));
        static const char *const counts[] = { "completion_tokens", "prompt_tokens" };
        for (int k = 0; k < 2; k++)
            assert_int_equal(outcome_int(o, counts[k]), outcome_int(whole, counts[k]));
    }
}

/* Nothing of it is kept, so all of it is processed again. */
static void test_an_answer_that_is_not_cached_goes_on(void **state) {
    (void)state;
    int id = run_put_aside("{\"op\":\"completion\",\"prompt\":\"" STORY "Now\","
                           "\"max_tokens\":200,\"temperature\":0,\"cache_prompt\":false}");
    assert_int_equal(outcome_int(&w->outcomes[id], "completion_tokens"), 200);
    assert_int_equal(outcome_int(&w->outcomes[id], "cached_tokens"), 0);
}

int main(void) {
    const struct CMUnitTest endless[] = {
        cmocka_unit_test(test_four_run_and_two_wait),
        cmocka_unit_test(test_cancel_while_it_writes),
        cmocka_unit_test(test_cancel_of_what_is_not_there),
        cmocka_unit_test(test_cancel_while_the_prompt_is_processed),
        cmocka_unit_test(test_a_paused_request_waits_and_others_go_on),
        cmocka_unit_test(test_those_that_do_not_read_give_their_slots),
        cmocka_unit_test(test_one_that_was_put_aside_waits_for_a_slot),
        cmocka_unit_test(test_it_shows_signs_of_life),
        cmocka_unit_test(test_tokenize_does_not_wait_for_a_slot),
        cmocka_unit_test(test_three_giants_end_in_turn),
        cmocka_unit_test(test_a_short_prompt_passes_a_long_one),
        cmocka_unit_test(test_stop_drops_everything),
    };
    const struct CMUnitTest random[] = {
        cmocka_unit_test(test_reuse_changes_nothing_in_the_text),
        cmocka_unit_test(test_a_conversation_goes_on_where_it_was),
        cmocka_unit_test(test_a_common_beginning_is_shared),
        cmocka_unit_test(test_a_cancelled_prompt_leaves_no_trace),
        cmocka_unit_test(test_most_of_a_piece_is_filled_with_what_was_processed),
        cmocka_unit_test(test_answers_to_one_prompt_share_its_processing),
        cmocka_unit_test(test_a_paused_prompt_keeps_no_equal_one_waiting),
        cmocka_unit_test(test_an_answer_that_is_not_cached_goes_on),
    };
    const struct CMUnitTest steady[] = {
        cmocka_unit_test(test_an_answer_that_was_put_aside_says_the_same),
    };
    return cmocka_run_group_tests(endless, start_endless, stop) +
           cmocka_run_group_tests(random, start_random, stop) +
           cmocka_run_group_tests(steady, start_steady, stop);
}
