/* SPDX-License-Identifier: MIT */
/* Loading: facts, broken files, and every way a worker ends. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

static int64_t number(const struct worker *w, const char *name) {
    return yyjson_get_sint(worker_fact(w, name));
}

static void test_the_facts(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(
        path, "\"context_length\":1000,\"parallel\":2,\"eval_batch_size\":64");
    assert_string_equal(yyjson_get_str(worker_fact(w, "architecture")), "llama");
    assert_string_equal(yyjson_get_str(worker_fact(w, "quantization")), "F16");
    assert_string_equal(yyjson_get_str(worker_fact(w, "type")), "llm");
    assert_int_equal(number(w, "context_length"), 1000);
    assert_int_equal(number(w, "parallel"), 2);
    assert_int_equal(number(w, "eval_batch_size"), 64);
    assert_int_equal(number(w, "threads"), 1);
    assert_true(number(w, "max_context_length") >= 1000);
    assert_true(number(w, "parameters") > 1000);
    assert_true(number(w, "memory_bytes") > 100000);
    assert_true(w->progress > 0);
    assert_int_equal(w->permille, 1000);
    worker_stop(w, 0);
    free(path);
}

static void test_the_context_is_never_longer_than_trained(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(path, "\"context_length\":10000000,\"parallel\":1");
    assert_int_equal(number(w, "context_length"), number(w, "max_context_length"));
    worker_stop(w, 0);
    free(path);
}

static void test_every_way_to_hold_a_model(void **state) {
    (void)state;
    static const char *const options[] = {
        "\"mmap\":false",
        "\"repack\":\"first\"",
        "\"flash_attention\":false",
        "\"flash_attention\":true,\"kv_type_k\":\"q8_0\",\"kv_type_v\":\"q8_0\"",
        "\"rope_frequency_base\":20000,\"rope_frequency_scale\":0.5",
        "\"gpu_layers\":0,\"threads\":2",
        "\"eval_batch_size\":1,\"parallel\":7",
    };
    char *path = model_make("random", "random", "--seed", "7", NULL);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct worker *w = worker_load(path, options[i]);
        struct outcome *o = worker_run(
            w, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":2}");
        assert_false(o->failed);
        worker_stop(w, 0);
    }
    free(path);
}

static void check_failure(const char *path, const char *options, const char *code) {
    struct worker *w = worker_start();
    worker_say_load(w, path, options);
    assert_true(w->failed);
    assert_string_equal(yyjson_get_str(worker_fact(w, "code")), code);
    assert_true(strlen(yyjson_get_str(worker_fact(w, "text"))) > 20);
    worker_stop(w, 1);
}

static void test_files_that_cannot_be_loaded(void **state) {
    (void)state;
    check_failure("/nowhere/model.gguf", "", "model_load_failed");
    static const char *const kinds[] = { "truncated",   "magic",    "version", "huge-counts",
                                         "huge-string", "bad-type", "empty" };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "broken-%s", kinds[i]);
        char *path = model_make(name, "broken", "--kind", kinds[i], NULL);
        check_failure(path, "", "model_load_failed");
        free(path);
    }
}

static void test_a_vocabulary_alone_is_no_model(void **state) {
    (void)state;
    check_failure(VOCABS_DIR "/ggml-vocab-llama-bpe.gguf", "", "model_load_failed");
}

static void test_settings_that_cannot_be(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    check_failure(path, "\"kv_type_k\":\"q3\"", "invalid_request_error");
    check_failure(path, "\"flash_attention\":\"maybe\"", "invalid_request_error");
    check_failure(path, "\"parallel\":1000", "invalid_request_error");
    free(path);
}

static void test_stop_before_load(void **state) {
    (void)state;
    worker_stop(worker_start(), 0);
}

/* A model of some hundred megabytes: STOP arrives while it is being read. */
static void test_stop_while_it_loads(void **state) {
    (void)state;
    char *path = model_make("large", "random", "--size", "300M", "--seed", "1", NULL);
    struct worker *w = worker_start();
    char load[1024];
    snprintf(load, sizeof load, "{\"path\":\"%s\",\"mmap\":false}", path);
    worker_send(w, MSG_LOAD, 0, load);
    while (w->progress == 0) assert_true(worker_pump(w));
    worker_send(w, MSG_STOP, 0, "");
    while (worker_pump(w)) continue;
    assert_null(w->facts);
    worker_stop(w, 0);

    w = worker_start(); /* and when both come at once */
    worker_send(w, MSG_LOAD, 0, load);
    worker_send(w, MSG_STOP, 0, "");
    while (worker_pump(w)) continue;
    assert_null(w->facts);
    worker_stop(w, 0);
    free(path);
}

static void hang_up(struct worker *w) {
    assert_int_equal(shutdown(w->fd, SHUT_WR), 0);
    worker_stop((w->gone = true, w), 0);
}

static void test_the_daemons_end_is_the_workers(void **state) {
    (void)state;
    hang_up(worker_start());
    char *path = model_make("random", "random", "--seed", "7", NULL);
    hang_up(worker_load(path, ""));
    free(path);
    path = model_make("endless", "spoken", "--loop", "--context", "20000", "--text",
                      "and so on ", NULL);
    struct worker *w = worker_load(path, "");
    free(path);
    int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Go\"}");
    worker_until_deltas(w, id, 2);
    hang_up(w); /* while it writes */
}

static void test_ctrl_c_is_the_daemons_business(void **state) {
    (void)state;
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(path, "");
    free(path);
    assert_int_equal(kill(w->pid, SIGINT), 0);
    assert_false(worker_run(w, "{\"op\":\"tokenize\",\"text\":\"a\"}")->failed);
    worker_stop(w, 0);
}

static void test_a_damaged_frame_ends_it(void **state) {
    (void)state;
    struct worker *w = worker_start();
    static const char bytes[FRAME_HEADER_SIZE] = "\xff\xff\xff\xff";
    assert_int_equal(send(w->fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
    worker_stop((w->gone = true, w), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_facts),
        cmocka_unit_test(test_the_context_is_never_longer_than_trained),
        cmocka_unit_test(test_every_way_to_hold_a_model),
        cmocka_unit_test(test_files_that_cannot_be_loaded),
        cmocka_unit_test(test_a_vocabulary_alone_is_no_model),
        cmocka_unit_test(test_settings_that_cannot_be),
        cmocka_unit_test(test_stop_before_load),
        cmocka_unit_test(test_stop_while_it_loads),
        cmocka_unit_test(test_the_daemons_end_is_the_workers),
        cmocka_unit_test(test_ctrl_c_is_the_daemons_business),
        cmocka_unit_test(test_a_damaged_frame_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
