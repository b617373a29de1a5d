/* SPDX-License-Identifier: MIT */
/* The door to the response store, on a loop of its own. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/stored_responses.h"

enum { ASKING = 256 }; /* as stored_responses.h says */

static const struct response_limits limits = { .max_age = 30 * INT64_C(86400000),
                                               .max_bytes = 64 << 20 };

struct world {
    char folder[64], path[128];
    uv_loop_t loop;
    struct stored_responses *stored;
    struct buf log;
};

static void on_line(void *ctx, enum log_level level, const char *text) {
    struct world *w = ctx;
    buf_addf(&w->log, "%s: %s\n", log_level_name(level), text);
}

static void open_store(struct world *w) {
    w->stored = stored_responses_new(&w->loop, w->path);
    stored_responses_limit(w->stored, &limits);
}

static void close_store(struct world *w) {
    stored_responses_close(w->stored);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    stored_responses_free(w->stored);
}

static int set_up(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    buf_init(&w->log, 1 << 16);
    snprintf(w->folder, sizeof w->folder, "/tmp/doze-stored-XXXXXX");
    if (!mkdtemp(w->folder)) return -1;
    snprintf(w->path, sizeof w->path, "%s/responses.db", w->folder);
    uv_loop_init(&w->loop);
    log_set_listener(on_line, w);
    open_store(w);
    *state = w;
    return 0;
}

/* The loop ends by itself, and one file or folder is left. */
static int tear_down(void **state) {
    struct world *w = *state;
    close_store(w);
    int open = uv_loop_close(&w->loop);
    log_set_listener(NULL, NULL);
    if (unlink(w->path) != 0) rmdir(w->path);
    int left = rmdir(w->folder);
    buf_clear(&w->log);
    free(w);
    return open ? open : left;
}

static void add(struct world *w, const char *id) {
    struct stored_response r = { .id = xstrdup(id),
                                 .input = BUF_INIT(1 << 20),
                                 .body = BUF_INIT(1 << 20) };
    (void)buf_add_str(&r.input, "[{\"n\":1}]");
    (void)buf_add_str(&r.body, "{\"output\":[{\"n\":2}]}");
    stored_responses_add(w->stored, &r);
    assert_null(r.id); /* taken */
}

struct heard {
    int count;
    char json[128];
    enum err_code code; /* of the last that failed */
};

static void on_end(void *ctx, struct buf *json, const struct error *error) {
    struct heard *h = ctx;
    h->count++;
    if (json)
        snprintf(h->json, sizeof h->json, "%s", buf_str(json));
    else
        h->code = error->code;
}

static struct response_task *ask(struct world *w, const char *id, struct heard *h) {
    return stored_responses_ask(w->stored, RESPONSE_READ, id, NULL,
                                (struct response_sink){ on_end, h });
}

static void run_until(struct world *w, const struct heard *h, int count) {
    while (h->count < count) uv_run(&w->loop, UV_RUN_ONCE);
}

static void test_what_was_added_is_found_at_once(void **state) {
    struct world *w = *state;
    struct heard h = { 0 };
    struct past_wanted wanted = { .previous = xstrdup("resp_a") };
    add(w, "resp_a");
    assert_non_null(
        stored_responses_find(w->stored, &wanted, NULL, (struct response_sink){ on_end, &h }));
    assert_null(wanted.previous); /* taken */
    assert_int_equal(h.count, 0); /* never from inside the call */
    run_until(w, &h, 1);
    assert_string_equal(h.json, "{\"items\":[{\"n\":1},{\"n\":2}],\"referenced\":[]}");
}

/* Megabytes of items are cut to a page on the thread. */
static void test_a_page_of_the_input_is_listed(void **state) {
    struct world *w = *state;
    struct heard h = { 0 }, refused = { 0 };
    struct past_page page = { "1", "asc", NULL }, bad = { "x", NULL, NULL };
    add(w, "resp_a");
    assert_non_null(stored_responses_list(w->stored, "resp_a", NULL, &page,
                                          (struct response_sink){ on_end, &h }));
    assert_non_null(stored_responses_list(w->stored, "resp_a", NULL, &bad,
                                          (struct response_sink){ on_end, &refused }));
    assert_int_equal(h.count, 0);
    run_until(w, &refused, 1);
    assert_non_null(strstr(h.json, "\"object\":\"list\",\"data\":[{\"n\":1}]"));
    assert_int_equal(refused.code, ERR_INVALID_REQUEST);
}

static void test_closing_writes_the_rest(void **state) {
    struct world *w = *state;
    struct heard h = { 0 }, gone = { 0 };
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "resp_%d", i);
        add(w, id);
    }
    assert_non_null(ask(w, "resp_0", &gone));
    close_store(w);
    assert_int_equal(gone.count, 0);
    open_store(w);
    assert_non_null(ask(w, "resp_19", &h));
    run_until(w, &h, 1);
    assert_string_equal(h.json, "{\"output\":[{\"n\":2}]}");
}

static void test_a_forgotten_task_is_not_heard_of(void **state) {
    struct world *w = *state;
    struct heard forgotten = { 0 }, h = { 0 };
    response_task_forget(ask(w, "resp_a", &forgotten));
    assert_non_null(ask(w, "resp_a", &h));
    run_until(w, &h, 1);
    assert_int_equal(h.code, ERR_NOT_FOUND);
    assert_int_equal(forgotten.count, 0);
}

static void test_not_more_than_256_wait(void **state) {
    struct world *w = *state;
    struct heard h = { 0 };
    assert_non_null(ask(w, "resp_a", &h)); /* at work, it does not wait */
    for (int i = 0; i < ASKING; i++) assert_non_null(ask(w, "resp_a", &h));
    assert_null(ask(w, "resp_a", &h));
    run_until(w, &h, 1 + ASKING);
    assert_non_null(ask(w, "resp_a", &h));
    run_until(w, &h, 2 + ASKING);
}

static int lines_with(const struct world *w, const char *text) {
    int count = 0;
    for (const char *at = buf_str(&w->log); (at = strstr(at, text)) != NULL; at++) count++;
    return count;
}

static void test_a_failing_disk_is_one_warning(void **state) {
    struct world *w = *state;
    struct heard h = { 0 };
    assert_int_equal(mkdir(w->path, 0700), 0); /* nobody can write into this */
    add(w, "resp_a");
    add(w, "resp_b");
    assert_non_null(ask(w, "resp_a", &h));
    run_until(w, &h, 1);
    assert_int_equal(h.code, ERR_IO);
    assert_int_equal(lines_with(w, "responses cannot be stored"), 1);
    assert_int_equal(rmdir(w->path), 0);
    add(w, "resp_c");
    assert_non_null(ask(w, "resp_c", &h));
    run_until(w, &h, 2);
    assert_string_equal(h.json, "{\"output\":[{\"n\":2}]}");
    assert_int_equal(lines_with(w, "responses can be stored again"), 1);
}

static void test_no_room_removes_the_file_at_once(void **state) {
    struct world *w = *state;
    static const struct response_limits none = { .max_age = 1 };
    struct heard h = { 0 };
    add(w, "resp_a");
    assert_non_null(ask(w, "resp_a", &h));
    run_until(w, &h, 1);
    assert_true(stored_responses_on(w->stored));
    stored_responses_limit(w->stored, &none);
    assert_false(stored_responses_on(w->stored));
    close_store(w);
    assert_int_not_equal(access(w->path, F_OK), 0);
    assert_int_equal(mkdir(w->path, 0700), 0); /* what tear_down removes */
    open_store(w);
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_added_is_found_at_once),
        TEST(test_a_page_of_the_input_is_listed),
        TEST(test_closing_writes_the_rest),
        TEST(test_a_forgotten_task_is_not_heard_of),
        TEST(test_not_more_than_256_wait),
        TEST(test_a_failing_disk_is_one_warning),
        TEST(test_no_room_removes_the_file_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
