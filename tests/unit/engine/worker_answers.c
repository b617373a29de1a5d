/* SPDX-License-Identifier: MIT */
/* Completions, embeddings, tokenizing: one request at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

static struct worker *spoken, *any;

static int start(void **state) {
    (void)state;
    char *path = model_make("spoken-answers", "spoken", "--text",
                            "Gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80 one two three four.",
                            NULL);
    spoken = worker_load(path, "\"context_length\":512");
    free(path);
    path = model_make("random", "random", "--seed", "7", NULL);
    any = worker_load(path, "\"context_length\":512");
    free(path);
    return 0;
}

static int stop(void **state) {
    (void)state;
    worker_stop(spoken, 0);
    worker_stop(any, 0);
    return 0;
}

#define SPEECH "Gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80 one two three four."

static void test_a_completion_says_its_text(void **state) {
    (void)state;
    struct outcome *o = worker_run(spoken, "{\"op\":\"completion\",\"prompt\":\"Hi\"}");
    assert_true(o->started && !o->failed);
    assert_string_equal(buf_str(&o->content), SPEECH);
    assert_string_equal(outcome_str(o, "stop_reason"), "eosFound");
    assert_true(outcome_int(o, "prompt_tokens") > 0);
    assert_true(outcome_int(o, "completion_tokens") > 3);
    assert_true(o->deltas > 3); /* it streams */
    assert_true(o->prompts > 0);
    assert_true(outcome_real(o, "time_to_first_token") > 0);
    assert_true(outcome_real(o, "prompt_seconds") > 0);
}

static void test_max_tokens(void **state) {
    (void)state;
    struct outcome *o = worker_run(
        any, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":3}");
    assert_int_equal(outcome_int(o, "completion_tokens"), 3);
    assert_string_equal(outcome_str(o, "stop_reason"), "maxPredictedTokensReached");
    o = worker_run(any, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":0}");
    assert_int_equal(outcome_int(o, "completion_tokens"), 0);
    assert_int_equal(o->deltas, 0);
    assert_string_equal(outcome_str(o, "stop_reason"), "maxPredictedTokensReached");
}

static void test_the_context_ends_an_answer(void **state) {
    (void)state;
    struct outcome *o = worker_run(
        any, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":100000,"
             "\"temperature\":0,\"logit_bias\":{\"256\":-1000,\"257\":-1000,\"258\":-1000,"
             "\"259\":-1000}}");
    if (strcmp(outcome_str(o, "stop_reason"), "eosFound") == 0) fail_msg("met an end token");
    assert_string_equal(outcome_str(o, "stop_reason"), "contextLengthReached");
    assert_int_equal(outcome_int(o, "prompt_tokens") + outcome_int(o, "completion_tokens"),
                     512);
}

static void test_a_prompt_longer_than_the_context(void **state) {
    (void)state;
    char text[2001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct outcome *o = worker_run(any, "{\"op\":\"completion\",\"prompt\":\"%s\"}", text);
    assert_true(o->failed);
    assert_string_equal(outcome_str(o, "code"), "context_length_exceeded");
    assert_non_null(strstr(outcome_str(o, "text"), "2000"));
    assert_non_null(strstr(outcome_str(o, "text"), "512"));
}

static void test_stop_strings_never_show(void **state) {
    (void)state;
    struct outcome *o = worker_run(
        spoken, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"stop\":[\"xyz\",\"e two th\"]}");
    assert_string_equal(buf_str(&o->content), "Gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80 on");
    assert_string_equal(outcome_str(o, "stop_reason"), "stopStringFound");
    assert_string_equal(outcome_str(o, "stop_string"), "e two th");
}

static void test_a_begun_stop_string_comes_out_at_the_end(void **state) {
    (void)state;
    struct outcome *o = worker_run(
        spoken, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"stop\":[\"four.and\"]}");
    assert_string_equal(buf_str(&o->content), SPEECH);
    assert_string_equal(outcome_str(o, "stop_reason"), "eosFound");
}

static void test_logprobs_cover_the_text(void **state) {
    (void)state;
    struct outcome *o = worker_run(
        any, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":5,\"logprobs\":2,"
             "\"seed\":1}");
    int bars = 0;
    struct buf joined = BUF_INIT(4096);
    for (const char *c = buf_str(&o->logprobs); *c; c++) {
        if (*c == '|') bars++;
        if (*c != '|') assert_true(buf_add(&joined, c, 1));
    }
    assert_int_equal(bars, 5);
    assert_string_equal(buf_str(&joined), buf_str(&o->content));
    buf_clear(&joined);
}

/* 0: the chosen token only. */
static void test_logprobs_without_alternatives(void **state) {
    (void)state;
    struct outcome *o = worker_run(any, "{\"op\":\"completion\",\"prompt\":\"Hi\","
                                        "\"max_tokens\":2,\"logprobs\":0,\"seed\":1}");
    assert_false(o->failed);
    assert_true(o->logprobs.len > 2);
}

static void test_echo_gives_the_prompt_first(void **state) {
    (void)state;
    struct outcome *o = worker_run(
        spoken,
        "{\"op\":\"completion\",\"prompt\":\"Say it: \",\"echo\":true,\"max_tokens\":0}");
    assert_string_equal(buf_str(&o->content), "Say it: ");
    o = worker_run(
        spoken, "{\"op\":\"completion\",\"prompt\":[72,105],\"echo\":true,\"max_tokens\":0}");
    assert_string_equal(buf_str(&o->content), "Hi");
}

static void test_a_seed_repeats_and_another_differs(void **state) {
    (void)state;
    const char *ask = "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":24,\"seed\":%d,"
                      "\"temperature\":1.5,\"top_k\":0,\"top_p\":1,\"min_p\":0,"
                      "\"cache_prompt\":false}";
    int one = worker_ask(any, ask, 1);
    (void)worker_end(any, one);
    int again = worker_ask(any, ask, 1);
    (void)worker_end(any, again);
    int other = worker_ask(any, ask, 2);
    (void)worker_end(any, other);
    const char *text = buf_str(&any->outcomes[one].content);
    assert_string_equal(buf_str(&any->outcomes[again].content), text);
    assert_string_not_equal(buf_str(&any->outcomes[other].content), text);
}

static void test_a_bias_forbids_and_forces(void **state) {
    (void)state;
    struct outcome *o = worker_run(any, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_"
                                        "tokens\":3,\"logit_bias\":{\"65\":1000}}");
    assert_string_equal(buf_str(&o->content), "AAA");
}

static void test_an_empty_prompt(void **state) {
    (void)state;
    struct outcome *o = worker_run(any,
                                   "{\"op\":\"completion\",\"prompt\":\"\",\"max_tokens\":1}");
    assert_false(o->failed);
    assert_int_equal(outcome_int(o, "prompt_tokens"), 1);
}

static void test_a_suffix_needs_a_model_for_it(void **state) {
    (void)state;
    struct outcome *o = worker_run(any,
                                   "{\"op\":\"completion\",\"prompt\":\"a\",\"suffix\":\"b\"}");
    assert_true(o->failed);
    assert_string_equal(outcome_str(o, "code"), "not_supported");
    assert_string_equal(outcome_str(o, "param"), "suffix");
}

static void test_tokenize_gives_numbers_and_pieces(void **state) {
    (void)state;
    struct outcome *o = worker_run(any,
                                   "{\"op\":\"tokenize\",\"text\":\"Hi\",\"pieces\":true}");
    yyjson_val *result = yyjson_obj_get(yyjson_doc_get_root(o->end), "result");
    yyjson_val *tokens = yyjson_obj_get(result, "tokens"),
               *pieces = yyjson_obj_get(result, "pieces");
    assert_int_equal(yyjson_arr_size(tokens), 2);
    assert_int_equal(yyjson_get_int(yyjson_arr_get(tokens, 0)), 'H');
    assert_string_equal(yyjson_get_str(yyjson_arr_get(pieces, 1)), "i");
    assert_false(o->started);
}

/* The daemon would kill the worker, and with it everybody's answers: it reads no tree of that
 * many numbers (json.h). */
static void test_tokens_that_the_daemon_cannot_read_are_refused(void **state) {
    enum { MOST = 4 << 20 };
    struct error err;
    char *text = xcalloc(MOST + 1, 1);
    (void)state;
    for (size_t len = MOST / 8; len <= MOST; len *= 2) {
        memset(text, 'a', len);
        struct outcome *o = worker_run(any, "{\"op\":\"tokenize\",\"text\":\"%s\"}", text);
        struct buf json = BUF_INIT(FRAME_MAX_TO_DAEMON);
        assert_true(json_write_val(yyjson_doc_get_root(o->end), &json));
        yyjson_doc *doc = json_parse_object(buf_str(&json), json.len, &err);
        assert_non_null(doc);
        if (len == MOST / 8) assert_false(o->failed);
        if (len == MOST) assert_string_equal(outcome_str(o, "code"), "request_too_large");
        yyjson_doc_free(doc);
        buf_clear(&json);
    }
    free(text);
}

static double dot(const struct outcome *o, int a, int b) {
    double sum = 0;
    for (size_t i = 0; i < o->vector_len; i++) {
        sum += (double)o->vectors[a][i] * (double)o->vectors[b][i];
    }
    return sum;
}

/* A real byte-pair tokenizer and an answer of random tokens: many are parts of characters
 * (outcome.c refuses broken ones). The model knows fill-in-the-middle too. */
static void test_a_real_vocabulary(void **state) {
    (void)state;
    char *path = model_make("random-starcoder", "random", "--seed", "3", "--arch", "qwen2",
                            "--layers", "1", "--embd", "64", "--heads", "2", "--kv-heads", "2",
                            "--ff", "64", "--vocab", VOCABS_DIR "/ggml-vocab-starcoder.gguf",
                            NULL);
    struct worker *w = worker_load(path, "\"context_length\":1024,\"parallel\":2");
    free(path);
    for (int seed = 0; seed < 4; seed++) {
        struct outcome *o = worker_run(
            w,
            "{\"op\":\"completion\",\"prompt\":\"Gr\xc3\xbc\xc3\x9f\",\"max_tokens\":200,"
            "\"seed\":%d,\"temperature\":5,\"top_k\":0,\"top_p\":1,\"min_p\":0,"
            "\"logprobs\":3}",
            seed);
        assert_false(o->failed);
        assert_true(o->content.len > 100);
    }
    struct outcome *o = worker_run(w, "{\"op\":\"completion\",\"prompt\":\"int main(\","
                                      "\"suffix\":\"return 0;\",\"max_tokens\":3}");
    assert_false(o->failed);
    int64_t infill = outcome_int(o, "prompt_tokens");
    o = worker_run(w, "{\"op\":\"tokenize\",\"text\":\"int main(return 0;\"}");
    yyjson_val *result = yyjson_obj_get(yyjson_doc_get_root(o->end), "result");
    assert_true(infill >= 3 + (int64_t)yyjson_arr_size(yyjson_obj_get(result, "tokens")));
    worker_stop(w, 0);
}

static void check_vectors(struct worker *w) {
    struct outcome *o = worker_run(
        w, "{\"op\":\"embedding\",\"input\":[\"the cat\",\"a dog runs\","
           "\"the cat\",[5,6,7],\"x\",\"the cat\"]}");
    assert_false(o->failed);
    assert_int_equal(o->vector_count, 6);
    assert_int_equal(o->vector_len, 128); /* make-model's, of either kind */
    for (int i = 0; i < 6; i++) assert_true(fabs(dot(o, i, i) - 1) < 1e-3);
    assert_true(dot(o, 0, 2) > 0.999);
    assert_true(dot(o, 0, 5) > 0.999);
    assert_true(dot(o, 0, 1) < 0.999);
    assert_true(outcome_int(o, "prompt_tokens") > 6);
}

static void test_embeddings_of_a_language_model(void **state) {
    (void)state;
    check_vectors(any);
    struct outcome *o = worker_run(
        any, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":2}");
    assert_false(o->failed); /* and it still writes */
}

/* With "truncate" a text that is too long is worth its first tokens and the last mark. */
static void check_cut(struct worker *w, const char *text) {
    struct outcome *o = worker_run(
        w, "{\"op\":\"embedding\",\"truncate\":true,\"input\":[\"%s\",\"%s and more\",\"a\"]}",
        text, text);
    assert_false(o->failed);
    assert_int_equal(o->vector_count, 3);
    assert_true(dot(o, 0, 1) > 0.999);
    assert_true(dot(o, 0, 2) < 0.999);
    int64_t length = yyjson_get_sint(worker_fact(w, "context_length"));
    int64_t tokens = outcome_int(o, "prompt_tokens");
    assert_true(tokens > 2 * length && tokens < 2 * length + 10);
}

static void test_embeddings_of_an_embedding_model(void **state) {
    (void)state;
    char *path = model_make("embedding", "embedding", NULL);
    struct worker *w = worker_load(path, "");
    free(path);
    assert_string_equal(yyjson_get_str(worker_fact(w, "type")), "embeddings");
    check_vectors(w);
    struct outcome *o = worker_run(w, "{\"op\":\"completion\",\"prompt\":\"Hi\"}");
    assert_string_equal(outcome_str(o, "code"), "not_supported");
    /* Two at once take turns; the one that is paused keeps nobody waiting. */
    int first = worker_ask(w, "{\"op\":\"embedding\",\"input\":[\"a\",\"b\",\"c\",\"d\",\"e\","
                              "\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\"]}");
    worker_send(w, MSG_PAUSE, first, "");
    (void)worker_run(w, "{\"op\":\"embedding\",\"input\":[\"a\",\"b\"]}");
    worker_send(w, MSG_RESUME, first, "");
    assert_int_equal(worker_end(w, first)->vector_count, 12);
    char text[3001];
    for (size_t i = 0; i < sizeof text - 1; i++) text[i] = i % 2 ? 'x' : ' ';
    text[sizeof text - 1] = '\0';
    o = worker_run(w, "{\"op\":\"embedding\",\"input\":[\"a\",\"%s\"]}", text);
    assert_string_equal(outcome_str(o, "code"), "context_length_exceeded");
    check_cut(w, text);
    worker_stop(w, 0);
}

/* The score of a document is the same whatever stands beside it, and where. */
static void test_a_reranker_scores_documents(void **state) {
    (void)state;
    char *path = model_make("reranker", "embedding", "--pooling", "rank", NULL);
    struct worker *w = worker_load(path, "");
    free(path);
    struct outcome *o = worker_run(w, "{\"op\":\"rerank\",\"query\":\"the cat\",\"documents\":["
                                      "\"a dog runs\",\"cats purr\",\"\",\"a dog runs\"]}");
    assert_false(o->failed);
    assert_int_equal(o->vector_count, 4);
    assert_int_equal(o->vector_len, 1);
    for (int i = 0; i < 4; i++) assert_true(o->vectors[i][0] > 0 && o->vectors[i][0] < 1);
    assert_true(fabsf(o->vectors[0][0] - o->vectors[3][0]) < 1e-4f);
    assert_true(fabsf(o->vectors[0][0] - o->vectors[1][0]) > 1e-4f);
    struct outcome *other = worker_run(w, "{\"op\":\"rerank\",\"query\":\"fish\","
                                          "\"documents\":[\"a dog runs\"]}");
    assert_true(fabsf(o->vectors[0][0] - other->vectors[0][0]) > 1e-4f); /* the query counts */
    o = worker_run(w, "{\"op\":\"embedding\",\"input\":[\"a\"]}");
    assert_string_equal(outcome_str(o, "code"), "not_supported");
    worker_stop(w, 0);
    o = worker_run(any, "{\"op\":\"rerank\",\"query\":\"a\",\"documents\":[\"b\"]}");
    assert_string_equal(outcome_str(o, "code"), "not_supported");
}

/* A long document counts with its beginning; a long query leaves no room for any. */
static void test_a_reranker_cuts_documents_that_are_too_long(void **state) {
    (void)state;
    char *path = model_make("reranker", "embedding", "--pooling", "rank", NULL);
    struct worker *w = worker_load(path, "");
    free(path);
    char text[3001];
    for (size_t i = 0; i < sizeof text - 1; i++) text[i] = i % 2 ? 'x' : ' ';
    text[sizeof text - 1] = '\0';
    struct outcome *o = worker_run(w,
                                   "{\"op\":\"rerank\",\"query\":\"x x\",\"documents\":["
                                   "\"%s\",\"%s and more\"]}",
                                   text, text);
    assert_false(o->failed);
    assert_int_equal(o->vector_count, 2);
    assert_true(outcome_int(o, "prompt_tokens") <= 2 * 512);
    assert_true(outcome_int(o, "prompt_tokens") > 2 * 500);
    assert_true(fabsf(o->vectors[0][0] - o->vectors[1][0]) < 1e-4f);
    o = worker_run(w, "{\"op\":\"rerank\",\"query\":\"%s\",\"documents\":[\"a\"]}", text);
    assert_string_equal(outcome_str(o, "code"), "context_length_exceeded");
    worker_stop(w, 0);
}

static void test_nonsense_is_refused_and_the_worker_lives(void **state) {
    (void)state;
    assert_true(worker_run(any, "{\"op\":")->failed);
    assert_true(worker_run(any, "[]")->failed);
    assert_true(worker_run(any, "{\"op\":\"nothing\"}")->failed);
    assert_true(worker_run(any, "{\"op\":\"completion\",\"prompt\":[-5]}")->failed);
    assert_false(worker_run(any, "{\"op\":\"tokenize\",\"text\":\"\"}")->failed);
}

/* The library aborts where the sequences of an encoder do not share its batch evenly. */
static void test_embeddings_with_any_context_and_parallel(void **state) {
    static const int cases[][2] = {
        { 101, 4 }, { 512, 17 }, { 512, 44 }, { 70, 64 }, { 33, 2 }
    };
    char *path = model_make("embedding", "embedding", NULL);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char load[80];
        snprintf(load, sizeof load, "\"context_length\":%d,\"parallel\":%d", cases[i][0],
                 cases[i][1]);
        struct worker *w = worker_load(path, load);
        struct outcome *o = worker_run(w,
                                       "{\"op\":\"embedding\",\"input\":[\"a\",\"b\",\"c\"]}");
        assert_false(o->failed);
        assert_int_equal(o->vector_count, 3);
        worker_stop(w, 0);
    }
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_completion_says_its_text),
        cmocka_unit_test(test_max_tokens),
        cmocka_unit_test(test_the_context_ends_an_answer),
        cmocka_unit_test(test_a_prompt_longer_than_the_context),
        cmocka_unit_test(test_stop_strings_never_show),
        cmocka_unit_test(test_a_begun_stop_string_comes_out_at_the_end),
        cmocka_unit_test(test_logprobs_cover_the_text),
        cmocka_unit_test(test_logprobs_without_alternatives),
        cmocka_unit_test(test_echo_gives_the_prompt_first),
        cmocka_unit_test(test_a_seed_repeats_and_another_differs),
        cmocka_unit_test(test_a_bias_forbids_and_forces),
        cmocka_unit_test(test_an_empty_prompt),
        cmocka_unit_test(test_a_suffix_needs_a_model_for_it),
        cmocka_unit_test(test_tokenize_gives_numbers_and_pieces),
        cmocka_unit_test(test_tokens_that_the_daemon_cannot_read_are_refused),
        cmocka_unit_test(test_a_real_vocabulary),
        cmocka_unit_test(test_embeddings_of_a_language_model),
        cmocka_unit_test(test_embeddings_of_an_embedding_model),
        cmocka_unit_test(test_a_reranker_scores_documents),
        cmocka_unit_test(test_a_reranker_cuts_documents_that_are_too_long),
        cmocka_unit_test(test_embeddings_with_any_context_and_parallel),
        cmocka_unit_test(test_nonsense_is_refused_and_the_worker_lives),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
