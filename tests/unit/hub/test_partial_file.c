/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_sum.h"
#include "base/xalloc.h"
#include "hub/partial_file.h"

/* Of "hello world". */
#define SHA "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

static char folder[64];
static char *path;

static int make_folder(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/doze-partial-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    path = xasprintf("%s/m.gguf", folder);
    return 0;
}

static int clear_folder(void **state) {
    (void)state;
    partial_remove(path);
    (void)unlink(path);
    free(path);
    return rmdir(folder);
}

static const struct partial_source hello = {
    .url = "u", .etag = "e", .sha256 = SHA, .size = 11
};

static struct partial_file opened(const struct partial_source *source) {
    struct partial_file file;
    struct error err;
    if (!partial_open(&file, path, source, &err)) fail_msg("%s", err.text);
    return file;
}

static bool exists(const char *ending) {
    char *name = xasprintf("%s%s", path, ending);
    bool there = access(name, F_OK) == 0;
    free(name);
    return there;
}

static void test_what_was_fetched_is_not_fetched_again(void **state) {
    (void)state;
    struct error err;
    struct partial_file file = opened(&hello);
    assert_true(partial_add(&file, "hello ", 6, &err));
    partial_close(&file);
    file = opened(&hello);
    assert_int_equal(file.done, 6);
    assert_false(partial_is_whole(&file));
    assert_true(partial_add(&file, "world", 5, &err));
    assert_true(partial_is_whole(&file));
    assert_true(partial_is_right(&file));
    assert_true(partial_sync(&file, &err));
    partial_close(&file);
    assert_false(exists(""));
    assert_true(partial_rename(path, &err));
    assert_true(exists(""));
    assert_false(exists(".part"));
    assert_false(exists(".part.json"));
    char sum[FILE_SUM_SIZE];
    if (file_sum_find(path, sum)) assert_string_equal(sum, SHA); /* else /tmp keeps none */
}

static void test_another_source_begins_with_nothing(void **state) {
    (void)state;
    struct error err;
    struct partial_source others[] = { hello, hello, hello };
    others[0].etag = "f";
    others[1].size = 12;
    others[2].sha256 = "";
    for (size_t i = 0; i < 3; i++) {
        struct partial_file file = opened(&hello);
        assert_true(partial_restart(&file, &err));
        assert_true(partial_add(&file, "hello", 5, &err));
        partial_close(&file);
        file = opened(&others[i]);
        assert_int_equal(file.done, 0);
        partial_close(&file);
    }
}

static void test_a_damaged_state_begins_with_nothing(void **state) {
    (void)state;
    struct error err;
    struct partial_file file = opened(&hello);
    assert_true(partial_add(&file, "hello", 5, &err));
    assert_true(file_replace(file.state, "{\"etag\":", 8, &err));
    partial_close(&file);
    file = opened(&hello);
    assert_int_equal(file.done, 0);
    partial_close(&file);
}

static void test_more_bytes_than_there_should_be(void **state) {
    (void)state;
    struct error err;
    struct partial_file file = opened(&hello);
    assert_false(partial_add(&file, "hello world!", 12, &err));
    assert_int_equal(file.done, 0);
    partial_close(&file);
    char *name = xasprintf("%s.part", path);
    FILE *part = fopen(name, "a"); /* longer on the disk, too */
    free(name);
    assert_non_null(part);
    fputs("hello world, and more", part);
    fclose(part);
    file = opened(&hello);
    assert_int_equal(file.done, 11);
    assert_true(partial_is_right(&file));
    partial_close(&file);
}

static void test_wrong_bytes_are_set_aside(void **state) {
    (void)state;
    struct error err;
    struct partial_file file = opened(&hello);
    assert_true(partial_add(&file, "hello w0rld", 11, &err));
    assert_true(partial_is_whole(&file));
    assert_false(partial_is_right(&file));
    assert_true(partial_set_aside(&file, &err));
    assert_true(exists(".part.wrong"));
    assert_int_equal(file.done, 0);
    assert_true(partial_add(&file, "hello world", 11, &err));
    assert_true(partial_is_right(&file));
    partial_close(&file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, clear_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_fetched_is_not_fetched_again),
        TEST(test_another_source_begins_with_nothing),
        TEST(test_a_damaged_state_begins_with_nothing),
        TEST(test_more_bytes_than_there_should_be),
        TEST(test_wrong_bytes_are_set_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
