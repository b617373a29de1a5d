/* SPDX-License-Identifier: MIT */
/* The prompt store's folder: what is counted, what goes first, what is none of our business. */
#include "cmocka_prelude.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/prompt_files.h"
#include "prompts/entry.h"

static char *dir;
enum { HOUR = 3600 * 1000 };
static const int64_t now = INT64_C(1800000000000);

static int make_dir(void **state) {
    (void)state;
    dir = xstrdup("/tmp/doze-prompts-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    struct prompt_files files;
    prompt_files_scan(dir, now, &files);
    (void)prompt_files_delete(&files, NULL);
    for (size_t i = 0; i < files.folder_count; i++) {
        char *path = xasprintf("%s/%s", dir, files.folders[i]);
        assert_int_equal(rmdir(path), 0);
        free(path);
    }
    prompt_files_clear(&files);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
    return 0;
}

static char *file_write(const char *folder, const char *name, const void *bytes, size_t len,
                        int64_t used) {
    char *path = xasprintf("%s/%s", dir, folder);
    (void)mkdir(path, 0700);
    free(path);
    path = xasprintf("%s/%s/%s", dir, folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    struct timespec times[2] = { { .tv_sec = used / 1000 }, { .tv_sec = used / 1000 } };
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
    return path;
}

/* A whole entry of 100 tokens with 1000 bytes of state. */
static char *entry_write(const char *folder, unsigned char mark, int64_t used) {
    unsigned char bytes[ENTRY_HEADER_SIZE + 400 + 1000] = { 0 };
    struct entry_header h = { .tokens = 100, .state_bytes = 1000, .tokens_sum = mark };
    char name[ENTRY_NAME_SIZE];
    entry_format(&h, bytes);
    entry_name(&h, name);
    return file_write(folder, name, bytes, sizeof bytes, used);
}

enum { ENTRY_SIZE = ENTRY_HEADER_SIZE + 1400 };

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

static void test_entries_are_counted(void **state) {
    (void)state;
    free(entry_write("one", 1, now));
    free(entry_write("one", 2, now - HOUR));
    free(entry_write("two", 3, now));
    struct prompt_files files;
    prompt_files_scan(dir, now, &files);
    assert_int_equal(files.count, 3);
    assert_int_equal(files.list[0].tokens, 100);
    assert_int_equal(prompt_files_bytes(&files), 3 * ENTRY_SIZE);
    assert_int_equal(prompt_files_delete(&files, "one"), 2);
    assert_int_equal(files.count, 1);
    assert_string_equal(files.list[0].folder, "two");
    prompt_files_clear(&files);
    char *folder = xasprintf("%s/one", dir);
    assert_true(exists(folder)); /* a worker may have it open */
    free(folder);
}

static void test_no_store_is_an_empty_one(void **state) {
    (void)state;
    struct prompt_files files;
    prompt_files_scan("/nonexistent/prompts", now, &files);
    assert_int_equal(files.count, 0);
    assert_int_equal(prompt_files_fit(&files, 0, now), 0);
    prompt_files_clear(&files);
}

static void test_the_oldest_makes_room(void **state) {
    (void)state;
    char *fresh = entry_write("one", 1, now), *old = entry_write("one", 2, now - 5 * HOUR);
    char *middle = entry_write("two", 3, now - 2 * HOUR);
    struct prompt_files files;
    prompt_files_scan(dir, now, &files);
    assert_int_equal(prompt_files_fit(&files, 2 * ENTRY_SIZE, now), 1);
    assert_true(exists(fresh) && exists(middle) && !exists(old));
    assert_int_equal(prompt_files_fit(&files, ENTRY_SIZE, now), 1);
    assert_true(exists(fresh) && !exists(middle));
    assert_int_equal(files.count, 1);
    prompt_files_clear(&files);
    free(fresh);
    free(old);
    free(middle);
}

/* With the name of an entry but no entry: deleted. Left by a killed worker: deleted when it
 * cannot be one that is being written. Everything else is left alone. */
static void test_rubbish_goes_and_foreign_files_stay(void **state) {
    (void)state;
    char *bad = file_write("one", "0123456789abcdef.prompt", "rubbish", 7, now);
    char *empty = file_write("one", "0123456789abcde0.prompt", "", 0, now);
    char *left = file_write("one", ".new-77-0123456789abcdef.prompt", "x", 1, now - HOUR);
    char *fresh = file_write("one", ".new-78-0123456789abcdef.prompt", "x", 1, now);
    char *foreign = file_write("one", "notes.txt", "x", 1, now - HOUR);
    struct prompt_files files;
    prompt_files_scan(dir, now, &files);
    assert_int_equal(files.count, 0);
    assert_false(exists(bad) || exists(empty) || exists(left));
    assert_true(exists(fresh) && exists(foreign));
    prompt_files_clear(&files);
    assert_int_equal(unlink(fresh) + unlink(foreign), 0);
    char *folder = xasprintf("%s/one", dir);
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    free(bad);
    free(empty);
    free(left);
    free(fresh);
    free(foreign);
}

static void test_never_more_than_half_of_the_free_disk(void **state) {
    (void)state;
    assert_int_equal(prompt_files_budget(dir, 1000, 0), 1000);
    assert_true(prompt_files_budget(dir, UINT64_MAX, 0) < UINT64_MAX / 2);
    assert_int_equal(prompt_files_budget("/nonexistent", 1000, 0), 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_entries_are_counted),
        TEST(test_no_store_is_an_empty_one),
        TEST(test_the_oldest_makes_room),
        TEST(test_rubbish_goes_and_foreign_files_stay),
        TEST(test_never_more_than_half_of_the_free_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
