/* SPDX-License-Identifier: MIT */
/* Which prompts a node of a fleet has, from one start to the next. */
#include "cmocka_prelude.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/xalloc.h"
#include "daemon/held_store.h"
#include "daemon/prompt_gc.h"
#include "fleet/prefix_text.h"
#include "prompts/entry.h"

static char *dir;
static uv_loop_t loop;
static struct settings settings;
static struct metrics metrics;
static struct held_prompts got;
static int reads;

static char *place(const char *name) {
    return xasprintf("%s/%s", dir, name);
}

static void remove_at(const char *name) {
    char *path = place(name);
    (void)remove(path);
    free(path);
}

static void make_folder(const char *name) {
    char *path = place(name);
    (void)mkdir(path, 0700);
    free(path);
}

/* The model has one processed prompt. */
static void put_entry(const char *folder) {
    unsigned char bytes[ENTRY_HEADER_SIZE + 400 + 1000] = { 0 };
    struct entry_header h = { .tokens = 100, .state_bytes = 1000 };
    char name[ENTRY_NAME_SIZE];
    entry_format(&h, bytes);
    entry_name(&h, name);
    make_folder("prompts");
    char *sub = xasprintf("prompts/%s", folder), *file = xasprintf("%s/%s/%s", dir, sub, name);
    make_folder(sub);
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
    close(fd);
    free(file);
    free(sub);
}

static int set_up(void **state) {
    (void)state;
    dir = xstrdup("/tmp/doze-held-XXXXXX");
    settings = (struct settings){ .prompt_store_bytes = UINT64_C(1) << 30 };
    got = (struct held_prompts){ 0 };
    reads = 0;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    struct prompt_files files;
    char *prompts = place("prompts");
    (void)state;
    prompt_files_scan(prompts, 0, &files);
    (void)prompt_files_delete(&files, NULL);
    for (size_t i = 0; i < files.folder_count; i++) {
        char *path = xasprintf("%s/%s", prompts, files.folders[i]);
        (void)rmdir(path);
        free(path);
    }
    prompt_files_clear(&files);
    (void)rmdir(prompts);
    free(prompts);
    remove_at("fleet-prompts.json");
    remove_at("fleet-prompts.json.corrupt");
    assert_int_equal(rmdir(dir), 0);
    free(dir);
    return 0;
}

static void on_read(void *ctx, const struct held_prompts *held) {
    (void)ctx;
    reads++;
    got = *held;
}

/* One run of the daemon: it reads, and saves what it is given so often at these times. */
static int run(const char *secret, const struct held_prompts *save, const msec *times,
               size_t count) {
    int saved = 0;
    uv_loop_init(&loop);
    struct prompts *prompts = prompts_new(&loop, dir, &settings, &metrics);
    struct held_store *store = held_store_new(&loop, dir, prompts);
    held_store_read(store, secret, (struct held_sink){ on_read, NULL });
    for (size_t i = 0; i < count; i++)
        saved += held_store_save(store, secret, save, times[i], false);
    if (save && count == 0) saved += held_store_save(store, secret, save, 1, true);
    uv_run(&loop, UV_RUN_DEFAULT);
    prompts_close(prompts);
    uv_run(&loop, UV_RUN_DEFAULT);
    held_store_free(store);
    assert_int_equal(uv_loop_close(&loop), 0);
    return saved;
}

static struct held_prompts held_of(const char *const *models, size_t count) {
    struct held_prompts held = { 0 };
    for (size_t i = count; i-- > 0;) {
        held_prompts_add(
            &held, (struct held_prompt){ .model = prefix_model(models[i], strlen(models[i])),
                                         .head = UINT64_MAX - i });
    }
    return held;
}

static void test_a_restart_knows_the_prompts_of_models_in_the_store(void **state) {
    (void)state;
    static const char *const models[] = { "a", "gone", "owner/b", "a" };
    struct held_prompts held = held_of(models, 4);
    put_entry("a");
    put_entry("owner%2Fb");
    put_entry("unknown");
    (void)run("secret", &held, NULL, 0);
    assert_int_equal(reads, 0); /* there was no file */
    (void)run("secret", NULL, NULL, 0);
    assert_int_equal(reads, 1);
    assert_int_equal(got.count, 3);
    assert_true(got.list[0].head == UINT64_MAX); /* the newest first */
    assert_true(got.list[1].head == UINT64_MAX - 2);
    assert_true(got.list[2].head == UINT64_MAX - 3);
}

static void test_an_empty_store_has_no_prompts(void **state) {
    (void)state;
    static const char *const models[] = { "a" };
    struct held_prompts held = held_of(models, 1);
    (void)run("secret", &held, NULL, 0);
    (void)run("secret", NULL, NULL, 0);
    assert_int_equal(reads, 0);
}

static void test_with_another_fleet_key_prompts_have_other_hashes(void **state) {
    (void)state;
    static const char *const models[] = { "a" };
    struct held_prompts held = held_of(models, 1);
    put_entry("a");
    (void)run("secret", &held, NULL, 0);
    (void)run("another", NULL, NULL, 0);
    assert_int_equal(reads, 0);
}

static void test_a_damaged_file_has_none(void **state) {
    (void)state;
    static const char *const texts[] = { "[]", "{\"secret\":\"secret\"", "",
                                         "{\"secret\":\"secret\",\"prompts\":[[1],7,[1,-2],"
                                         "[\"a\",3],[]]}" };
    struct error err;
    put_entry("a");
    char *path = place("fleet-prompts.json");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(file_replace(path, texts[i], strlen(texts[i]), &err));
        (void)run("secret", NULL, NULL, 0);
        assert_int_equal(reads, 0);
    }
    free(path);
}

static void test_no_more_than_are_published_come_back(void **state) {
    (void)state;
    struct buf text = BUF_INIT(1 << 20);
    struct error err;
    char *path = place("fleet-prompts.json");
    unsigned long long model = prefix_model("a", 1);
    put_entry("a");
    (void)buf_addf(&text, "{\"secret\":\"secret\",\"prompts\":[[%llu,1]", model);
    for (int i = 2; i <= 2 * HELD_PROMPTS_MAX; i++)
        (void)buf_addf(&text, ",[%llu,%d]", model, i);
    (void)buf_addf(&text, "]}");
    assert_true(file_replace(path, buf_str(&text), text.len, &err));
    (void)run("secret", NULL, NULL, 0);
    assert_int_equal(got.count, HELD_PROMPTS_MAX);
    assert_int_equal(got.list[0].head, 1);
    assert_int_equal(got.list[HELD_PROMPTS_MAX - 1].head, HELD_PROMPTS_MAX);
    buf_clear(&text);
    free(path);
}

static void test_it_is_written_every_half_minute_at_most(void **state) {
    (void)state;
    static const char *const models[] = { "a" };
    static const msec times[] = { 1000, 1020, 30999, 31000, 60000, 61000 };
    struct held_prompts held = held_of(models, 1);
    assert_int_equal(run("secret", &held, times, 6), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_restart_knows_the_prompts_of_models_in_the_store,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_store_has_no_prompts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_another_fleet_key_prompts_have_other_hashes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_file_has_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_more_than_are_published_come_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_it_is_written_every_half_minute_at_most, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
