/* SPDX-License-Identifier: MIT */
#include "base/dirs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_prelude.h"

static char root[64];

static const char *below(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static int set_up(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/doze-folder-XXXXXX");
    umask(022);
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    unlink(below("file"));
    rmdir(below("x/y/z"));
    rmdir(below("x/y"));
    rmdir(below("x"));
    return rmdir(root);
}

static mode_t mode_of(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_parents_are_made_and_existing_folders_stay(void **state) {
    (void)state;
    struct error err;
    assert_true(dirs_make(below("x"), 0755, &err));
    assert_true(dirs_make(below("x/y/z"), 0700, &err));
    assert_int_equal(mode_of(below("x")), 0755);
    assert_int_equal(mode_of(below("x/y")), 0700);
    assert_int_equal(mode_of(below("x/y/z")), 0700);
    assert_true(dirs_make(below("x//y/z/"), 0755, &err));
    assert_int_equal(mode_of(below("x/y/z")), 0700);
    assert_true(dirs_make("/", 0700, &err));
}

static void test_the_folder_that_a_path_is_in(void **state) {
    (void)state;
    struct error err;
    assert_true(dirs_make_parent(below("x/y/name"), 0700, &err));
    assert_int_equal(mode_of(below("x/y")), 0700);
    assert_int_equal(access(below("x/y/name"), F_OK), -1);
    assert_true(dirs_make_parent("name", 0700, &err));
    assert_true(dirs_make_parent("/name", 0700, &err));
}

static void test_what_cannot_be_made(void **state) {
    (void)state;
    struct error err;
    close(open(below("file"), O_WRONLY | O_CREAT, 0600));
    assert_false(dirs_make(below("file"), 0700, &err));
    assert_non_null(strstr(err.text, "Not a directory"));
    assert_false(dirs_make(below("file/x"), 0700, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(dirs_make("", 0700, &err));
    char longest[PATH_MAX + 1];
    memset(longest, 'x', PATH_MAX);
    longest[PATH_MAX] = '\0';
    assert_false(dirs_make(longest, 0700, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parents_are_made_and_existing_folders_stay, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_folder_that_a_path_is_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_made, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
