/* SPDX-License-Identifier: MIT */
/* Changes of the settings while a disk is busy with the first of them. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/settings_store.h"

struct scene {
    uv_loop_t loop;
    struct settings_store *store;
    char folder[32], path[64], key_path[64];
    int done, refused, in_force;
    struct error error;
};

static void on_end(void *ctx, const struct error *error) {
    struct scene *s = ctx;
    s->done += error == NULL;
    s->refused += error != NULL;
    if (error) s->error = *error;
}

static void change(struct scene *s, const char *json) {
    struct error err;
    yyjson_doc *doc = json_parse(json, strlen(json), &err);
    assert_non_null(doc);
    settings_store_patch(s->store, yyjson_doc_get_root(doc),
                         (struct done_sink){ .on_end = on_end, .ctx = s });
    yyjson_doc_free(doc);
}

static void on_changed(void *ctx) {
    struct scene *s = ctx;
    assert_int_equal(s->done, s->in_force); /* before the sink is told */
    s->in_force++;
}

static int set_up(void **state) {
    struct scene *s = xcalloc(1, sizeof *s);
    snprintf(s->folder, sizeof s->folder, "/tmp/doze-change-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/settings.json", s->folder);
    snprintf(s->key_path, sizeof s->key_path, "%s/api_key.json", s->folder);
    uv_loop_init(&s->loop);
    s->store = settings_store_new(&s->loop, s->folder, on_changed, s);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    struct scene *s = *state;
    assert_int_equal(uv_loop_close(&s->loop), 0);
    settings_store_free(s->store);
    char aside[80];
    snprintf(aside, sizeof aside, "%s.corrupt", s->path);
    (void)unlink(aside);
    (void)unlink(s->path);
    (void)unlink(s->key_path);
    assert_int_equal(rmdir(s->folder), 0);
    free(s);
    return 0;
}

static void test_changes_wait_for_one_another(void **state) {
    struct scene *s = *state;
    change(s, "{\"max_waiting\":7}");
    change(s, "{\"max_waiting\":0}");
    change(s, "{\"jit\":false}");
    assert_int_equal(s->done + s->refused, 0);
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting,
                     128); /* not before it is on disk */
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->done, 2);
    assert_int_equal(s->in_force, 2);
    assert_int_equal(s->refused, 1);
    assert_string_equal(s->error.param, "max_waiting");
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 7);
    assert_false(settings_store_get(s->store)->rules.jit);
    struct buf text = BUF_INIT(1 << 16);
    struct error err;
    assert_true(file_read(s->path, &text, &err));
    assert_non_null(strstr(buf_str(&text), "\"max_waiting\":7"));
    assert_non_null(strstr(buf_str(&text), "\"jit\":false"));
    buf_clear(&text);
}

static void test_what_cannot_be_written_does_not_hold(void **state) {
    struct scene *s = *state;
    char temp[80];
    snprintf(temp, sizeof temp, "%s.tmp", s->path);
    assert_int_equal(mkdir(temp, 0700), 0); /* in the way of the temporary file */
    change(s, "{\"max_waiting\":7}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->error.code, ERR_IO);
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 128);
    assert_int_equal(rmdir(temp), 0);
    change(s, "{\"jit\":false}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->done, 1);
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 128);
}

static void test_one_past_the_most_is_refused(void **state) {
    struct scene *s = *state;
    for (int i = 0; i < 64; i++) change(s, "{\"jit\":true}");
    assert_int_equal(s->refused, 0);
    change(s, "{\"jit\":true}");
    assert_int_equal(s->refused, 1);
    assert_int_equal(s->error.code, ERR_QUEUE_FULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->done, 64);
}

/* A client that changes the settings again as soon as it hears of its first change. */
static void on_end_again(void *ctx, const struct error *error) {
    on_end(ctx, error);
    change(ctx, "{\"max_waiting\":9}");
}

static void change_and_again(struct scene *s, const char *json) {
    struct error err;
    yyjson_doc *doc = json_parse(json, strlen(json), &err);
    assert_non_null(doc);
    settings_store_patch(s->store, yyjson_doc_get_root(doc),
                         (struct done_sink){ .on_end = on_end_again, .ctx = s });
    yyjson_doc_free(doc);
}

static void test_a_change_may_begin_at_the_end_of_another(void **state) {
    struct scene *s = *state;
    change_and_again(s, "{\"max_waiting\":7}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->done, 2);
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 9);
    change_and_again(s, "{\"max_waiting\":0}"); /* refused at once */
    assert_int_equal(s->refused, 1);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->done, 3);
}

static void write_and_reopen(struct scene *s, const char *text) {
    struct error err;
    assert_true(file_replace(s->path, text, strlen(text), &err));
    settings_store_free(s->store);
    s->store = settings_store_new(&s->loop, s->folder, on_changed, s);
}

static void test_the_file_is_read_or_set_aside(void **state) {
    struct scene *s = *state;
    char aside[80];
    snprintf(aside, sizeof aside, "%s.corrupt", s->path);
    write_and_reopen(s, "{\"max_waiting\":7}");
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 7);
    assert_int_not_equal(access(aside, F_OK), 0);
    write_and_reopen(s, "{\"max_waiting\":0}");
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 128);
    assert_int_equal(unlink(aside), 0);
    write_and_reopen(s, "{\"max_wai");
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 128);
    assert_int_equal(unlink(aside), 0);
    assert_int_equal(s->in_force, 0);
}

static void check_key_in(const char *path, const char *part) {
    struct buf text = BUF_INIT(1 << 16);
    struct error err;
    assert_true(file_read(path, &text, &err));
    assert_non_null(strstr(buf_str(&text), part));
    buf_clear(&text);
}

static void test_a_key_is_written_to_both_files(void **state) {
    struct scene *s = *state;
    change(s, "{\"api_key\":\"sesame\"}");
    change(s, "{\"jit\":false}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->done, 2);
    check_key_in(s->path, "\"api_key\":\"sesame\"");
    check_key_in(s->key_path, "\"api_key\":\"sesame\"");
    change(s, "{\"api_key\":null}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    check_key_in(s->path, "\"api_key\":null");
    check_key_in(s->key_path, "\"api_key\":null");
}

static void test_a_key_that_cannot_be_copied_is_not_set(void **state) {
    struct scene *s = *state;
    char temp[80];
    snprintf(temp, sizeof temp, "%s.tmp", s->key_path);
    assert_int_equal(mkdir(temp, 0700), 0); /* in the way of the temporary file */
    change(s, "{\"api_key\":\"sesame\"}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->error.code, ERR_IO);
    assert_string_equal(settings_store_get(s->store)->api_key, "");
    assert_int_equal(rmdir(temp), 0);
}

static void test_a_change_of_the_key_ends_the_doubt(void **state) {
    struct scene *s = *state;
    char aside[80];
    snprintf(aside, sizeof aside, "%s.corrupt", s->path);
    write_and_reopen(s, "{");
    assert_int_equal(unlink(aside), 0);
    change(s, "{\"jit\":false}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_true(settings_store_key_is_unknown(s->store));
    settings_store_free(s->store);
    s->store = settings_store_new(&s->loop, s->folder, on_changed, s);
    assert_true(settings_store_key_is_unknown(s->store)); /* the file says null now */
    change(s, "{\"api_key\":null}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_false(settings_store_key_is_unknown(s->store));
    settings_store_free(s->store);
    s->store = settings_store_new(&s->loop, s->folder, on_changed, s);
    assert_false(settings_store_key_is_unknown(s->store));
}

static void write_and_reload(struct scene *s, const char *text) {
    struct error err;
    assert_true(file_replace(s->path, text, strlen(text), &err));
    settings_store_reload(s->store, (struct done_sink){ .on_end = on_end, .ctx = s });
    uv_run(&s->loop, UV_RUN_DEFAULT);
}

static bool odd_is_refused(const struct settings *now, const struct settings *next,
                           struct error *err) {
    return next->rules.max_waiting % 2 == now->rules.max_waiting % 2 ||
           error_set(err, ERR_INVALID_REQUEST, "odd");
}

static void test_a_change_is_judged_before_it_is_written(void **state) {
    struct scene *s = *state;
    settings_store_set_check(s->store, odd_is_refused);
    change(s, "{\"max_waiting\":7}");
    change(s, "{\"max_waiting\":8}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->refused, 1);
    assert_string_equal(s->error.text, "odd");
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 8);
}

static void test_the_file_is_read_again(void **state) {
    struct scene *s = *state;
    change(s, "{\"jit\":false}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    write_and_reload(s, "{\"max_waiting\":7}");
    assert_int_equal(s->done, 2);
    assert_int_equal(s->in_force, 2);
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 7);
    assert_true(settings_store_get(s->store)->rules.jit); /* not in the file: its default */
}

static void test_a_mistake_in_the_file_changes_nothing(void **state) {
    struct scene *s = *state;
    static const char *const texts[] = { "{\"max_waiting\":7,\"jit\":3}", "{\"jit\"", "" };
    change(s, "{\"max_waiting\":9}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 3; i++) {
        write_and_reload(s, texts[i]);
        assert_int_equal(s->refused, i + 1);
        assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 9);
        check_key_in(s->path, texts[i]); /* left to be mended */
    }
    assert_int_equal(unlink(s->path), 0);
    settings_store_reload(s->store, (struct done_sink){ .on_end = on_end, .ctx = s });
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(s->refused, 3);
    assert_int_equal(settings_store_get(s->store)->rules.max_waiting, 9);
}

static void test_a_file_without_a_key_keeps_the_key(void **state) {
    struct scene *s = *state;
    write_and_reload(s, "{\"api_key\":\"sesame\"}");
    check_key_in(s->key_path, "\"api_key\":\"sesame\"");
    write_and_reload(s, "{\"jit\":false}");
    assert_string_equal(settings_store_get(s->store)->api_key, "sesame");
    check_key_in(s->path, "\"api_key\":\"sesame\"");
    write_and_reload(s, "{\"api_key\":null}");
    assert_string_equal(settings_store_get(s->store)->api_key, "");
    check_key_in(s->key_path, "\"api_key\":null");
}

static void test_a_file_without_a_certificate_keeps_it(void **state) {
    struct scene *s = *state;
    write_and_reload(s, "{\"tls_cert\":\"/chain.pem\",\"tls_key\":\"/key.pem\"}");
    check_key_in(s->key_path, "\"tls_cert\":\"/chain.pem\",\"tls_key\":\"/key.pem\"");
    write_and_reload(s, "{\"jit\":false}");
    assert_string_equal(settings_store_get(s->store)->tls_cert, "/chain.pem");
    write_and_reopen(s, "{\"jit\":false,\"tls_cert\":7}");
    assert_string_equal(settings_store_get(s->store)->tls_cert, "/chain.pem");
    assert_string_equal(settings_store_get(s->store)->tls_key, "/key.pem");
    change(s, "{\"tls_cert\":null,\"tls_key\":null}");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    check_key_in(s->key_path, "\"tls_cert\":null,\"tls_key\":null");
}

static void test_reading_again_does_not_end_the_doubt(void **state) {
    struct scene *s = *state;
    char aside[80];
    snprintf(aside, sizeof aside, "%s.corrupt", s->path);
    write_and_reopen(s, "{");
    assert_int_equal(unlink(aside), 0);
    write_and_reload(s, "{\"api_key\":null}"); /* as doze itself has written it */
    assert_true(settings_store_key_is_unknown(s->store));
    write_and_reload(s, "{\"api_key\":\"sesame\"}");
    assert_false(settings_store_key_is_unknown(s->store));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_changes_wait_for_one_another),
        TEST(test_what_cannot_be_written_does_not_hold),
        TEST(test_one_past_the_most_is_refused),
        TEST(test_a_change_may_begin_at_the_end_of_another),
        TEST(test_the_file_is_read_or_set_aside),
        TEST(test_a_key_is_written_to_both_files),
        TEST(test_a_key_that_cannot_be_copied_is_not_set),
        TEST(test_a_change_of_the_key_ends_the_doubt),
        TEST(test_a_change_is_judged_before_it_is_written),
        TEST(test_the_file_is_read_again),
        TEST(test_a_mistake_in_the_file_changes_nothing),
        TEST(test_a_file_without_a_key_keeps_the_key),
        TEST(test_a_file_without_a_certificate_keeps_it),
        TEST(test_reading_again_does_not_end_the_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
