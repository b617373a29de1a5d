/* SPDX-License-Identifier: MIT */
/* A model with a projector: pictures beside text, in slots and in the prompt store. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "pictures.h"
#include "worker.h"

enum { PICTURE_TOKENS = 64, SIDE = 48 };

#define STORY                                                                                  \
    "Once upon a time there was a small machine that slept most of the day and woke when "     \
    "somebody came by and showed it a picture of the sea, of a road, or of bread."

/* Of a pixel. */
#define HALF_PNG                                                                               \
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8Dw"

static char *folder; /* of the store */

static int make_folder(void **state) {
    (void)state;
    folder = xstrdup("/tmp/doze-pictures-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int clear_folder(void **state) {
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        if (d->d_name[0] == '.') continue;
        char *path = xasprintf("%s/%s", folder, d->d_name);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    if (dir) closedir(dir);
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    return 0;
}

/* ---- asking ---- */

static char *projector(const char *kind) {
    char *name = xasprintf("mmproj-%s", kind);
    char *path = model_make(name, "projector", "--kind", kind, NULL);
    free(name);
    return path;
}

/* The projector of the tests of the store; some set another. */
static const char *arch = "llama";

static void say_load(struct worker *w, const char *kind, const char *mode, const char *more) {
    char *name = xasprintf("see-%s", arch), *eyes = projector(kind);
    char *model = model_make(name, "random", "--arch", arch, NULL);
    free(name);
    char *options = xasprintf("\"projector\":\"%s\",\"context_length\":2048,\"parallel\":2,"
                              "\"prompts\":{\"mode\":\"%s\",\"dir\":\"%s\",\"memory_bytes\":"
                              "268435456}%s",
                              eyes, mode, folder, more);
    worker_say_load(w, model, options);
    if (w->failed) fail_msg("%s", yyjson_get_str(worker_fact(w, "text")));
    free(options);
    free(eyes);
    free(model);
}

static struct worker *start_with(const char *kind, const char *mode, const char *more) {
    struct worker *w = worker_start();
    say_load(w, kind, mode, more);
    return w;
}

static struct worker *start(void) {
    return start_with("mlp", "off", "");
}

/* Messages of one turn: text, picture, text. */
static char *turn(const char *before, const char *url, const char *after) {
    return xasprintf("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"%s\"},"
                     "{\"type\":\"image_url\",\"image_url\":{\"url\":\"%s\"}},"
                     "{\"type\":\"text\",\"text\":\"%s\"}]}",
                     before, url, after);
}

static struct outcome *say(struct worker *w, const char *messages, const char *more) {
    return worker_run(w,
                      "{\"op\":\"chat\",\"messages\":[%s],\"max_tokens\":12,"
                      "\"temperature\":0%s}",
                      messages, more);
}

/* The answer, greedy. */
static char *answer(struct worker *w, const char *messages, int64_t *ret_cached) {
    struct outcome *o = say(w, messages, "");
    if (o->failed) fail_msg("%s", outcome_str(o, "text"));
    if (ret_cached) *ret_cached = outcome_int(o, "cached_tokens");
    return xstrdup(buf_str(&o->content));
}

/* The answer of a worker that has processed nothing else. */
static char *fresh_answer(const char *kind, const char *messages) {
    struct worker *w = start_with(kind, "off", "");
    char *said = answer(w, messages, NULL);
    worker_stop(w, 0);
    return said;
}

static void expect_refusal(struct worker *w, const char *url, const char *code,
                           const char *words) {
    char *messages = turn("Look:", url, "What is it?");
    struct outcome *o = say(w, messages, "");
    assert_true(o->failed);
    assert_string_equal(outcome_str(o, "code"), code);
    if (!strstr(outcome_str(o, "text"), words)) fail_msg("%s", outcome_str(o, "text"));
    free(messages);
}

/* ---- seeing ---- */

/* Another picture, another answer; the same again is not computed again. */
static void test_a_picture_is_seen_and_known_again(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *other = picture_url_of(SIDE, SIDE, 2);
    char *first = turn("Look:", one, "What is it?"),
         *second = turn("Look:", other, "What is it?");
    struct worker *w = start();
    int64_t cached = -1;
    char *a = answer(w, first, &cached);
    assert_int_equal(cached, 0);
    char *b = answer(w, second, &cached);
    assert_string_not_equal(a, b);
    char *again = answer(w, first, &cached);
    assert_string_equal(again, a);
    assert_true(cached > PICTURE_TOKENS);
    worker_stop(w, 0);
    char *fresh = fresh_answer("mlp", second);
    assert_string_equal(fresh, b);
    free(fresh);
    free(again);
    free(b);
    free(a);
    free(second);
    free(first);
    free(other);
    free(one);
}

/* Two pictures with a long common beginning: it ends before the picture, never inside. */
static void test_a_prefix_ends_before_a_picture(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *other = picture_url_of(SIDE, SIDE, 2);
    char *first = turn(STORY, one, "Well?"), *second = turn(STORY, other, "Well?");
    struct worker *w = start();
    int64_t cached = 0;
    int64_t all = outcome_int(say(w, first, ""), "prompt_tokens");
    char *b = answer(w, second, &cached);
    struct outcome *o = worker_run(w, "{\"op\":\"template\",\"count\":true,\"messages\":[%s]}",
                                   first);
    yyjson_val *result = yyjson_obj_get(yyjson_doc_get_root(o->end), "result");
    assert_int_equal(yyjson_get_int(yyjson_obj_get(result, "tokens")), all);
    worker_stop(w, 0);
    assert_true(cached > 64);
    assert_true(cached < all - PICTURE_TOKENS);
    char *fresh = fresh_answer("mlp", second);
    assert_string_equal(fresh, b);
    free(fresh);
    free(b);
    free(second);
    free(first);
    free(other);
    free(one);
}

/* The next turn goes on behind the picture; with a second one, too. */
static void test_the_next_turn_keeps_the_picture(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *other = picture_url_of(2 * SIDE, SIDE, 2);
    char *first = turn("Look:", one, "What is it?"), *more = turn("And", other, "?");
    struct worker *w = start();
    int64_t cached = 0;
    char *a = answer(w, first, NULL);
    char *talk = xasprintf("%s,{\"role\":\"assistant\",\"content\":\"%s\"},%s", first, a, more);
    char *b = answer(w, talk, &cached);
    assert_true(cached > PICTURE_TOKENS);
    worker_stop(w, 0);
    char *fresh = fresh_answer("mlp", talk);
    assert_string_equal(fresh, b);
    free(fresh);
    free(b);
    free(talk);
    free(a);
    free(more);
    free(first);
    free(other);
    free(one);
}

/* A worker that comes back knows a conversation with its picture. */
static void test_a_picture_survives_eviction(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *other = picture_url_of(SIDE, SIDE, 2);
    char *first = turn(STORY, one, "Well?"), *second = turn(STORY, other, "Well?");
    struct worker *w = start_with("mlp", "on", "");
    char *a = answer(w, first, NULL);
    worker_stop(w, 0);
    w = start_with("mlp", "on", "");
    struct outcome *o = say(w, first, "");
    assert_string_equal(outcome_str(o, "cache_source"), "disk");
    assert_true(outcome_int(o, "cached_tokens") > PICTURE_TOKENS);
    assert_string_equal(buf_str(&o->content), a);
    worker_stop(w, 0);
    char *fresh = fresh_answer("mlp", second);
    w = start_with("mlp", "on", "");
    o = say(w, second, "");
    assert_string_equal(outcome_str(o, "cache_source"), "disk"); /* the story only */
    assert_string_equal(buf_str(&o->content), fresh);
    worker_stop(w, 0);
    free(fresh);
    free(a);
    free(second);
    free(first);
    free(other);
    free(one);
}

/* Models with a recurrent state or a window go back to checkpoints. */
static void test_pictures_and_models_that_cannot_be_cut(void **state) {
    static const char *const others[] = { "jamba", "gemma3" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        arch = others[i];
        char *one = picture_url_of(SIDE, SIDE, 1), *other = picture_url_of(SIDE, SIDE, 2);
        char *first = turn(STORY, one, "Well?"), *second = turn(STORY, other, "Well?");
        char *a = fresh_answer("mlp", first), *b = fresh_answer("mlp", second);
        struct worker *w = start_with("mlp", "on", "");
        static const char form[] = "%s,{\"role\":\"assistant\",\"content\":\"%s\"},%s";
        char *talk = xasprintf(form, first, a, second), *c = fresh_answer("mlp", talk);
        char *said[] = { answer(w, first, NULL), answer(w, second, NULL),
                         answer(w, talk, NULL) };
        worker_stop(w, 0);
        w = start_with("mlp", "on", "");
        int64_t cached = 0;
        char *again = answer(w, talk, &cached);
        worker_stop(w, 0);
        assert_string_equal(said[0], a);
        assert_string_equal(said[1], b);
        assert_string_equal(said[2], c);
        assert_string_equal(again, c);
        assert_true(cached > 64);
        for (int j = 0; j < 3; j++) free(said[j]);
        free(again);
        free(c);
        free(talk);
        free(b);
        free(a);
        free(second);
        free(first);
        free(other);
        free(one);
        clear_folder(state);
        make_folder(state);
    }
    arch = "llama";
}

/* What another projector has made of a picture is of no use. */
/* It still reads pictures, and those it has read are in the store, with any kind of state. */
static void test_a_picture_survives_parking(void **state) {
    static const char *const all[] = { "llama", "jamba", "gemma3" };
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *first = turn(STORY, one, "Well?");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        arch = all[i];
        struct worker *w = start_with("mlp", "on", "");
        char *a = answer(w, first, NULL);
        worker_park(w);
        say_load(w, "mlp", "on", "");
        struct outcome *o = say(w, first, "");
        assert_string_equal(outcome_str(o, "cache_source"), "disk");
        assert_true(outcome_int(o, "cached_tokens") > PICTURE_TOKENS);
        assert_string_equal(buf_str(&o->content), a);
        worker_stop(w, 0);
        free(a);
    }
    arch = "llama";
    free(first);
    free(one);
}

static void test_another_projector_is_another_state(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *first = turn(STORY, one, "Well?");
    struct worker *w = start_with("mlp", "on", "");
    free(answer(w, first, NULL));
    worker_stop(w, 0);
    w = start_with("gemma3", "on", "");
    int64_t cached = -1;
    free(answer(w, first, &cached));
    assert_int_equal(cached, 0);
    worker_stop(w, 0);
    free(first);
    free(one);
}

/* Tokens that attend to one another are decoded in one batch. */
static void test_a_picture_that_is_seen_as_a_whole(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *other = picture_url_of(SIDE, SIDE, 2);
    char *first = turn(STORY, one, "Well?"), *second = turn(STORY, other, "Well?");
    struct worker *w = start_with("gemma3", "off", "");
    int64_t cached = 0;
    char *a = answer(w, first, NULL), *b = answer(w, second, &cached);
    assert_string_not_equal(a, b);
    assert_true(cached > 64);
    char *again = answer(w, first, &cached);
    assert_string_equal(again, a);
    worker_stop(w, 0);
    w = start_with("gemma3", "off", ",\"eval_batch_size\":8");
    struct outcome *o = say(w, first, "");
    assert_true(o->failed);
    assert_non_null(strstr(outcome_str(o, "text"), "eval_batch_size"));
    worker_stop(w, 0);
    free(again);
    free(b);
    free(a);
    free(second);
    free(first);
    free(other);
    free(one);
}

/* A picture is decoded in pieces of a small batch, and the answer is the same. */
static void test_a_picture_larger_than_a_batch(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *first = turn("Look:", one, "What is it?");
    struct worker *w = start_with("mlp", "off", ",\"eval_batch_size\":16");
    struct outcome *o = say(w, first, ",\"logprobs\":0");
    assert_false(o->failed);
    assert_true(o->logprobs.len > 0);
    assert_int_equal(outcome_int(o, "completion_tokens"), 12);
    worker_stop(w, 0);
    free(first);
    free(one);
}

/* Numbers that stand for a picture are not words: nothing that counts words meets them. */
static void test_penalties_pass_pictures_by(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *first = turn("Look:", one, "");
    struct worker *w = start();
    struct outcome *o = say(w, first,
                            ",\"repeat_penalty\":1.5,\"frequency_penalty\":0.5,"
                            "\"report_prompt\":true");
    assert_false(o->failed);
    assert_non_null(strstr(o->prompt, "[picture]"));
    assert_null(strstr(o->prompt, "picture_"));
    worker_stop(w, 0);
    free(first);
    free(one);
}

/* ---- beside others ---- */

static void test_pictures_beside_other_answers(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *other = picture_url_of(SIDE, SIDE, 2);
    char *first = turn("Look:", one, "What is it?"),
         *second = turn("Look:", other, "What is it?");
    char *a = fresh_answer("mlp", first), *b = fresh_answer("mlp", second);
    static const char form[] = "{\"op\":\"chat\",\"messages\":[%s],\"max_tokens\":12,"
                               "\"temperature\":0}";
    struct worker *w = start();
    int x = worker_ask(w, form, first), y = worker_ask(w, form, second);
    assert_string_equal(buf_str(&worker_end(w, x)->content), a);
    assert_string_equal(buf_str(&worker_end(w, y)->content), b);
    worker_stop(w, 0);
    free(b);
    free(a);
    free(second);
    free(first);
    free(other);
    free(one);
}

/* Cancelled at every stage: while it is decoded, computed, or said. */
static void test_a_request_with_pictures_is_cancelled(void **state) {
    (void)state;
    char *one = picture_url_of(1200, 900, 1), *first = turn("Look:", one, "What is it?");
    char *three = xasprintf("%s,%s,%s", first, first, first);
    struct worker *w = start();
    for (int i = 0; i < 8; i++) {
        int request = worker_ask(w, "{\"op\":\"chat\",\"messages\":[%s],\"max_tokens\":500}",
                                 three);
        if (i % 4 == 3) worker_until_deltas(w, request, 2);
        for (int frames = 0; i % 4 == 2 && frames < 1; frames++) assert_true(worker_pump(w));
        worker_send(w, MSG_CANCEL, request, "");
        assert_string_equal(outcome_str(worker_end(w, request), "stop_reason"), "userStopped");
    }
    char *after = answer(w, first, NULL), *fresh = fresh_answer("mlp", first);
    assert_string_equal(after, fresh);
    worker_stop(w, 0);
    free(fresh);
    free(after);
    free(three);
    free(first);
    free(one);
}

/* ---- refusals ---- */

static void test_what_is_no_picture_is_refused(void **state) {
    (void)state;
    struct worker *w = start();
    expect_refusal(w, "http://example.org/x.png", "not_supported", "nothing is fetched");
    expect_refusal(w, "data:image/png,plain", "invalid_request_error", "no base64");
    expect_refusal(w, "data:image/png;base64,%%%%", "invalid_request_error",
                   "not valid base64");
    expect_refusal(w, "data:image/png;base64,aGVsbG8=", "invalid_request_error",
                   "cannot be read");
    expect_refusal(
        w, "data:image/webp;base64,UklGRgAAAABXRUJQVlA4IA==", "invalid_request_error", "WebP");
    expect_refusal(w, HALF_PNG, "invalid_request_error",
                   "Picture 1 of the conversation cannot");
    static const unsigned char huge[] =
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x40\0\0\0\x40\0\x08\x02\0\0\0\0\0\0\0";
    char *bomb = picture_url_of_bytes(huge, sizeof huge - 1);
    expect_refusal(w, bomb, "invalid_request_error", "64 million pixels");
    free(bomb);
    struct outcome *o = say(w, "{\"role\":\"user\",\"content\":\"Hello\"}", "");
    assert_false(o->failed);
    worker_stop(w, 0);
}

static void test_a_model_without_eyes_says_so(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1),
         *model = model_make("see-llama", "random", "--arch", "llama", NULL);
    struct worker *w = worker_load(model, "\"context_length\":2048");
    expect_refusal(w, one, "not_supported", "reads text only");
    worker_stop(w, 0);
    char *narrow = model_make("mmproj-narrow", "projector", "--embd", "64", NULL);
    char *options = xasprintf("\"context_length\":2048,\"projector\":\"%s\"", narrow);
    w = worker_load(model, options);
    expect_refusal(w, one, "not_supported", "its projector cannot be loaded");
    struct outcome *o = say(w, "{\"role\":\"user\",\"content\":\"Hello\"}", "");
    assert_false(o->failed);
    worker_stop(w, 0);
    free(options);
    free(narrow);
    free(model);
    free(one);
}

/* The policies that cut a conversation would cut pictures. */
static void test_pictures_are_not_cut_to_fit(void **state) {
    (void)state;
    char *one = picture_url_of(SIDE, SIDE, 1), *first = turn("Look:", one, "What is it?");
    char *model = model_make("see-llama", "random", "--arch", "llama", NULL),
         *eyes = projector("mlp");
    char *options = xasprintf("\"projector\":\"%s\",\"context_length\":128", eyes);
    struct worker *w = worker_load(model, options);
    char *two = xasprintf("%s,%s", first, first);
    struct outcome *o = say(w, two, ",\"overflow\":\"truncate_middle\"");
    assert_true(o->failed);
    assert_string_equal(outcome_str(o, "code"), "context_length_exceeded");
    o = worker_run(w,
                   "{\"op\":\"chat\",\"messages\":[%s],\"overflow\":\"rolling_window\","
                   "\"temperature\":0,\"max_tokens\":500}",
                   first);
    assert_string_equal(outcome_str(o, "stop_reason"), "contextLengthReached");
    worker_stop(w, 0);
    free(two);
    free(options);
    free(eyes);
    free(model);
    free(first);
    free(one);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, clear_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_picture_is_seen_and_known_again),
        STORE_TEST(test_a_prefix_ends_before_a_picture),
        STORE_TEST(test_the_next_turn_keeps_the_picture),
        STORE_TEST(test_a_picture_survives_eviction),
        STORE_TEST(test_pictures_and_models_that_cannot_be_cut),
        STORE_TEST(test_a_picture_survives_parking),
        STORE_TEST(test_another_projector_is_another_state),
        STORE_TEST(test_a_picture_that_is_seen_as_a_whole),
        STORE_TEST(test_a_picture_larger_than_a_batch),
        STORE_TEST(test_penalties_pass_pictures_by),
        STORE_TEST(test_pictures_beside_other_answers),
        STORE_TEST(test_a_request_with_pictures_is_cancelled),
        STORE_TEST(test_what_is_no_picture_is_refused),
        STORE_TEST(test_a_model_without_eyes_says_so),
        STORE_TEST(test_pictures_are_not_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
