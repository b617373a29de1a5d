/* SPDX-License-Identifier: MIT */
/* The prompt store through a real worker: damaged and foreign files, no room, workers that are
 * killed. What cannot be used is a miss, and the answer is right. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "models.h"
#include "store_folder.h"

static long damage_at; /* < 0: cut off this many bytes of the file */

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

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_damage_is_a_miss),          TEST(test_foreign_files_are_left_alone),
        TEST(test_other_settings_are_a_miss), TEST(test_another_file_is_a_miss),
        TEST(test_no_room_is_one_warning),    TEST(test_killed_while_saving),
        TEST(test_killed_while_restoring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
