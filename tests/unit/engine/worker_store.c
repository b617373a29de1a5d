/* SPDX-License-Identifier: MIT */
/* The prompt store through a real worker: what one has processed the next one need not, and
 * says the same as if it had never been away. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define STORY                                                                                  \
    "Once upon a time there was a small machine that slept most of the day and woke when "     \
    "somebody came by and asked it something. It did not mind, for it had nothing else to do."

#define OTHER                                                                                  \
    "Nobody knew how far the sea was, and nobody had asked, since the road went uphill. The "  \
    "bread was good that year, though, and the winter late. "

static char *folder; /* of the store; a new one for every test */

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

static struct worker *start_with(const char *model, const char *mode, const char *more) {
    char *options = xasprintf(WORKER_STEADY
                              ",\"context_length\":2048,\"prompts\":{\"mode\":\"%s\","
                              "\"dir\":\"%s\",\"memory_bytes\":268435456},%s",
                              mode, folder, more);
    struct worker *w = worker_load(model, options);
    free(options);
    return w;
}

/* Some tests want more of the worker that everybody starts. */
static const char *usual = "\"parallel\":2";

static struct worker *start(const char *model, const char *mode) {
    return start_with(model, mode, usual);
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
    assert_in_range(said->cached, least - least % OUTCOME_GROUP, most);
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
    char *model = model_make("window", "random", "--arch", "gemma3", "--layers", "6",
                             "--window", "64", "--seed", "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

static void test_hybrid(void **state) {
    (void)state;
    char *model = model_make("hybrid", "random", "--arch", "jamba", "--layers", "4", "--seed",
                             "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

static void test_recurrent(void **state) {
    (void)state;
    char *model = model_make("recurrent", "random", "--arch", "mamba", "--layers", "4",
                             "--seed", "7", NULL);
    check_two_turns(model, BEHIND);
    free(model);
}

/* A context that starts small and is replaced by a larger one on the way. */
static void test_contexts_that_grow(void **state) {
    static void (*const tests[])(void **) = { test_dense, test_sliding_window, test_hybrid };
    usual = "\"parallel\":2,\"cells\":256";
    for (int i = 0; i < 3; i++) {
        tests[i](state);
        each_file(delete_file);
    }
    usual = "\"parallel\":2";
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

static char *random_model(void) {
    return model_make("random", "random", "--seed", "7", NULL);
}

/* One slot, and two conversations in turns. */
static void test_put_aside_in_memory(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "memory", "\"parallel\":1");
    struct said one = ask(w, STORY, ANSWER, ""), other = ask(w, OTHER OTHER, ANSWER, "");
    assert_int_equal(other.cached, 0);
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, one.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "memory");
    again = ask(w, OTHER OTHER, ANSWER, "");
    expect(&again, other.text, 250, 350, "memory");
    worker_stop(w, 0);
    assert_int_equal(file_count(), 0);
    free(one.text);
    free(other.text);
    free(model);
}

/* FORGET comes behind STOP, while it saves. */
static void test_forgotten_while_it_stops(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    assert_int_equal(kill(w->pid, SIGSTOP), 0);
    worker_send(w, MSG_STOP, 0, "");
    worker_send(w, MSG_FORGET, 0, "");
    assert_int_equal(kill(w->pid, SIGCONT), 0);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 0);
    free(said.text);
    free(model);
}

/* STOP before it was idle: what is in memory is written, too. */
static void test_put_aside_in_memory_is_written_at_stop(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "on", "\"parallel\":1");
    struct said one = ask(w, STORY, ANSWER, ""), other = ask(w, OTHER OTHER, 1, "");
    assert_int_equal(file_count(), 0);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 2);
    w = start(model, "on");
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, one.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "disk");
    worker_stop(w, 0);
    free(one.text);
    free(other.text);
    free(model);
}

/* Fewer than 64 tokens are processed again sooner. */
static void test_little_is_not_put_aside(void **state) {
    (void)state;
    const char *little = "Once upon a time there was a small machine that s";
    char *model = random_model();
    struct worker *w = start_with(model, "memory", "\"parallel\":1");
    struct said one = ask(w, little, 1, ""), other = ask(w, OTHER, 1, "");
    struct said again = ask(w, little, 1, "");
    expect(&again, one.text, 0, 0, "");
    worker_stop(w, 0);
    free(one.text);
    free(other.text);
    free(model);
}

/* What is put aside has ten tokens more than the slot: not worth the copy. */
static void test_little_is_not_fetched(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "memory", "\"parallel\":1");
    struct said one = ask(w, STORY "0123456789" OTHER, 1, "");
    struct said two = ask(w, STORY OTHER, 1, "");
    struct said again = ask(w, STORY "0123456789 Now?", 1, "");
    assert_string_equal(again.source, "slot");
    worker_stop(w, 0);
    free(one.text);
    free(two.text);
    free(again.text);
    free(model);
}

/* Without a budget for memory it goes to disk at once. */
static void test_put_aside_on_disk(void **state) {
    (void)state;
    char *model = random_model();
    char *options = xasprintf("\"parallel\":1,\"prompts\":{\"mode\":\"on\",\"dir\":\"%s\","
                              "\"memory_bytes\":0}",
                              folder);
    struct worker *w = worker_load(model, options);
    struct said one = ask(w, STORY, ANSWER, ""), other = ask(w, OTHER OTHER, ANSWER, "");
    assert_true(file_count() > 0); /* the other one follows when it is idle */
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, one.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "disk");
    worker_stop(w, 0);
    assert_int_equal(file_count(), 2);
    free(one.text);
    free(other.text);
    free(options);
    free(model);
}

static void test_cache_prompt_false_neither_reads_nor_leaves(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said secret = ask(w, STORY, ANSWER, ",\"cache_prompt\":false");
    struct said open = ask(w, STORY, ANSWER, "");
    expect(&open, secret.text, 0, 0, ""); /* not even from the slot */
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);
    w = start(model, "on");
    open = ask(w, STORY, ANSWER, ",\"cache_prompt\":false");
    expect(&open, secret.text, 0, 0, "");
    open = ask(w, OTHER, ANSWER, ",\"cache_prompt\":false");
    free(open.text);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);
    free(secret.text);
    free(model);
}

/* ---- damage ---- */

static long damage_at; /* < 0: cut the file by so many bytes */

static void damage(const char *path) {
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    if (damage_at < 0) {
        assert_int_equal(ftruncate(fd, st.st_size + damage_at), 0);
    } else {
        unsigned char byte = 0;
        off_t at = damage_at % st.st_size;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

static int open_file; /* a file of the folder */
static void hold_file(const char *path) {
    open_file = open(path, O_RDONLY);
    assert_true(open_file >= 0);
}

/* In the magic, version, counts, sums; in the tokens; at the beginning, the middle and the end
 * of the state; and cut off. What is damaged is gone afterwards, and the answer is right. */
static void test_damage_is_a_miss(void **state) {
    (void)state;
    static const long places[] = { 0,   9,   13,  20,    33,    41,    115, 121,
                                   130, 140, 500, 10000, 50001, 90007, -1,  -5000 };
    char *model = random_model();
    struct said right = { 0 };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct worker *w = start(model, "on");
        struct said said = ask(w, STORY, ANSWER, "");
        if (!right.text) right.text = xstrdup(said.text);
        expect(&said, right.text, 0, 0, "");
        worker_stop(w, 0);
        assert_int_equal(file_count(), 1);
        damage_at = places[i];
        each_file(damage);
    }
    each_file(hold_file);
    struct worker *w = start(model, "on");
    struct said said = ask(w, OTHER, 1, "");
    free(said.text);
    said = ask(w, STORY, ANSWER, "");
    expect(&said, right.text, 0, 0, "");
    struct stat st; /* new files come when it is idle or stops: ask for this very one */
    assert_int_equal(fstat(open_file, &st), 0);
    assert_int_equal(st.st_nlink, 0);
    close(open_file);
    worker_stop(w, 0);
    free(right.text);
    free(model);
}

static void test_foreign_files_are_left_alone(void **state) {
    (void)state;
    static const char *const names[] = { "notes.txt", "0123456789abcdef.prompt.bak",
                                         "0123456789ABCDEF.prompt" };
    char *model = random_model();
    for (int i = 0; i < 3; i++) {
        char *path = xasprintf("%s/%s", folder, names[i]);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(fd, "mine", 4), 4);
        close(fd);
        free(path);
    }
    struct worker *w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    free(said.text);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 4);
    free(model);
}

/* Settings that the state depends on: a miss, and the other setting's entry stays. */
static void test_other_settings_are_a_miss(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    worker_stop(w, 0);
    w = start_with(model, "on", "\"kv_type_k\":\"q8_0\"");
    struct said other = ask(w, STORY, ANSWER, "");
    assert_int_equal(other.cached, 0);
    free(other.text);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 2);
    w = start(model, "on");
    other = ask(w, STORY, ANSWER, "");
    expect(&other, said.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "disk");
    worker_stop(w, 0);
    free(said.text);
    free(model);
}

static void set_time(const char *file, time_t when) {
    const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
}

/* A file with another time may be another model: what was made with it is of no use. */
static void test_another_file_is_a_miss(void **state) {
    (void)state;
    char *model = model_make("touched", "random", "--seed", "8", NULL);
    set_time(model, 1000000000);
    struct worker *w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    worker_stop(w, 0);
    set_time(model, 1000000001);
    w = start(model, "on");
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, said.text, 0, 0, "");
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);
    free(said.text);
    free(model);
}

/* ---- what goes wrong while saving ---- */

/* Nowhere to write to: the worker says so once, however often it fails, and leaves as it
 * should. */
static void test_no_room_is_one_warning(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = worker_load(model, "\"parallel\":1,\"prompts\":{\"mode\":\"on\","
                                          "\"dir\":\"/dev/null/x\",\"memory_bytes\":0}");
    static const char *const prompts[] = { STORY, OTHER, STORY, OTHER };
    for (int i = 0; i < 4; i++) free(ask(w, prompts[i], ANSWER, "").text);
    worker_send(w, MSG_STOP, 0, "");
    while (worker_pump(w)) continue;
    assert_int_equal(w->logs, 1);
    worker_stop(w, 0);
    free(model);
}

/* The kernel ends the process at the first byte it writes beyond the limit: killed in the
 * middle of a save. */
static struct worker *start_limited(const char *model, rlim_t bytes) {
    struct rlimit old, less;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    less = old;
    less.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    struct worker *w = worker_start();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    char *options = xasprintf("\"parallel\":2,\"prompts\":{\"mode\":\"on\",\"dir\":\"%s\"}",
                              folder);
    worker_say_load(w, model, options);
    free(options);
    return w;
}

static int whole_files;
static void count_whole(const char *path) {
    if (!strstr(path, "/.new-")) whole_files++;
}

static void test_killed_while_saving(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "off");
    struct said right = ask(w, STORY, ANSWER, "");
    worker_stop(w, 0);
    unsigned seed = 4711;
    for (int i = 0; i < 12; i++) {
        rlim_t bytes = (rlim_t)rand_r(&seed) % 100000; /* the file has some 110,000 */
        w = start_limited(model, bytes);
        struct said said = ask(w, STORY, ANSWER, "");
        expect(&said, right.text, 0, 0, "");
        worker_stop(w, 128 + SIGXFSZ);
        whole_files = 0;
        each_file(count_whole);
        assert_int_equal(whole_files, 0);
    }
    w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    expect(&said, right.text, 0, 0, "");
    worker_stop(w, 0);
    free(right.text);
    free(model);
}

static void test_killed_while_restoring(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said right = ask(w, STORY STORY, ANSWER, "");
    worker_stop(w, 0);
    for (int i = 0; i < 6; i++) {
        w = start(model, "on");
        int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":%d}",
                            STORY STORY, ANSWER);
        if (i > 0) worker_until_deltas(w, id, i); /* else: as soon as it has been asked */
        assert_int_equal(kill(w->pid, SIGKILL), 0);
        worker_stop(w, 128 + SIGKILL);
    }
    w = start(model, "on");
    struct said said = ask(w, STORY STORY, ANSWER, "");
    expect(&said, right.text, STORY_TOKENS - 5, STORY_TOKENS + 5, "disk");
    worker_stop(w, 0);
    free(right.text);
    free(model);
}

/* ---- when ---- */

/* Saved without being told to stop, so that even a killed worker leaves it. */
static void test_saved_when_idle(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    while (!w->store) assert_true(worker_pump(w));
    assert_int_equal(yyjson_get_int(yyjson_obj_get(yyjson_doc_get_root(w->store), "entries")),
                     1);
    assert_int_equal(file_count(), 1);
    assert_int_equal(kill(w->pid, SIGKILL), 0);
    worker_stop(w, 128 + SIGKILL);
    w = start(model, "on");
    struct said again = ask(w, STORY, ANSWER, "");
    expect(&again, said.text, STORY_TOKENS / 2 - 1, STORY_TOKENS / 2 + 1, "disk");
    worker_stop(w, 0);
    free(said.text);
    free(model);
}

/* A turn too short to be saved after two seconds is saved when nothing more comes. */
static void test_a_short_turn_is_saved_later(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start_with(model, "on", "\"parallel\":2,\"shrink_seconds\":3");
    struct said said = ask(w, STORY STORY, 1, "");
    while (!w->store) assert_true(worker_pump(w));
    free(said.text);
    yyjson_doc_free(w->store);
    w->store = NULL;
    said = ask(w, STORY STORY " And then, one day, what came?", 1, "");
    free(said.text);
    while (!w->store) assert_true(worker_pump(w));
    assert_int_equal(kill(w->pid, SIGKILL), 0);
    worker_stop(w, 128 + SIGKILL);
    w = start(model, "on");
    said = ask(w, STORY STORY " And then, one day, what came?", 1, "");
    assert_in_range(said.cached, STORY_TOKENS + 20, STORY_TOKENS + 40);
    assert_string_equal(said.source, "disk");
    free(said.text);
    worker_stop(w, 0);
    free(model);
}

/* STOP in the middle of an answer: what has been processed of it is saved. */
static void test_saved_while_it_writes(void **state) {
    (void)state;
    char *model = random_model();
    struct worker *w = start(model, "on");
    int id = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"%s\",\"temperature\":0}",
                        STORY);
    worker_until_deltas(w, id, 20);
    worker_stop(w, 0);
    assert_int_equal(file_count(), 1);
    w = start(model, "on");
    struct said said = ask(w, STORY, ANSWER, "");
    assert_string_equal(said.source, "disk");
    free(said.text);
    worker_stop(w, 0);
    free(model);
}

#define TWO STORY STORY "Two. " OTHER OTHER

/* Back to the second prompt, which has a checkpoint where the first two part and one near its
 * end; then away from it, which takes the first one. */
static void check_both_checkpoints(const char *model, const char *right) {
    struct worker *w = start(model, "on");
    struct said back = ask(w, TWO "And now?", 4, "");
    assert_true(back.cached > STORY_TOKENS + 2 * BEHIND);
    assert_string_equal(back.source, "disk");
    assert_string_equal(back.text, right);
    struct said away = ask(w, STORY STORY "Not so.", 4, "");
    assert_in_range(away.cached, STORY_TOKENS - BEHIND, STORY_TOKENS + BEHIND);
    assert_string_equal(away.source, "slot");
    worker_stop(w, 0);
    free(back.text);
    free(away.text);
}

/* What two prompts share is there for a third, also where a state cannot be cut. */
static void check_shared_beginning(const char *model) {
    struct worker *w = start(model, "off");
    struct said right = ask(w, TWO "And now?", 4, "");
    worker_stop(w, 0);
    w = start(model, "on");
    struct said one = ask(w, STORY STORY OTHER "One?", 4, "");
    struct said two = ask(w, TWO, 1, "");
    worker_stop(w, 0);
    check_both_checkpoints(model, right.text);
    w = start(model, "on");
    struct said three = ask(w, STORY STORY "Three. " OTHER OTHER, 4, "");
    assert_in_range(three.cached, STORY_TOKENS - BEHIND, STORY_TOKENS + BEHIND);
    assert_string_equal(three.source, "disk");
    worker_stop(w, 0);
    free(one.text);
    free(two.text);
    free(three.text);
    free(right.text);
}

static void test_shared_beginning(void **state) {
    (void)state;
    static const char *const shapes[] = { "llama", "gemma3", "jamba", "mamba" };
    for (int i = 0; i < 4; i++) {
        char *name = xasprintf("shared-%s", shapes[i]);
        bool window = strcmp(shapes[i], "gemma3") == 0;
        char *model = model_make(name, "random", "--arch", shapes[i], "--layers", "6", "--seed",
                                 "5", window ? "--window" : NULL, "64", NULL);
        check_shared_beginning(model);
        each_file(delete_file);
        free(name);
        free(model);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, clear_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_longer_supersedes_shorter),
        TEST(test_put_aside_in_memory),
        TEST(test_forgotten_while_it_stops),
        TEST(test_put_aside_in_memory_is_written_at_stop),
        TEST(test_little_is_not_put_aside),
        TEST(test_little_is_not_fetched),
        TEST(test_put_aside_on_disk),
        TEST(test_cache_prompt_false_neither_reads_nor_leaves),
        TEST(test_damage_is_a_miss),
        TEST(test_foreign_files_are_left_alone),
        TEST(test_other_settings_are_a_miss),
        TEST(test_another_file_is_a_miss),
        TEST(test_no_room_is_one_warning),
        TEST(test_dense),
        TEST(test_sliding_window),
        TEST(test_hybrid),
        TEST(test_recurrent),
        TEST(test_contexts_that_grow),
        TEST(test_killed_while_saving),
        TEST(test_killed_while_restoring),
        TEST(test_saved_when_idle),
        TEST(test_a_short_turn_is_saved_later),
        TEST(test_saved_while_it_writes),
        TEST(test_shared_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
