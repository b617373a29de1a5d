/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/doze-file-XXXXXX";

static const char *in_folder(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static void check_content(const char *path, const char *want) {
    struct buf text = BUF_INIT(1024);
    struct error err;
    assert_true(file_read(path, &text, &err));
    assert_string_equal(buf_str(&text), want);
    buf_clear(&text);
}

static void test_replace_leaves_one_private_whole_file(void **state) {
    (void)state;
    struct error err;
    struct stat info;
    const char *path = in_folder("a");
    assert_true(file_replace(path, "one", 3, &err));
    assert_true(file_replace(path, "three", 5, &err));
    check_content(path, "three");
    assert_true(file_replace_for_now(path, "two", 3, &err));
    check_content(path, "two");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_not_equal(access(in_folder("a.tmp"), F_OK), 0);
    unlink(in_folder("a"));
}

static void test_a_failed_replace_keeps_the_old_file(void **state) {
    (void)state;
    struct error err;
    assert_true(file_replace(in_folder("b"), "old", 3, &err));
    assert_int_equal(mkdir(in_folder("b.tmp"), 0700), 0); /* the temporary cannot be made */
    assert_false(file_replace(in_folder("b"), "new", 3, &err));
    assert_int_equal(err.code, ERR_IO);
    check_content(in_folder("b"), "old");
    rmdir(in_folder("b.tmp"));
    unlink(in_folder("b"));
}

static void test_read_tells_missing_from_too_large(void **state) {
    (void)state;
    struct error err;
    struct buf small = BUF_INIT(2);
    assert_false(file_read(in_folder("none"), &small, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(file_replace(in_folder("c"), "abc", 3, &err));
    assert_false(file_read(in_folder("c"), &small, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_clear(&small);
    unlink(in_folder("c"));
}

static void test_set_aside_moves_the_file(void **state) {
    (void)state;
    struct error err;
    assert_true(file_replace(in_folder("d"), "bad", 3, &err));
    assert_true(file_set_aside(in_folder("d"), &err));
    check_content(in_folder("d.corrupt"), "bad");
    assert_int_not_equal(access(in_folder("d"), F_OK), 0);
    unlink(in_folder("d.corrupt"));
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace_leaves_one_private_whole_file),
        cmocka_unit_test(test_a_failed_replace_keeps_the_old_file),
        cmocka_unit_test(test_read_tells_missing_from_too_large),
        cmocka_unit_test(test_set_aside_moves_the_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
