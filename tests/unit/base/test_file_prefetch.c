/* SPDX-License-Identifier: MIT */
#include "base/file_prefetch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 10 << 20 };

static char folder[] =
    "/var/tmp/doze-warm-XXXXXX"; /* /tmp may be memory, which is always warm */
static float last;
static int calls;

static bool on_progress(float progress, void *ctx) {
    (void)ctx;
    assert_true(progress >= last && progress <= 1.0F);
    last = progress;
    calls++;
    return true;
}

static bool on_progress_stop(float progress, void *ctx) {
    return on_progress(progress, ctx) && false;
}

static int setup(void **state) {
    (void)state;
    last = 0;
    calls = 0;
    return 0;
}

/* A file that is on the disk and, as far as the kernel obeys, not in memory. */
static void write_cold(const char *name, char *path, size_t size) {
    snprintf(path, size, "%s/%s", folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    char *bytes = calloc(1, SIZE);
    memset(bytes, 7, SIZE);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
    free(bytes);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    close(fd);
}

static void test_a_cold_file_is_read_once(void **state) {
    (void)state;
    char path[128];
    write_cold("cold.gguf", path, sizeof path);
    uint64_t read = 0;
    assert_true(file_prefetch(path, on_progress, NULL, &read));
    assert_in_range(read, 1, SIZE);
    assert_true(calls > 0);
    last = 0;
    assert_true(file_prefetch(path, on_progress, NULL, &read));
    assert_int_equal(read, 0);
    unlink(path);
}

static void test_all_files_of_a_set(void **state) {
    (void)state;
    char one[128], two[128];
    write_cold("set-00001-of-00002.gguf", one, sizeof one);
    write_cold("set-00002-of-00002.gguf", two, sizeof two);
    uint64_t read = 0;
    assert_true(file_prefetch(one, on_progress, NULL, &read));
    assert_in_range(read, SIZE / 2, 2 * SIZE);
    assert_true(last > 0.5F); /* the second one counts too */
    last = 0;
    assert_true(file_prefetch(two, on_progress, NULL, &read));
    assert_int_equal(read, 0);
    unlink(one);
    unlink(two);
}

static void test_it_can_be_stopped(void **state) {
    (void)state;
    char path[128];
    write_cold("stop.gguf", path, sizeof path);
    assert_false(file_prefetch(path, on_progress_stop, NULL, NULL));
    assert_int_equal(calls, 1);
    unlink(path);
}

static void test_what_cannot_be_read_is_left_to_the_load(void **state) {
    (void)state;
    assert_false(file_prefetch("/nowhere/x.gguf", on_progress, NULL, NULL));
    assert_false(file_prefetch("/", on_progress, NULL, NULL));
    assert_false(file_prefetch("x-00001-of-99999.gguf", on_progress, NULL, NULL));
    assert_int_equal(calls, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_cold_file_is_read_once, setup),
        cmocka_unit_test_setup(test_all_files_of_a_set, setup),
        cmocka_unit_test_setup(test_it_can_be_stopped, setup),
        cmocka_unit_test_setup(test_what_cannot_be_read_is_left_to_the_load, setup),
    };
    if (!mkdtemp(folder)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
