/* SPDX-License-Identifier: MIT */
/* The prompt store through a real worker: what one has processed the next one need not, and says
 * the same as if it had never been away. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "models.h"
#include "with_cmocka.h"
#include "worker.h"

#define STORY                                                                                  \
    "Once upon a time there was a small machine that slept most of the day and woke when "     \
    "somebody came by and asked it something. It did not mind, for it had nothing else to do."

static char *folder; /* of the store, anew for every test */

static void each_file(void (*fn)(const char *path)) {
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
        char *path = xasprintf("%s/%s", folder, d->d_name);
        fn(path);
        free(path);
    }
    if (dir) closedir(dir);
}

static int files;
static void count_file(const char *path) {
    (void)path;
    files++;
}
static int file_count(void) {
    files = 0;
    each_file(count_file);
    return files;
}

static void delete_file(const char *path) {
    assert_int_equal(unlink(path), 0);
}

static int make_folder(void **state) {
    (void)state;
    folder = xstrdup("/tmp/doze-store-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int clear_folder(void **state) {
    (void)state;
    each_file(delete_file);
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    return 0;
}

static struct worker *start(const char *model, const char *mode) {
    char *options = xasprintf(
        "\"context_length\":2048,\"parallel\":2,\"prompts\":{\"mode\":\"%s\","
        "\"dir\":\"%s\",\"memory_bytes\":268435456}",
        mode, folder);
    struct worker *w = worker_load(model, options);
    free(options);
    return w;
}

/* A greedy answer: what was said, and how much of the prompt was there and where. */
struct said {
    char *text;
    int64_t cached;
    char source[16]; /* "": nowhere */
};

static struct said ask(struct worker *w, const char *prompt, int tokens, const char *more) {
    struct outcome *o = worker_run(w,
                                   "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":%d,"
                                   "\"temperature\":0%s}",
                                   prompt, tokens, more);
    assert_false(o->failed);
    struct said said = { .text = xstrdup(buf_str(&o->content)),
                         .cached = outcome_int(o, "cached_tokens") };
    const char *source = outcome_str(o, "cache_source");
    snprintf(said.source, sizeof said.source, "%s", source ? source : "");
    return said;
}

static void expect(struct said *said, const char *text, int64_t least, int64_t most,
                   const char *source) {
    assert_string_equal(said->text, text);
    assert_in_range(said->cached, least, most);
    assert_string_equal(said->source, source);
    free(said->text);
}

enum { ANSWER = 40, STORY_TOKENS = 340, BEHIND = 8 };

/* Two turns of a conversation: in one worker without a store, in one with a store, and in two.
 * behind: what cannot be cut at any token may be so much behind it. */
static void check_two_turns(const char *model, int64_t behind) {
    struct worker *w = start(model, "off");
    struct said first = ask(w, STORY STORY, ANSWER, "");
    char *prompt = xasprintf("%s%s And then?", STORY STORY, first.text);
    struct said second = ask(w, prompt, ANSWER, "");
    worker_stop(w, 0);

    w = start(model, "on");
    struct said again = ask(w, STORY STORY, ANSWER, "");
    expect(&again, first.text, 0, 0, "");
    again = ask(w, prompt, ANSWER, "");
    expect(&again, second.text, STORY_TOKENS - behind, 2 * STORY_TOKENS, "slot");
    int64_t stayed = again.cached;
    worker_stop(w, 0);
    each_file(delete_file);

    w = start(model, "on");
    again = ask(w, STORY STORY, ANSWER, "");
    expect(&again, first.text, 0, 0, "");
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);

    w = start(model, "on");
    again = ask(w, prompt, ANSWER, "");
    expect(&again, second.text, stayed - behind, stayed, "disk");
    worker_stop(w, 0);
    free(first.text);
    free(second.text);
    free(prompt);
}

static void test_dense(void **state) {
    (void)state;
    char *model = model_make("random", "random", "--seed", "7", NULL);
    check_two_turns(model, 0);
    free(model);
}

/* Six layers: five have the window, and the story is longer than it. */
static void test_sliding_window(void **state) {
    (void)state;
    char *model = model_make("window", "random", "--arch", "gemma3", "--layers", "6", "--window",
                             "64", "--seed", "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

static void test_hybrid(void **state) {
    (void)state;
    char *model = model_make("hybrid", "random", "--arch", "jamba", "--layers", "4", "--seed", "7",
                             NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

static void test_recurrent(void **state) {
    (void)state;
    char *model = model_make("recurrent", "random", "--arch", "mamba", "--layers", "4", "--seed",
                             "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

/* The file of a shorter beginning goes when that of the longer is there. */
static void test_longer_supersedes_shorter(void **state) {
    (void)state;
    char *model = model_make("random", "random", "--seed", "7", NULL);
    const char *prompts[] = { STORY, STORY STORY, STORY STORY STORY };
    for (int i = 0; i < 3; i++) {
        struct worker *w = start(model, "on");
        struct said said = ask(w, prompts[i], 1, "");
        assert_int_equal(said.cached > 0, i > 0);
        free(said.text);
        worker_stop(w, 0);
        assert_int_equal(file_count(), 1);
    }
    free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dense, make_folder, clear_folder),
        cmocka_unit_test_setup_teardown(test_sliding_window, make_folder, clear_folder),
        cmocka_unit_test_setup_teardown(test_hybrid, make_folder, clear_folder),
        cmocka_unit_test_setup_teardown(test_recurrent, make_folder, clear_folder),
        cmocka_unit_test_setup_teardown(test_longer_supersedes_shorter, make_folder,
                                        clear_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
