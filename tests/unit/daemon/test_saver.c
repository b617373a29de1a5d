/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/xalloc.h"
#include "daemon/saver.h"

struct disk {
    char folder[32];
    char path[64];
    uv_loop_t loop;
    struct saver *saver;
    int saved, failed;
    int more; /* texts that on_saved is to put */
    struct error error;
};

static void put(struct disk *d, int number) {
    struct buf text = BUF_INIT(100);
    buf_addf(&text, "%d", number);
    saver_put(d->saver, &text);
    assert_int_equal(text.len, 0);
    buf_clear(&text);
}

static void on_saved(void *ctx, const struct error *error) {
    struct disk *d = ctx;
    d->saved += error == NULL;
    d->failed += error != NULL;
    if (error) d->error = *error;
    if (d->more > 0) put(d, 1000 + d->more--);
}

static void expect(const struct disk *d, const char *content) {
    struct buf text = BUF_INIT(100);
    struct error err;
    assert_true(file_read(d->path, &text, &err));
    assert_string_equal(buf_str(&text), content);
    buf_clear(&text);
}

static int set_up(void **state) {
    struct disk *d = xcalloc(1, sizeof *d);
    snprintf(d->folder, sizeof d->folder, "/tmp/doze-saver-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    snprintf(d->path, sizeof d->path, "%s/file", d->folder);
    uv_loop_init(&d->loop);
    d->saver = saver_new(&d->loop, d->path, on_saved, d);
    *state = d;
    return 0;
}

static int tear_down(void **state) {
    struct disk *d = *state;
    uv_run(&d->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&d->loop), 0);
    saver_free(d->saver);
    unlink(d->path);
    assert_int_equal(rmdir(d->folder), 0);
    free(d);
    return 0;
}

static void test_the_newest_text_is_what_stays(void **state) {
    struct disk *d = *state;
    for (int i = 0; i < 100; i++) put(d, i);
    assert_int_equal(d->saved, 0); /* not from inside the call */
    uv_run(&d->loop, UV_RUN_DEFAULT);
    expect(d, "99");
    assert_int_equal(d->saved,
                     2); /* the first, and the one that took the place of all others */
}

static void test_a_text_from_inside_the_callback_is_written(void **state) {
    struct disk *d = *state;
    d->more = 3;
    put(d, 0);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    assert_int_equal(d->saved, 4);
    expect(d, "1001");
}

static void test_each_turn_of_the_loop_finds_a_whole_file(void **state) {
    struct disk *d = *state;
    put(d, 7);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 50; i++) {
        put(d, 7);
        put(d, 7);
        while (uv_run(&d->loop, UV_RUN_ONCE)) expect(d, "7");
    }
    assert_int_equal(d->saved, 101);
}

static void test_a_failure_is_told_and_the_next_text_tried(void **state) {
    struct disk *d = *state;
    char temp[80];
    snprintf(temp, sizeof temp, "%s.tmp", d->path);
    put(d, 1);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    assert_int_equal(mkdir(temp, 0700), 0); /* in the way of the temporary file */
    put(d, 2);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    assert_int_equal(d->failed, 1);
    assert_int_equal(d->error.code, ERR_IO);
    expect(d, "1");
    assert_int_equal(rmdir(temp), 0);
    put(d, 3);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    expect(d, "3");
    assert_int_equal(d->failed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_the_newest_text_is_what_stays),
        TEST(test_a_text_from_inside_the_callback_is_written),
        TEST(test_each_turn_of_the_loop_finds_a_whole_file),
        TEST(test_a_failure_is_told_and_the_next_text_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
