/* SPDX-License-Identifier: MIT */
/* Samplers that few ask for. With a model of random weights, whose candidates are close to one
 * another, each is set so that only one token is left: then no seed matters, and the text tells
 * which token it was. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

static struct worker *any;

static int start(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    any = worker_load(path, "\"context_length\":512");
    free(path);
    return 0;
}

static int stop(void **state) {
    (void)state;
    worker_stop(any, 0);
    return 0;
}

/* The same prompt with other settings; the text of answer number `id` is theirs. */
static int ask(const char *settings, int seed) {
    int id = worker_ask(any,
                        "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":12,"
                        "\"cache_prompt\":false,\"seed\":%d,%s}",
                        seed, settings);
    const struct outcome *o = worker_end(any, id);
    assert_false(o->failed);
    return id;
}

static const char *text(int id) {
    return buf_str(&any->outcomes[id].content);
}

/* Of two candidates above the threshold the likelier one is excluded, always. */
static void test_xtc_excludes_the_top_choice(void **state) {
    (void)state;
    const char *cut = "\"temperature\":1,\"top_k\":2,\"top_p\":1,\"min_p\":0,"
                      "\"xtc_threshold\":0.01,\"xtc_probability\":1";
    const char *never = "\"temperature\":1,\"top_k\":1,\"xtc_threshold\":0.01,"
                        "\"xtc_probability\":0";
    int likeliest = ask("\"temperature\":0", 1);
    int one = ask(cut, 1), two = ask(cut, 2);
    assert_string_equal(text(one), text(two));
    assert_string_not_equal(text(one), text(likeliest));
    assert_string_equal(text(ask(never, 3)), text(likeliest));
}

/* No candidate is above a threshold of 1. */
static void test_xtc_leaves_what_is_below_its_threshold(void **state) {
    (void)state;
    int plain = ask("\"temperature\":1", 4);
    int spared = ask("\"temperature\":1,\"xtc_threshold\":1,\"xtc_probability\":1", 4);
    assert_string_equal(text(spared), text(plain));
}

/* A share of next to nothing keeps the one token whose surprise is the most usual. */
static void test_typical_keeps_the_usual(void **state) {
    (void)state;
    const char *narrow = "\"temperature\":1,\"top_k\":0,\"top_p\":1,\"min_p\":0,"
                         "\"typical_p\":0.000001";
    const char *wide = "\"temperature\":1,\"top_k\":0,\"top_p\":1,\"min_p\":0,\"typical_p\":1";
    int one = ask(narrow, 1), two = ask(narrow, 2);
    assert_string_equal(text(one), text(two));
    assert_string_not_equal(text(ask(wide, 1)), text(ask(wide, 2)));
}

/* Aiming at no surprise leaves the likeliest token only. */
static void test_mirostat_aims_at_a_surprise(void **state) {
    (void)state;
    int likeliest = ask("\"temperature\":0", 1);
    const char *calm = "\"temperature\":1,\"mirostat\":2,\"mirostat_tau\":0,"
                       "\"mirostat_eta\":0.1";
    assert_string_equal(text(ask(calm, 1)), text(likeliest));
    assert_string_equal(text(ask(calm, 2)), text(likeliest));
    const char *calm_one = "\"temperature\":1,\"mirostat\":1,\"mirostat_tau\":0,"
                           "\"mirostat_eta\":0.1";
    assert_string_equal(text(ask(calm_one, 1)), text(likeliest));
    const char *lively = "\"temperature\":1,\"mirostat\":2,\"mirostat_tau\":10";
    assert_string_not_equal(text(ask(lively, 1)), text(ask(lively, 2)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xtc_excludes_the_top_choice),
        cmocka_unit_test(test_xtc_leaves_what_is_below_its_threshold),
        cmocka_unit_test(test_typical_keeps_the_usual),
        cmocka_unit_test(test_mirostat_aims_at_a_surprise),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
