/* SPDX-License-Identifier: MIT */
/* The store without a model: what is found, what supersedes what, what leaves memory. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/store.h"

static char *path;
static struct store store;
static const struct store_cut anywhere = { .anywhere = true }, never = { 0 },
                              window = { .window = 64 };
enum { BODY = 1000 };

/* In the place of fstatvfs: a disk with so much room. */
static fsblkcnt_t free_bytes;
int __wrap_fstatvfs(int fd, struct statvfs *fs);
int __wrap_fstatvfs(int fd, struct statvfs *fs) {
    (void)fd;
    *fs = (struct statvfs){ .f_bavail = free_bytes, .f_frsize = 1 };
    return 0;
}

static int open_store(void **state) {
    (void)state;
    path = xstrdup("/tmp/doze-store-XXXXXX");
    if (!mkdtemp(path)) return -1;
    free_bytes = 1 << 30;
    store_init(&store, PROMPT_STORE_ON, path, 1 << 20);
    return 0;
}

static int close_store(void **state) {
    (void)state;
    for (size_t i = 0; i < store.count; i++) {
        if (store.entries[i]->on_disk) store_delete(&store, store.entries[i]);
    }
    store_clear(&store);
    assert_int_equal(rmdir(path), 0);
    free(path);
    return 0;
}

static int file_count(void) {
    int n = -2; /* . and .. */
    DIR *dir = opendir(path);
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

/* `count` tokens first, first + 1, ...; those from `other` on are of another conversation. */
static struct store_entry *entry_new(int first, size_t count, size_t other) {
    struct store_entry *entry = xcalloc(1, sizeof *entry);
    for (size_t i = 0; i < count; i++) {
        tokens_add(&entry->tokens, (llama_token)((int)i + first + (i >= other ? 100000 : 0)));
    }
    entry->body = xcalloc(BODY, 1);
    entry->body[0] = (unsigned char)first;
    entry->header.state_bytes = BODY;
    return entry;
}

/* As another worker of the same model would be at its start. */
static void reopen(enum prompt_store_mode mode) {
    store_clear(&store);
    store_init(&store, mode, path, 1 << 20);
    store_scan(&store);
}

static char *path_of(const struct store_entry *entry) {
    char name[ENTRY_NAME_SIZE];
    entry_name(&entry->header, name);
    return xasprintf("%s/%s", path, name);
}

static bool always(void *ctx) {
    (void)ctx;
    return true;
}

static void save(struct store_entry *entry) {
    struct error err;
    assert_true(store_save(&store, entry, always, NULL, &err));
}

static void put(struct store_entry *entry) {
    struct error err;
    assert_true(store_put(&store, entry, &err));
}

static struct store_match find(int first, size_t count, size_t other, struct store_cut cut) {
    struct store_entry *prompt = entry_new(first, count, other);
    struct store_match m = store_find(&store, prompt->tokens.data, count, cut);
    store_entry_free(prompt);
    return m;
}

static void test_most_tokens_in_common_win(void **state) {
    (void)state;
    save(entry_new(0, 300, 90));
    save(entry_new(0, 200, 150));
    save(entry_new(0, 300, 60));
    save(entry_new(7, 300, 300));
    assert_int_equal(store.count, 4);
    struct store_match m = find(0, 160, 160, anywhere);
    assert_int_equal(m.count, 150);
    assert_int_equal(m.entry->tokens.count, 200);
    assert_null(find(9999, 50, 50, anywhere).entry);
    assert_int_equal(find(7, 300, 300, anywhere).count, 299); /* one is left to process */
}

static void test_few_tokens_are_restored_from_a_short_entry(void **state) {
    (void)state;
    save(entry_new(0, 128, 128));
    struct store_match m = find(0, 50, 8, anywhere);
    assert_int_equal(m.count, 8);
    assert_true(store_gains(&m, 0));
    save(entry_new(500, 40, 40));
    m = find(500, 50, 8, anywhere);
    assert_true(store_gains(&m, 0));
    assert_false(store_gains(&m, 1)); /* seven more than there are */
    save(entry_new(1000, 129, 129));
    m = find(1000, 50, 8, anywhere);
    assert_int_equal(m.count, 8);
    assert_false(store_gains(&m, 0)); /* all of it would have to be read */
    m = find(1000, 50, 16, anywhere);
    assert_true(store_gains(&m, 0));
}

/* Which is read sooner. */
static void test_of_equals_the_one_in_memory_then_the_shorter(void **state) {
    (void)state;
    save(entry_new(0, 300, 150));
    save(entry_new(0, 200, 151));
    save(entry_new(0, 400, 152));
    assert_int_equal(find(0, 150, 150, anywhere).entry->tokens.count, 200);
    put(entry_new(0, 500, 153));
    assert_int_equal(store.count, 4);
    assert_int_equal(find(0, 150, 150, anywhere).entry->tokens.count, 500);
    save(entry_new(0, 190, 154));
    assert_int_equal(find(0, 150, 150, anywhere).entry->tokens.count, 500);
}

/* A state that cannot be cut serves whole, or up to a checkpoint. */
static void test_states_that_cannot_be_cut(void **state) {
    (void)state;
    struct store_entry *entry = entry_new(0, 100, 100);
    entry->header.checkpoint_count = 2;
    entry->header.checkpoints[0] = (struct entry_checkpoint){ 30, 10 };
    entry->header.checkpoints[1] = (struct entry_checkpoint){ 60, 10 };
    entry->header.tokens = 100;
    int checkpoint = 0;
    assert_int_equal(store_usable(entry, 100, never, &checkpoint), 100);
    assert_int_equal(checkpoint, -1);
    assert_int_equal(store_usable(entry, 99, never, &checkpoint), 60);
    assert_int_equal(checkpoint, 1);
    assert_int_equal(store_usable(entry, 59, never, &checkpoint), 30);
    assert_int_equal(checkpoint, 0);
    assert_int_equal(store_usable(entry, 29, never, &checkpoint), 0);
    assert_int_equal(store_usable(entry, 99, window, &checkpoint), 60);
    assert_int_equal(store_usable(entry, 77, anywhere, &checkpoint), 77);
    assert_int_equal(checkpoint, -1);
    entry->header.tokens = 64; /* no longer than the window: all of it is there */
    assert_int_equal(store_usable(entry, 50, window, &checkpoint), 50);
    store_entry_free(entry);
}

static void test_the_longer_supersedes_its_beginning(void **state) {
    (void)state;
    save(entry_new(0, 100, 100));
    save(entry_new(0, 300, 300));
    assert_int_equal(store.count, 1);
    assert_int_equal(file_count(), 1);
    save(entry_new(0, 400, 280)); /* the last 20 differ: as good as its beginning */
    assert_int_equal(store.count, 1);
    save(entry_new(0, 500, 200)); /* another conversation from 200 on */
    assert_int_equal(store.count, 2);
    assert_int_equal(file_count(), 2);
}

static void test_the_same_again_keeps_its_file(void **state) {
    (void)state;
    save(entry_new(0, 100, 100));
    save(entry_new(0, 100, 100));
    assert_int_equal(store.count, 1);
    assert_int_equal(file_count(), 1);
}

static void test_what_is_there_already_is_not_wanted(void **state) {
    (void)state;
    struct store_entry *entry = entry_new(0, 200, 200);
    const llama_token *tokens = entry->tokens.data;
    assert_false(store_wants(&store, tokens, 31, anywhere)); /* too short */
    assert_true(store_wants(&store, tokens, 200, anywhere));
    save(entry_new(0, 190, 190));
    assert_false(store_wants(&store, tokens, 200, anywhere)); /* 10 more are not worth it */
    assert_true(store_wants(&store, tokens, 200, never));
    assert_false(store_wants(&store, tokens, 190, never));
    assert_true(store_wants(&store, tokens, 150, never));
    assert_false(store_wants(&store, tokens, 150, anywhere));
    store_entry_free(entry);
}

/* The limit of memory holds; what is over it is written first. */
static void test_memory_spills_to_disk(void **state) {
    (void)state;
    store.memory_limit = 2 * BODY;
    for (int i = 0; i < 4; i++) put(entry_new(1000 * i, 100, 100));
    assert_int_equal(store.count, 4);
    assert_int_equal(store.memory, 2 * BODY);
    assert_int_equal(file_count(), 2);
    struct error err;
    assert_true(store_write_all(&store, always, NULL, &err));
    assert_int_equal(file_count(), 4);
    assert_int_equal(store.memory, 2 * BODY); /* still there, and now also on disk */
}

static void test_memory_only_drops(void **state) {
    (void)state;
    store.mode = PROMPT_STORE_MEMORY;
    store.memory_limit = 2 * BODY;
    for (int i = 0; i < 4; i++) put(entry_new(1000 * i, 100, 100));
    assert_int_equal(store.count, 2);
    assert_int_equal(file_count(), 0);
}

/* What is in memory only must not cost the older copy on disk: the process may be killed. */
static void test_an_older_file_stays_until_the_longer_is_written(void **state) {
    (void)state;
    save(entry_new(0, 100, 100));
    put(entry_new(0, 300, 300));
    assert_int_equal(file_count(), 1);
    assert_int_equal(store.count, 2);
    struct error err;
    assert_true(store_write_all(&store, always, NULL, &err));
    assert_int_equal(file_count(), 1);
    assert_int_equal(store.count, 1);
    assert_int_equal(store.entries[0]->tokens.count, 300);
}

static void test_bodies_come_back(void **state) {
    (void)state;
    save(entry_new(5, 100, 100));
    put(entry_new(6, 100, 100));
    for (int first = 5; first <= 6; first++) {
        struct store_match m = find(first, 100, 100, anywhere);
        const unsigned char *body = store_borrow(&store, m.entry);
        assert_non_null(body);
        assert_int_equal(body[0], first);
        store_return(&store, m.entry, body);
        store_touch(&store, m.entry);
    }
    assert_int_equal(store.hits, 2);
}

static void test_a_file_that_vanished_is_a_miss(void **state) {
    (void)state;
    save(entry_new(5, 100, 100));
    store_delete(&store, store.entries[0]);
    assert_null(store_borrow(&store, store.entries[0]));
    assert_int_equal(store.count, 0);
}

/* Byte `at` from the end is another one. */
static void damage(const struct store_entry *entry, off_t at) {
    char *file = path_of(entry);
    unsigned char byte;
    struct stat st;
    int fd = open(file, O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(pread(fd, &byte, 1, st.st_size - at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, st.st_size - at), 1);
    close(fd);
    free(file);
}

static void test_a_damaged_body_is_deleted(void **state) {
    (void)state;
    save(entry_new(5, 100, 100));
    damage(store.entries[0], 1);
    assert_null(store_borrow(&store, store.entries[0]));
    assert_int_equal(store.count, 0);
    assert_int_equal(file_count(), 0);
}

static void test_a_file_that_was_cut_is_deleted(void **state) {
    (void)state;
    save(entry_new(5, 100, 100));
    char *file = path_of(store.entries[0]);
    assert_int_equal(truncate(file, 0), 0);
    assert_null(store_borrow(&store, store.entries[0]));
    assert_int_equal(file_count(), 0);
    free(file);
}

static void test_tokens_that_are_damaged_are_deleted(void **state) {
    (void)state;
    save(entry_new(5, 100, 100));
    damage(store.entries[0], BODY + 1);
    reopen(PROMPT_STORE_ON);
    assert_int_equal(store.count, 0);
    assert_int_equal(file_count(), 0);
}

/* Another conversation's name on it. */
static void test_a_file_under_another_name_is_deleted(void **state) {
    (void)state;
    save(entry_new(5, 100, 100));
    char *file = path_of(store.entries[0]);
    char *other = xasprintf("%s/0123456789abcdef.prompt", path);
    assert_int_equal(rename(file, other), 0);
    reopen(PROMPT_STORE_ON);
    assert_int_equal(store.count, 0);
    assert_int_equal(file_count(), 0);
    free(file);
    free(other);
}

static void test_in_memory_mode_files_are_left_alone(void **state) {
    (void)state;
    save(entry_new(5, 100, 100));
    reopen(PROMPT_STORE_MEMORY);
    assert_int_equal(store.count, 0);
    assert_int_equal(file_count(), 1);
    reopen(PROMPT_STORE_ON); /* so that it is tidied up */
}

static void set_used(const struct store_entry *entry, time_t when) {
    char *file = path_of(entry);
    struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
    free(file);
}

static time_t used(const struct store_entry *entry) {
    char *file = path_of(entry);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    free(file);
    return st.st_mtime;
}

static void test_use_makes_a_file_new(void **state) {
    (void)state;
    int64_t before = clock_unix();
    save(entry_new(5, 100, 100));
    assert_true(store.entries[0]->used >= before);
    set_used(store.entries[0], 1000);
    reopen(PROMPT_STORE_ON);
    assert_int_equal(store.entries[0]->used, 1000 * 1000);
    store_touch(&store, store.entries[0]);
    assert_true(store.entries[0]->used >= before);
    assert_true(used(store.entries[0]) >= before / 1000);
}

static void delete_known(void) {
    while (store.count > 0) {
        store_delete(&store, store.entries[0]);
        store_drop(&store, store.entries[0]);
    }
}

/* The newest are read; the daemon makes room. */
static void test_one_file_past_the_most_is_not_read(void **state) {
    (void)state;
    for (int i = 0; i <= STORE_MAX_FILES; i++) {
        save(entry_new(1000 * i, 40, 40));
        set_used(store.entries[i], 1000 + (i + 300) % (STORE_MAX_FILES + 1));
    }
    reopen(PROMPT_STORE_ON);
    assert_int_equal(store.count, STORE_MAX_FILES);
    for (size_t i = 0; i < store.count; i++) assert_true(store.entries[i]->used > 1000 * 1000);
    delete_known();
    reopen(PROMPT_STORE_ON);
    assert_int_equal(store.count, 1);
    assert_int_equal(store.entries[0]->used, 1000 * 1000);
}

/* At most half of what is free. */
static void test_a_disk_without_room_is_an_error(void **state) {
    (void)state;
    struct error err;
    struct store_entry *entry = entry_new(5, 100, 100);
    uint64_t size = ENTRY_HEADER_SIZE + 100 * sizeof(llama_token) + BODY;
    free_bytes = 2 * size - 1;
    assert_false(store_save(&store, entry, always, NULL, &err));
    assert_non_null(strstr(err.text, "No space left"));
    assert_int_equal(file_count(), 0);
    free_bytes = 2 * size;
    save(entry_new(5, 100, 100));
}

static void test_files_are_their_owners_alone(void **state) {
    (void)state;
    struct stat st;
    save(entry_new(5, 100, 100));
    char *file = path_of(store.entries[0]);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(file);
}

static void test_a_new_store_finds_the_files(void **state) {
    (void)state;
    struct stat st;
    save(entry_new(5, 100, 100));
    save(entry_new(6, 100, 100));
    store_clear(&store);
    store_init(&store, PROMPT_STORE_ON, path, 1 << 20);
    store_scan(&store);
    assert_int_equal(store.count, 2);
    assert_int_equal(find(5, 101, 101, anywhere).count, 100);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_other_fingerprints(void **state) {
    (void)state;
    unsigned char fingerprint[FINGERPRINT_SIZE] = { 0 };
    save(entry_new(5, 100, 100));
    store_clear(&store);
    store_init(&store, PROMPT_STORE_ON, path, 1 << 20);
    fingerprint[FINGERPRINT_SIZE - 1] = 1; /* left for workers with those settings */
    store_set_fingerprint(&store, fingerprint);
    store_scan(&store);
    assert_int_equal(store.count, 0);
    assert_int_equal(file_count(), 1);
    store_clear(&store);
    store_init(&store, PROMPT_STORE_ON, path, 1 << 20);
    fingerprint[0] = 1; /* another file: of no use to anybody */
    store_set_fingerprint(&store, fingerprint);
    store_scan(&store);
    assert_int_equal(file_count(), 0);
}

/* Asked to give up between two pieces: no file, and no trace of one. */
static bool never_go_on(void *ctx) {
    (void)ctx;
    return false;
}

static void test_giving_up_leaves_nothing(void **state) {
    (void)state;
    struct error err;
    assert_false(store_save(&store, entry_new(5, 100, 100), never_go_on, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(store.count, 0);
    assert_int_equal(file_count(), 0);
}

/* Gone before the first file, and after it: there is room, and only a load makes it again. */
static void test_a_folder_that_is_gone(void **state) {
    (void)state;
    struct error err;
    assert_int_equal(rmdir(path), 0);
    assert_false(store_save(&store, entry_new(5, 100, 100), always, NULL, &err));
    assert_non_null(strstr(err.text, "reload the model"));
    assert_int_equal(mkdir(path, 0700), 0);
    save(entry_new(5, 100, 100));
    store_delete(&store, store.entries[0]);
    assert_int_equal(rmdir(path), 0);
    assert_false(store_save(&store, entry_new(6, 100, 100), always, NULL, &err));
    assert_non_null(strstr(err.text, "reload the model"));
    assert_int_equal(mkdir(path, 0700), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_most_tokens_in_common_win),
        TEST(test_few_tokens_are_restored_from_a_short_entry),
        TEST(test_of_equals_the_one_in_memory_then_the_shorter),
        TEST(test_the_same_again_keeps_its_file),
        TEST(test_a_damaged_body_is_deleted),
        TEST(test_a_file_that_was_cut_is_deleted),
        TEST(test_tokens_that_are_damaged_are_deleted),
        TEST(test_a_file_under_another_name_is_deleted),
        TEST(test_in_memory_mode_files_are_left_alone),
        TEST(test_use_makes_a_file_new),
        TEST(test_one_file_past_the_most_is_not_read),
        TEST(test_a_disk_without_room_is_an_error),
        TEST(test_files_are_their_owners_alone),
        TEST(test_states_that_cannot_be_cut),
        TEST(test_the_longer_supersedes_its_beginning),
        TEST(test_what_is_there_already_is_not_wanted),
        TEST(test_memory_spills_to_disk),
        TEST(test_memory_only_drops),
        TEST(test_an_older_file_stays_until_the_longer_is_written),
        TEST(test_bodies_come_back),
        TEST(test_a_file_that_vanished_is_a_miss),
        TEST(test_a_new_store_finds_the_files),
        TEST(test_other_fingerprints),
        TEST(test_giving_up_leaves_nothing),
        TEST(test_a_folder_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
