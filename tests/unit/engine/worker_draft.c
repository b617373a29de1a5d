/* SPDX-License-Identifier: MIT */
/* A draft model: the answers are what they are without it. The draft model is a second file of
 * the same weights, which guesses all rightly, or one of other weights, which guesses nothing
 * rightly. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define CONTEXT "\"context_length\":512,\"parallel\":3"
#define SAYING "and so on, "
#define LINE "ab cd ef gh ij kl mn op qr st uv wx yz "
#define LONG_TEXT LINE LINE LINE LINE LINE LINE LINE LINE

static struct worker *plain, *drafting;

/* However long they take. */
#define FOR_EVER ",\"draft_trial\":1000000"

/* The worker of a model, with a draft model or without (NULL). */
static struct worker *load_and_judge(const char *model, const char *draft, const char *more) {
    char *options = draft ? xasprintf("\"draft\":\"%s\",%s", draft, more) : xstrdup(more);
    struct worker *w = worker_load(model, options);
    free(options);
    return w;
}

/* The same, whose guesses go on. */
static struct worker *load(const char *model, const char *draft, const char *more) {
    char *options = xasprintf("%s" FOR_EVER, more);
    struct worker *w = load_and_judge(model, draft, options);
    free(options);
    return w;
}

static char *random_model(const char *name, const char *seed) {
    return model_make(name, "random", "--seed", seed, "--type", "f32", NULL);
}

static char *endless_model(const char *name) {
    return model_make(name, "spoken", "--loop", "--context", "20000", "--text", SAYING, NULL);
}

static int start(char *model, char *draft, const char *more) {
    plain = load(model, NULL, CONTEXT);
    drafting = load(model, draft, more);
    free(model);
    free(draft);
    return 0;
}

/* Random weights find no token likely. */
static int start_twins(void **state) {
    (void)state;
    return start(random_model("draft-random", "7"), random_model("draft-twin", "7"),
                 CONTEXT ",\"draft_min_probability\":0");
}

static int start_strangers(void **state) {
    (void)state;
    char *model = random_model("draft-random", "7"), *draft = random_model("draft-other", "8");
    plain = load(model, NULL, CONTEXT);
    drafting = load_and_judge(model, draft, CONTEXT ",\"draft_min_probability\":0");
    free(model);
    free(draft);
    return 0;
}

static int start_endless(void **state) {
    (void)state;
    return start(endless_model("draft-endless"), endless_model("draft-endless-twin"), CONTEXT);
}

static int stop(void **state) {
    (void)state;
    worker_stop(plain, 0);
    worker_stop(drafting, 0);
    return 0;
}

static int ask(struct worker *w, const char *prompt, const char *more) {
    return worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"%s\",%s}", prompt, more);
}

static struct outcome *answer(struct worker *w, const char *prompt, const char *more) {
    struct outcome *o = worker_end(w, ask(w, prompt, more));
    if (o->failed) print_message("%s: %s\n", more, outcome_str(o, "text"));
    assert_false(o->failed);
    return o;
}

/* 0 if it is absent. */
static int64_t figure(const struct outcome *o, const char *name) {
    return yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(o->end), name));
}

static void expect_same(const struct outcome *a, const struct outcome *b) {
    assert_string_equal(buf_str(&a->content), buf_str(&b->content));
    assert_string_equal(outcome_str(a, "stop_reason"), outcome_str(b, "stop_reason"));
    assert_int_equal(outcome_int(a, "completion_tokens"), outcome_int(b, "completion_tokens"));
    assert_int_equal(figure(a, "drafted_tokens"), 0);
}

static const struct outcome *assert_same(const char *prompt, const char *more) {
    const struct outcome *a = answer(plain, prompt, more), *b = answer(drafting, prompt, more);
    expect_same(a, b);
    assert_string_equal(buf_str(&a->logprobs), buf_str(&b->logprobs));
    return b;
}

static const char *const prompts[] = { "Hi", "one two one two", "The cat sat. The cat sat.",
                                       "A much longer text than those before it, so that the "
                                       "draft model has to take it up in several pieces: one, "
                                       "two, three, four, five, six, seven, eight, nine, ten, "
                                       "eleven, twelve, thirteen, fourteen, fifteen, sixteen" };
enum { PROMPTS = sizeof prompts / sizeof prompts[0] };

/* ---- a draft model that guesses rightly ---- */

static void test_a_twin_guesses_nearly_all(void **state) {
    (void)state;
    int64_t drafted = 0, accepted = 0;
    for (int i = 0; i < PROMPTS; i++) {
        const struct outcome *o = assert_same(prompts[i],
                                              "\"max_tokens\":80,\"temperature\":0");
        drafted += figure(o, "drafted_tokens");
        accepted += figure(o, "accepted_tokens");
    }
    print_message("%d drafted, %d accepted\n", (int)drafted, (int)accepted);
    assert_true(accepted > PROMPTS * 80 / 2);
    assert_true(accepted * 100 >= drafted * 95);
}

static void test_answers_end_where_they_would(void **state) {
    (void)state;
    static const char *const ends[] = {
        "\"max_tokens\":1",
        "\"max_tokens\":2",
        "\"max_tokens\":3",
        "\"max_tokens\":31",
        "\"max_tokens\":32",
        "\"seed\":1",
        "\"stop\":[\"on, and so on, and so on, a\"]",
        "\"max_tokens\":40,\"logprobs\":2",
        "\"max_tokens\":700,\"overflow\":\"rolling_window\"",
        "\"max_tokens\":60,\"repeat_penalty\":1.3,\"presence_penalty\":1",
        "\"max_tokens\":60,\"cache_prompt\":false",
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char more[200];
        (void)snprintf(more, sizeof more, "\"temperature\":0,%s", ends[i]);
        const struct outcome *o = assert_same("Go", more);
        if (i > 2) assert_true(figure(o, "accepted_tokens") > 0);
    }
}

/* The sampler draws each token as it would: with a seed the answers are the same. */
static void test_sampling_is_that_of_the_model(void **state) {
    (void)state;
    for (int seed = 1; seed <= 6; seed++) {
        char more[100];
        (void)snprintf(more, sizeof more,
                       "\"temperature\":1,\"seed\":%d,\"max_tokens\":64,\"top_k\":40", seed);
        (void)assert_same(prompts[seed % PROMPTS], more);
    }
}

static void test_a_conversation_goes_on_after_guesses(void **state) {
    (void)state;
    char prompt[2000] = "Go on";
    for (int turn = 0; turn < 4; turn++) {
        const struct outcome *o = assert_same(prompt, "\"temperature\":0,\"max_tokens\":23");
        assert_true(figure(o, "accepted_tokens") > 8);
        strncat(prompt, buf_str(&o->content), sizeof prompt - strlen(prompt) - 1);
    }
}

static void test_several_answers_at_once_are_the_same(void **state) {
    (void)state;
    enum { COUNT = 7 }; /* more than slots */
    static const char more[] = "\"temperature\":0,\"max_tokens\":90";
    int ids[COUNT];
    for (int i = 0; i < COUNT; i++) ids[i] = ask(drafting, prompts[i % PROMPTS], more);
    for (int i = 0; i < COUNT; i++) {
        const struct outcome *b = worker_end(drafting, ids[i]);
        expect_same(answer(plain, prompts[i % PROMPTS], more), b);
        assert_true(figure(b, "accepted_tokens") > 30);
    }
}

static void test_a_cancelled_answer_leaves_a_slot_that_serves(void **state) {
    (void)state;
    int id = ask(drafting, "Go", "\"temperature\":0");
    worker_until_deltas(drafting, id, 20);
    worker_send(drafting, MSG_CANCEL, id, "");
    assert_false(worker_end(drafting, id)->failed);
    const struct outcome *o = assert_same("Go", "\"temperature\":0,\"max_tokens\":50");
    assert_true(figure(o, "accepted_tokens") > 20);
}

/* Its client does not read, and others have all slots, with guesses of their own. */
static void test_an_answer_with_guesses_can_be_put_aside(void **state) {
    (void)state;
    static const char more[] = "\"temperature\":0,\"max_tokens\":300";
    int id = ask(drafting, "Go", more), others[3];
    worker_until_deltas(drafting, id, 3);
    worker_send(drafting, MSG_PAUSE, id, "");
    for (int i = 0; i < 3; i++) others[i] = ask(drafting, prompts[i], more);
    for (int i = 0; i < 3; i++) assert_false(worker_end(drafting, others[i])->failed);
    assert_false(drafting->outcomes[id].ended);
    worker_send(drafting, MSG_RESUME, id, "");
    const struct outcome *o = worker_end(drafting, id);
    expect_same(answer(plain, "Go", more), o);
    assert_true(figure(o, "accepted_tokens") > 100);
}

/* The beginning that it has read for one answer it need not read for another: 300 tokens would
 * take it five of the twelve that are said. */
static void test_a_common_beginning_is_read_once(void **state) {
    (void)state;
    char begun[400], *one, *two;
    (void)snprintf(begun, sizeof begun, "%.*s", 300, LONG_TEXT);
    one = xasprintf("%s one", begun);
    two = xasprintf("%s two", begun);
    int id = ask(drafting, one, "\"temperature\":0,\"max_tokens\":150");
    worker_until_deltas(drafting, id, 30);
    worker_send(drafting, MSG_PAUSE, id, "");
    const struct outcome *o = assert_same(two, "\"temperature\":0,\"max_tokens\":12");
    assert_true(figure(o, "accepted_tokens") >= 7);
    worker_send(drafting, MSG_RESUME, id, "");
    assert_false(worker_end(drafting, id)->failed);
    free(one);
    free(two);
}

static void test_what_is_to_be_forgotten_is_read_again(void **state) {
    (void)state;
    (void)assert_same("Go", "\"temperature\":0,\"max_tokens\":50");
    worker_send(drafting, MSG_FORGET, 0, "");
    const struct outcome *o = assert_same("Go", "\"temperature\":0,\"max_tokens\":50");
    assert_true(figure(o, "accepted_tokens") > 20);
}

static void test_a_grammar_is_answered_without_guesses(void **state) {
    (void)state;
    const struct outcome *o = answer(
        drafting, "Go", "\"temperature\":0,\"max_tokens\":40,\"grammar\":\"root ::= [a-z ]+\"");
    assert_int_equal(figure(o, "drafted_tokens"), 0);
}

/* ---- one that guesses wrongly ---- */

/* Six steps, of three guesses each; the next answers try it again later and later. */
static void test_a_draft_model_that_guesses_wrongly_is_left(void **state) {
    (void)state;
    const struct outcome *o = assert_same(prompts[0], "\"max_tokens\":40,\"temperature\":0");
    assert_in_range(figure(o, "drafted_tokens"), 6, 30);
    assert_true(figure(o, "accepted_tokens") < 4);
    assert_int_equal(figure(o, "draft_pauses"), 1);
    o = assert_same(prompts[1], "\"max_tokens\":40,\"temperature\":0");
    assert_int_equal(figure(o, "drafted_tokens"), 0);
    o = assert_same(prompts[2], "\"max_tokens\":160,\"temperature\":0");
    assert_true(figure(o, "drafted_tokens") < 60);
}

/* ---- workers of their own ---- */

static void test_an_unlikely_token_is_not_guessed(void **state) {
    (void)state;
    char *model = random_model("draft-random", "7"), *twin = random_model("draft-twin", "7");
    struct worker *w = load(model, twin, CONTEXT ",\"draft_min_probability\":1");
    const struct outcome *o = answer(w, "Hi", "\"max_tokens\":60,\"temperature\":0");
    assert_int_equal(figure(o, "drafted_tokens"), 0);
    worker_stop(w, 0);
    free(model);
    free(twin);
}

/* 16 at once at most: few batches for many tokens, and both sources of guesses. */
static void test_as_many_tokens_as_wanted(void **state) {
    (void)state;
    char *model = endless_model("draft-endless"), *twin = endless_model("draft-endless-twin");
    static const char *const settings[] = { ",\"draft_tokens\":1", ",\"draft_tokens\":16",
                                            ",\"draft_tokens\":16,\"speculation\":\"lookup\"",
                                            ",\"draft_tokens\":4,\"eval_batch_size\":8" };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        char *more = xasprintf("%s%s", CONTEXT, settings[i]);
        struct worker *w = load(model, twin, more);
        const struct outcome *o = answer(w, "Go", "\"max_tokens\":120,\"temperature\":0");
        assert_string_equal(
            buf_str(&o->content),
            buf_str(&answer(plain, "Go", "\"max_tokens\":120,\"temperature\":0")->content));
        assert_true(figure(o, "accepted_tokens") >= 50);
        worker_stop(w, 0);
        free(more);
    }
    free(model);
    free(twin);
}

/* Both contexts grow, while three answers are written. */
static void test_an_answer_goes_on_while_the_contexts_grow(void **state) {
    (void)state;
    char *model = endless_model("draft-endless"), *twin = endless_model("draft-endless-twin");
    static const char more[] = "\"temperature\":0,\"max_tokens\":900";
    struct worker *w = load(model, twin,
                            "\"context_length\":4096,\"parallel\":3,\"cells\":256");
    struct worker *whole = load(model, NULL, "\"context_length\":4096,\"parallel\":3");
    int ids[3];
    for (int i = 0; i < 3; i++) ids[i] = ask(w, prompts[i], more);
    for (int i = 0; i < 3; i++) {
        const struct outcome *o = worker_end(w, ids[i]);
        expect_same(answer(whole, prompts[i], more), o);
        assert_true(figure(o, "accepted_tokens") > 500);
    }
    assert_true(w->resized >= 2);
    worker_stop(w, 0);
    worker_stop(whole, 0);
    free(model);
    free(twin);
}

static void remove_folder(const char *path) {
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] != '.') assert_int_equal(unlinkat(dirfd(dir), d->d_name, 0), 0);
    }
    closedir(dir);
    assert_int_equal(rmdir(path), 0);
}

/* What the draft model has not got it processes again. */
static void test_a_prompt_of_the_store_is_drafted_for(void **state) {
    (void)state;
    char *model = endless_model("draft-endless"), *twin = endless_model("draft-endless-twin");
    char folder[] = "/tmp/doze-draft-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *more = xasprintf(CONTEXT ",\"prompts\":{\"mode\":\"on\",\"dir\":\"%s\"}", folder);
    char prompt[1000] = "Once upon a time there was a machine that slept, and so on, ";
    struct worker *first = load(model, twin, more);
    const struct outcome *o = answer(first, prompt, "\"temperature\":0,\"max_tokens\":60");
    strncat(prompt, buf_str(&o->content), sizeof prompt - strlen(prompt) - 1);
    worker_stop(first, 0);
    struct worker *next = load(model, twin, more);
    o = answer(next, prompt, "\"temperature\":0,\"max_tokens\":60");
    assert_string_equal(outcome_str(o, "cache_source"), "disk");
    assert_true(figure(o, "accepted_tokens") > 30);
    expect_same(answer(plain, prompt, "\"temperature\":0,\"max_tokens\":60"), o);
    worker_stop(next, 0);
    remove_folder(folder);
    free(more);
    free(model);
    free(twin);
}

/* The draft model was made for shorter texts: it guesses as far as those go. */
static void test_behind_its_own_length_a_draft_model_guesses_nothing(void **state) {
    (void)state;
    char *model = endless_model("draft-endless");
    char *twin = model_make("draft-endless-short", "spoken", "--loop", "--context", "128",
                            "--text", SAYING, NULL);
    struct worker *w = load(model, twin, CONTEXT);
    const struct outcome *o = answer(w, "Go", "\"temperature\":0,\"max_tokens\":400");
    expect_same(answer(plain, "Go", "\"temperature\":0,\"max_tokens\":400"), o);
    assert_in_range(figure(o, "accepted_tokens"), 60, 128);
    worker_stop(w, 0);
    free(model);
    free(twin);
}

static void expect_refused(const char *model, const char *draft, const char *words) {
    struct worker *w = worker_start();
    char *options = xasprintf("\"draft\":\"%s\"", draft);
    worker_say_load(w, model, options);
    assert_true(w->failed);
    const char *text = yyjson_get_str(worker_fact(w, "text"));
    if (!strstr(text, words)) print_message("%s\n", text);
    assert_non_null(strstr(text, words));
    worker_stop(w, 1);
    free(options);
}

static void test_what_cannot_be_a_draft_model_is_refused(void **state) {
    (void)state;
    char *model = random_model("draft-random", "7");
    char *other = model_make("draft-gpt2", "random", "--vocab",
                             VOCABS_DIR "/ggml-vocab-gpt-2.gguf", NULL);
    char *broken = model_make("draft-broken", "broken", "--kind", "truncated", NULL);
    expect_refused(model, other, "another vocabulary");
    expect_refused(model, broken, "The draft model cannot be used: ");
    expect_refused(model, "/nowhere.gguf", "The draft model cannot be used: ");
    free(model);
    free(other);
    free(broken);
}

/* A model that can take nothing back, a draft model that cannot: both do without. */
static void test_recurrent_models_do_without(void **state) {
    (void)state;
    char *model = random_model("draft-random", "7");
    char *mamba = model_make("draft-mamba", "random", "--arch", "mamba", NULL);
    const char *pairs[][2] = { { model, mamba }, { mamba, model } };
    for (int i = 0; i < 2; i++) {
        struct worker *w = load(pairs[i][0], pairs[i][1], CONTEXT);
        const struct outcome *o = answer(w, "Hi", "\"max_tokens\":20,\"temperature\":0");
        assert_int_equal(figure(o, "drafted_tokens"), 0);
        assert_true(w->logs > 0);
        worker_stop(w, 0);
    }
    free(model);
    free(mamba);
}

/* Batches of one shape only. */
static void test_reproducible_answers_have_no_guesses(void **state) {
    (void)state;
    char *model = endless_model("draft-endless"), *twin = endless_model("draft-endless-twin");
    struct worker *w = load(model, twin, CONTEXT "," WORKER_STEADY);
    const struct outcome *o = answer(w, "Go", "\"temperature\":0,\"max_tokens\":60");
    assert_int_equal(figure(o, "drafted_tokens"), 0);
    worker_stop(w, 0);
    free(model);
    free(twin);
}

/* Its mapped weights are counted. */
static void test_memory_counts_the_draft_model(void **state) {
    (void)state;
    char *model = random_model("draft-random", "7");
    char *large = model_make("draft-large", "random", "--size", "60M", NULL);
    struct worker *w = load(model, large, CONTEXT), *alone = load(model, NULL, CONTEXT);
    int64_t both = yyjson_get_sint(worker_fact(w, "memory_bytes"));
    int64_t one = yyjson_get_sint(worker_fact(alone, "memory_bytes"));
    assert_in_range(both - one, 50 << 20, 120 << 20);
    worker_stop(w, 0);
    worker_stop(alone, 0);
    free(model);
    free(large);
}

int main(void) {
    const struct CMUnitTest twins[] = {
        cmocka_unit_test(test_a_twin_guesses_nearly_all),
        cmocka_unit_test(test_sampling_is_that_of_the_model),
    };
    const struct CMUnitTest strangers[] = {
        cmocka_unit_test(test_a_draft_model_that_guesses_wrongly_is_left),
        cmocka_unit_test(test_sampling_is_that_of_the_model),
    };
    const struct CMUnitTest endless[] = {
        cmocka_unit_test(test_answers_end_where_they_would),
        cmocka_unit_test(test_a_conversation_goes_on_after_guesses),
        cmocka_unit_test(test_several_answers_at_once_are_the_same),
        cmocka_unit_test(test_a_cancelled_answer_leaves_a_slot_that_serves),
        cmocka_unit_test(test_an_answer_with_guesses_can_be_put_aside),
        cmocka_unit_test(test_a_common_beginning_is_read_once),
        cmocka_unit_test(test_what_is_to_be_forgotten_is_read_again),
        cmocka_unit_test(test_a_grammar_is_answered_without_guesses),
        cmocka_unit_test(test_as_many_tokens_as_wanted),
        cmocka_unit_test(test_a_prompt_of_the_store_is_drafted_for),
        cmocka_unit_test(test_behind_its_own_length_a_draft_model_guesses_nothing),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_an_unlikely_token_is_not_guessed),
        cmocka_unit_test(test_an_answer_goes_on_while_the_contexts_grow),
        cmocka_unit_test(test_what_cannot_be_a_draft_model_is_refused),
        cmocka_unit_test(test_recurrent_models_do_without),
        cmocka_unit_test(test_reproducible_answers_have_no_guesses),
        cmocka_unit_test(test_memory_counts_the_draft_model),
    };
    int failed = cmocka_run_group_tests(twins, start_twins, stop);
    failed += cmocka_run_group_tests(strangers, start_strangers, stop);
    failed += cmocka_run_group_tests(endless, start_endless, stop);
    return failed + cmocka_run_group_tests(others, NULL, NULL);
}
