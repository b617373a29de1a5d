/* SPDX-License-Identifier: MIT */
/* What the template puts behind an answer is processed before the next prompt comes. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define STORY                                                                                  \
    "Once upon a time there was a small server in a cellar that slept all day and woke up "    \
    "when somebody called it by its name. It remembered every word that had been said to it "  \
    "and never asked twice. "
#define FIRST "{\"role\":\"user\",\"content\":\"" STORY STORY "\"}"

/* "<|im_end|>", "\n", "<|im_start|>", "user", "\n" */
enum { TURN_TOKENS = 5 };

static char *folder;
static char *model;

static int make_model(void **state) {
    (void)state;
    model = model_make("next-turn", "random", "--seed", "5", "--arch", "qwen2", "--layers", "1",
                       "--embd", "64", "--heads", "2", "--kv-heads", "2", "--ff", "64",
                       "--vocab", VOCABS_DIR "/ggml-vocab-qwen2.gguf", NULL);
    folder = xstrdup("/tmp/doze-next-turn-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int drop_model(void **state) {
    (void)state;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *d = readdir(dir); d; d = readdir(dir)) {
        if (d->d_name[0] == '.') continue;
        assert_int_equal(unlinkat(dirfd(dir), d->d_name, 0), 0);
    }
    closedir(dir);
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    free(model);
    return 0;
}

static struct worker *start_with(const char *mode, const char *more) {
    char *options = xasprintf("\"context_length\":2048%s,\"prompts\":{\"mode\":\"%s\",\"dir\":"
                              "\"%s\",\"memory_bytes\":67108864}",
                              more, mode, folder);
    struct worker *w = worker_load(model, options);
    free(options);
    return w;
}

static struct worker *start(const char *mode) {
    return start_with(mode, "");
}

/* An idle worker saves, and does that last. */
static void until_idle(struct worker *w) {
    while (!w->store) assert_true(worker_pump(w));
}

static struct outcome *ask(struct worker *w, const char *answer, const char *words, int most) {
    return worker_run(w,
                      "{\"op\":\"chat\",\"messages\":[" FIRST ",{\"role\":\"assistant\","
                      "\"content\":\"%s\"},{\"role\":\"user\",\"content\":\"%s\"}],"
                      "\"max_tokens\":%d,\"temperature\":0}",
                      answer, words, most);
}

static struct outcome *ask_first(struct worker *w) {
    return worker_run(w, "{\"op\":\"chat\",\"messages\":[" FIRST
                         "],\"max_tokens\":1,\"temperature\":0}");
}

static void test_next_turn_is_begun_when_idle(void **state) {
    (void)state;
    struct worker *w = start("on");
    struct outcome *first = ask_first(w);
    char *answer = xstrdup(buf_str(&first->content));
    int64_t seen = outcome_int(first, "prompt_tokens") + 1 + TURN_TOKENS;
    until_idle(w);
    struct outcome *second = ask(w, answer, "Why?", 12);
    assert_int_equal(outcome_int(second, "cached_tokens"), seen - seen % OUTCOME_GROUP);
    char *said = xstrdup(buf_str(&second->content));
    worker_stop(w, 0);

    w = start("off");
    second = ask(w, answer, "Why?", 12);
    assert_int_equal(outcome_int(second, "cached_tokens"), 0);
    assert_string_equal(buf_str(&second->content), said);
    worker_stop(w, 0);
    free(said);
    free(answer);
}

/* Cached tokens of the next prompt in another worker, after one that was told to stop in these
 * words right behind its answer. */
static int64_t cached_after_stop(const char *words, int64_t *ret_seen) {
    struct worker *w = start("on");
    struct outcome *first = ask_first(w);
    char *answer = xstrdup(buf_str(&first->content));
    *ret_seen = outcome_int(first, "prompt_tokens") + 1 + TURN_TOKENS;
    worker_send(w, MSG_STOP, 0, words);
    while (worker_pump(w)) continue;
    worker_stop(w, 0);
    w = start("on");
    int64_t cached = outcome_int(ask(w, answer, "Why?", 1), "cached_tokens");
    worker_stop(w, 0);
    free(answer);
    return cached;
}

/* Its ttl was short, and nobody waits for its place. */
static void test_the_next_turn_is_begun_before_it_leaves(void **state) {
    (void)state;
    int64_t seen, cached = cached_after_stop("{\"finish\":true}", &seen);
    assert_int_equal(cached, seen - seen % OUTCOME_GROUP);
}

/* Whether it had been begun is a race; what was processed is there. */
static void test_who_is_to_leave_at_once_saves_what_there_is(void **state) {
    (void)state;
    int64_t seen, cached = cached_after_stop("", &seen);
    assert_in_range(cached, seen - 1 - TURN_TOKENS - OUTCOME_GROUP, seen);
}

/* The answer was edited: what had been begun is cut off with it. */
static void test_a_conversation_that_goes_on_otherwise(void **state) {
    (void)state;
    struct worker *w = start("on");
    struct outcome *first = ask_first(w);
    int64_t seen = outcome_int(first, "prompt_tokens");
    until_idle(w);
    struct outcome *second = ask(w, "Never.", "Why?", 12);
    assert_int_equal(outcome_int(second, "cached_tokens"), seen - seen % OUTCOME_GROUP);
    char *said = xstrdup(buf_str(&second->content));
    worker_stop(w, 0);

    w = start("off");
    second = ask(w, "Never.", "Why?", 12);
    assert_string_equal(buf_str(&second->content), said);
    worker_stop(w, 0);
    free(said);
}

/* Begun or not would depend on when the next prompt comes. */
static void test_reproducible_has_no_next_turn(void **state) {
    (void)state;
    struct worker *w = start_with("on", ",\"reproducible\":true");
    struct outcome *first = ask_first(w);
    char *answer = xstrdup(buf_str(&first->content));
    int64_t seen = outcome_int(first, "prompt_tokens");
    until_idle(w);
    struct outcome *second = ask(w, answer, "Why?", 12);
    assert_int_equal(outcome_int(second, "cached_tokens"), seen - seen % OUTCOME_GROUP);
    worker_stop(w, 0);
    free(answer);
}

/* No chat: nobody knows what comes next. */
static void test_a_completion_has_no_next_turn(void **state) {
    (void)state;
    static const char *const fmt =
        "{\"op\":\"completion\",\"prompt\":\"%s%s\",\"max_tokens\":1,\"temperature\":0}";
    struct worker *w = start("on");
    struct outcome *first = worker_run(w, fmt, STORY STORY, "");
    int64_t prompt = outcome_int(first, "prompt_tokens");
    char *answer = xstrdup(buf_str(&first->content));
    until_idle(w);
    char *more = xasprintf("%s<|im_end|>\\n<|im_start|>user\\nWhy?", answer);
    struct outcome *second = worker_run(w, fmt, STORY STORY, more);
    assert_int_equal(outcome_int(second, "cached_tokens"), prompt - prompt % OUTCOME_GROUP);
    worker_stop(w, 0);
    free(more);
    free(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_next_turn_is_begun_when_idle, make_model,
                                        drop_model),
        cmocka_unit_test_setup_teardown(test_the_next_turn_is_begun_before_it_leaves,
                                        make_model, drop_model),
        cmocka_unit_test_setup_teardown(test_who_is_to_leave_at_once_saves_what_there_is,
                                        make_model, drop_model),
        cmocka_unit_test_setup_teardown(test_a_conversation_that_goes_on_otherwise, make_model,
                                        drop_model),
        cmocka_unit_test_setup_teardown(test_reproducible_has_no_next_turn, make_model,
                                        drop_model),
        cmocka_unit_test_setup_teardown(test_a_completion_has_no_next_turn, make_model,
                                        drop_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
