/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file_sum.h"

static const char sum[] = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

static char path[64];
static int fd;

static int make_file(void **state) {
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/doze-sum-XXXXXX");
    fd = mkstemp(path);
    return fd >= 0 && write(fd, "hello world", 11) == 11 ? 0 : -1;
}

static int remove_file(void **state) {
    (void)state;
    close(fd);
    return unlink(path);
}

/* A file system without extended attributes knows no sums, which is not a fault. */
static bool can_keep(void) {
    if (fsetxattr(fd, "user.doze.test", "1", 1, 0) == 0) return true;
    skip();
    return false;
}

static void test_a_sum_is_kept_with_the_file(void **state) {
    (void)state;
    char found[FILE_SUM_SIZE];
    assert_false(file_sum_find(path, found));
    if (!can_keep()) return;
    file_sum_keep(fd, sum);
    assert_true(file_sum_find(path, found));
    assert_string_equal(found, sum);
    assert_false(file_sum_find("/tmp/doze-no-such-file", found));
}

static void test_a_file_that_changed_has_none(void **state) {
    (void)state;
    char found[FILE_SUM_SIZE];
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1, .tv_nsec = 2 } };
    if (!can_keep()) return;
    file_sum_keep(fd, sum);
    assert_int_equal(futimens(fd, times), 0); /* other bytes, as many */
    assert_false(file_sum_find(path, found));
    file_sum_keep(fd, sum);
    assert_true(file_sum_find(path, found));
    assert_int_equal(ftruncate(fd, 5), 0);
    assert_int_equal(futimens(fd, times), 0); /* other bytes at the same time */
    assert_false(file_sum_find(path, found));
}

static void test_what_is_no_sum_is_none(void **state) {
    (void)state;
    static const char *const values[] = { "", "b94d", "B94D", "b94d27b9 11 1.000000002" };
    char found[FILE_SUM_SIZE];
    if (!can_keep()) return;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_int_equal(fsetxattr(fd, "user.doze.sha256", values[i], strlen(values[i]), 0), 0);
        assert_false(file_sum_find(path, found));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_file, remove_file)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_sum_is_kept_with_the_file),
        TEST(test_a_file_that_changed_has_none),
        TEST(test_what_is_no_sum_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
