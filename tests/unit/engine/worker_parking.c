/* SPDX-License-Identifier: MIT */
/* A worker that gives all but the model back, and is loaded again without reading it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define STORY                                                                                  \
    "Once upon a time there was a small machine that slept most of the day and woke when "     \
    "somebody came by and asked it something. It did not mind, for it had nothing else to do."

#define ASK                                                                                    \
    "{\"op\":\"completion\",\"prompt\":\"" STORY "\",\"max_tokens\":16,\"temperature\":0}"

static char *random_model(void) {
    return model_make("random", "random", "--seed", "7", NULL);
}

/* The answer's text; the caller frees it. cached: tokens of the prompt, at least. */
static char *answer(struct worker *w, int64_t cached) {
    const struct outcome *o = worker_run(w, ASK);
    assert_false(o->failed);
    assert_true(outcome_int(o, "cached_tokens") >= cached);
    return xstrdup(buf_str(&o->content));
}

static void expect_same(struct worker *w, const char *text, int64_t cached) {
    char *again = answer(w, cached);
    assert_string_equal(again, text);
    free(again);
}

static void test_parked_and_loaded_again_it_says_the_same(void **state) {
    char *model = random_model();
    struct worker *w = worker_load(model, WORKER_STEADY);
    (void)state;
    char *text = answer(w, 0);
    for (int i = 0; i < 3; i++) {
        worker_park(w);
        worker_say_load(w, model, WORKER_STEADY);
        assert_false(w->failed);
        assert_true(yyjson_get_num(worker_fact(w, "load_seconds")) >= 0);
        expect_same(w, text, 0);
    }
    worker_stop(w, 0);
    free(text);
    free(model);
}

static void test_its_prompts_are_in_the_store(void **state) {
    char folder[] = "/tmp/doze-parking-test-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    char *options = xasprintf(WORKER_STEADY ",\"prompts\":{\"mode\":\"on\",\"dir\":\"%s\"}",
                              folder);
    char *model = random_model();
    struct worker *w = worker_load(model, options);
    char *text = answer(w, 0);
    for (int i = 0; i < 2; i++) {
        worker_park(w);
        worker_say_load(w, model, options);
        expect_same(w, text, 32);
        assert_true(yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(w->store), "hits")) <=
                    1);
    }
    worker_send(w, MSG_FORGET, 0, ""); /* deletes the files */
    worker_stop(w, 0);
    assert_int_equal(rmdir(folder), 0);
    free(options);
    free(text);
    free(model);
}

/* Chats are prepared by processes that were begun before. */
static void test_chats_are_prepared_as_before(void **state) {
    static const char chat[] = "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\","
                               "\"content\":\"Hi\"}],\"max_tokens\":8,\"temperature\":0,"
                               "\"response_format\":{\"type\":\"json_object\"}}";
    char *model = random_model();
    struct worker *w = worker_load(model, WORKER_STEADY);
    (void)state;
    char *text = xstrdup(buf_str(&worker_run(w, "%s", chat)->content));
    worker_park(w);
    worker_say_load(w, model, WORKER_STEADY);
    const struct outcome *o = worker_run(w, "%s", chat);
    assert_false(o->failed);
    assert_string_equal(buf_str(&o->content), text);
    worker_stop(w, 0);
    free(text);
    free(model);
}

static void test_vectors_are_the_same(void **state) {
    static const char embed[] = "{\"op\":\"embedding\",\"input\":[\"a small machine\"]}";
    char *model = model_make("embedding", "embedding", NULL);
    struct worker *w = worker_load(model, "");
    (void)state;
    const struct outcome *before = worker_run(w, "%s", embed);
    worker_park(w);
    worker_say_load(w, model, "");
    const struct outcome *after = worker_run(w, "%s", embed);
    assert_int_equal(after->vector_count, 1);
    assert_memory_equal(after->vectors[0], before->vectors[0],
                        before->vector_len * sizeof(float));
    worker_stop(w, 0);
    free(model);
}

static uint64_t own_memory(const struct worker *w) {
    char path[64], line[256];
    unsigned long long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/status", w->pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "RssAnon: %llu", &kilobytes) == 1) break;
    }
    fclose(file);
    return (uint64_t)kilobytes * 1024;
}

/* A sanitizer keeps what is freed for a while. */
static void test_the_context_is_given_back(void **state) {
    char *model = random_model();
    struct worker *w = worker_load(model, "\"context_length\":2048,\"parallel\":8,"
                                          "\"kv_type_k\":\"f32\",\"kv_type_v\":\"f32\"");
    (void)state;
    free(answer(w, 0));
    uint64_t before = own_memory(w);
    worker_park(w);
#ifndef __SANITIZE_ADDRESS__
    assert_true(own_memory(w) < before);
#else
    (void)before;
#endif
    worker_stop(w, 0);
    free(model);
}

/* With work it does as for STOP. */
static void test_with_an_answer_running_it_ends(void **state) {
    char *model = model_make("endless", "spoken", "--loop", "--context", "20000", "--text",
                             "and so on ", NULL);
    struct worker *w = worker_load(model, "");
    (void)state;
    int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, id, 2);
    worker_send(w, MSG_PARK, 0, "");
    while (worker_pump(w)) continue;
    assert_int_equal(w->parked, 0);
    worker_stop((w->gone = true, w), 0);
    free(model);
}

static void test_parked_it_ends_when_told_and_with_the_daemon(void **state) {
    char *model = random_model();
    struct worker *told = worker_load(model, ""), *left = worker_load(model, "");
    (void)state;
    worker_park(told);
    worker_stop(told, 0);
    worker_park(left);
    assert_int_equal(shutdown(left->fd, SHUT_WR), 0);
    worker_stop((left->gone = true, left), 0);
    free(model);
}

static void test_what_is_no_load_fails_and_ends_it(void **state) {
    char *model = random_model();
    struct worker *w = worker_load(model, "");
    (void)state;
    worker_park(w);
    worker_send(w, MSG_LOAD, 0, "{\"path\":1}");
    while (!w->facts) assert_true(worker_pump(w));
    assert_true(w->failed);
    worker_stop(w, 1);
    free(model);
}

/* Repacked weights are kept, and so is what they would be made from. */
static void test_repacked_weights_stay_so(void **state) {
    static const char options[] = "\"cells\":512,\"repack\":\"background\"";
    static const char ask[] = "{\"op\":\"completion\",\"prompt\":\"Go\",\"max_tokens\":20}";
    char *model = model_make("endless-q4_0", "spoken", "--loop", "--context", "20000", "--type",
                             "q4_0", "--layers", "3", "--embd", "256", "--heads", "4", "--ff",
                             "512", "--text", "and so on ", NULL);
    struct worker *w = worker_load(model, options);
    (void)state;
    worker_park(w); /* before it has begun */
    worker_say_load(w, model, options);
    assert_false(worker_run(w, "%s", ask)->failed);
    while (!w->repack_ended) assert_true(worker_pump(w));
    assert_true(w->repacked);
    worker_park(w);
    worker_say_load(w, model, options);
    const struct outcome *o = worker_run(w, "%s", ask);
    assert_non_null(strstr(buf_str(&o->content), "and so on"));
    worker_stop(w, 0);
    free(model);
}

int main(void) {
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parked_and_loaded_again_it_says_the_same),
        cmocka_unit_test(test_its_prompts_are_in_the_store),
        cmocka_unit_test(test_chats_are_prepared_as_before),
        cmocka_unit_test(test_vectors_are_the_same),
        cmocka_unit_test(test_the_context_is_given_back),
        cmocka_unit_test(test_with_an_answer_running_it_ends),
        cmocka_unit_test(test_parked_it_ends_when_told_and_with_the_daemon),
        cmocka_unit_test(test_what_is_no_load_fails_and_ends_it),
        cmocka_unit_test(test_repacked_weights_stay_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
