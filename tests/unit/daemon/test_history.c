/* SPDX-License-Identifier: MIT */
/* The history's writer on a loop of its own. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/history.h"

enum { READINGS = 32, QUEUE = 4096, AT_ONCE = 512 }; /* as history.h says */

struct world {
    char folder[64], state[80], path[128]; /* path: in state, which is in folder */
    uv_loop_t loop;
    struct history *history;
    struct buf log;
};

static const struct history_query everything = { 0, INT64_C(1) << 50, HISTORY_LIMIT_MAX };

static void on_line(void *ctx, enum log_level level, const char *text) {
    struct world *w = ctx;
    buf_addf(&w->log, "%s: %s\n", log_level_name(level), text);
}

static int set_up(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    buf_init(&w->log, 1 << 16);
    snprintf(w->folder, sizeof w->folder, "/tmp/doze-history-XXXXXX");
    if (!mkdtemp(w->folder)) return -1;
    snprintf(w->state, sizeof w->state, "%s/state", w->folder);
    snprintf(w->path, sizeof w->path, "%s/history.db", w->state);
    if (mkdir(w->state, 0700) < 0) return -1;
    uv_loop_init(&w->loop);
    w->history = history_new(&w->loop, w->path);
    log_set_listener(on_line, w);
    *state = w;
    return 0;
}

static void remove_state(const struct world *w) {
    unlink(w->path);
    rmdir(w->state);
}

/* The loop ends by itself, and one file is left. */
static int tear_down(void **state) {
    struct world *w = *state;
    history_close(w->history);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    int open = uv_loop_close(&w->loop);
    history_free(w->history);
    log_set_listener(NULL, NULL);
    remove_state(w);
    int left = rmdir(w->folder);
    buf_clear(&w->log);
    free(w);
    return open ? open : left;
}

static void add_events(struct world *w, int count) {
    for (int i = 0; i < count; i++) {
        char json[256];
        snprintf(json, sizeof json,
                 "{\"seq\":%d,\"at\":%lld,\"id\":\"m\",\"model\":\"m\",\"from\":\"a\",\"to\":"
                 "\"b\",\"reason\":\"r\",\"origin\":\"jit\",\"generation\":1}",
                 i, (long long)clock_unix());
        history_add(w->history, HISTORY_EVENT, json);
    }
}

/* How many events an answer has; -1: it failed. */
struct heard {
    int events;
    bool over;
};

static void on_end(void *ctx, struct buf *json, const struct error *error) {
    struct heard *heard = ctx;
    assert_false(heard->over);
    heard->over = true;
    heard->events = 0;
    if (!json) assert_int_equal(error->code, ERR_IO);
    if (!json) heard->events = -1;
    const char *at = json ? buf_str(json) : "";
    for (; (at = strstr(at, "\"seq\":")); at++) heard->events++;
}

static int ask(struct world *w) {
    struct heard heard = { 0 };
    assert_non_null(
        history_read(w->history, &everything, (struct history_sink){ on_end, &heard }));
    while (!heard.over) uv_run(&w->loop, UV_RUN_ONCE);
    return heard.events;
}

static int count_in_log(const struct world *w, const char *what) {
    int count = 0;
    for (const char *at = buf_str(&w->log); (at = strstr(at, what)); at++) count++;
    return count;
}

/* ---- */

static void test_a_reading_sees_what_was_added_before(void **state) {
    struct world *w = *state;
    assert_int_equal(ask(w), 0);
    add_events(w, 3);
    assert_int_equal(ask(w), 3);
    assert_int_equal(w->log.len, 0);
}

static void test_closing_writes_the_rest(void **state) {
    struct world *w = *state;
    add_events(w, 5);
    history_close(w->history);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    history_free(w->history);
    w->history = history_new(&w->loop, w->path);
    assert_int_equal(ask(w), 5);
}

static void test_a_forgotten_reading_is_silent(void **state) {
    struct world *w = *state;
    struct heard first = { 0 }, second = { 0 };
    struct history_reading *running = history_read(w->history, &everything,
                                                   (struct history_sink){ on_end, &first });
    struct history_reading *waiting = history_read(w->history, &everything,
                                                   (struct history_sink){ on_end, &second });
    history_forget(running);
    history_forget(waiting);
    assert_int_equal(ask(w), 0);
    assert_false(first.over || second.over);
}

static void test_so_many_may_ask_at_a_time(void **state) {
    struct world *w = *state;
    struct heard heard[READINGS + 2] = { 0 };
    struct history_sink sink = { .on_end = on_end };
    for (int i = 0; i < READINGS + 1; i++) { /* one runs, the others wait */
        sink.ctx = &heard[i];
        assert_non_null(history_read(w->history, &everything, sink));
    }
    sink.ctx = &heard[READINGS + 1];
    assert_null(history_read(w->history, &everything, sink));
    while (!heard[READINGS].over) uv_run(&w->loop, UV_RUN_ONCE);
    for (int i = 0; i < READINGS; i++) assert_true(heard[i].over);
    assert_int_equal(ask(w), 0);
}

/* A full batch goes at once; of what comes while it is written, so much is kept. */
static void test_the_queue_is_bounded(void **state) {
    struct world *w = *state;
    add_events(w, AT_ONCE + QUEUE + 10);
    assert_int_equal(ask(w), AT_ONCE + QUEUE);
    assert_int_equal(count_in_log(w, "written too slowly; 10 entries are missing"), 1);
}

static void test_a_disk_that_fails_is_one_warning(void **state) {
    struct world *w = *state;
    remove_state(w);
    for (int i = 0; i < 3; i++) {
        add_events(w, 1);
        assert_int_equal(ask(w), -1);
    }
    assert_int_equal(count_in_log(w, "warn: the history cannot be written: "), 1);
    assert_int_equal(mkdir(w->state, 0700), 0);
    add_events(w, 2);
    assert_int_equal(ask(w), 2);
    assert_int_equal(count_in_log(w, "written again; 3 entries are missing"), 1);
    assert_int_equal(count_in_log(w, "warn: "), 2);
}

static void test_damage_is_told(void **state) {
    struct world *w = *state;
    char aside[160];
    snprintf(aside, sizeof aside, "%s.corrupt", w->path);
    FILE *file = fopen(w->path, "w");
    assert_non_null(file);
    fputs("what is this, it is certainly not a database", file);
    fclose(file);
    add_events(w, 1);
    assert_int_equal(ask(w), 1);
    assert_int_equal(count_in_log(w, "a new history begun"), 1);
    assert_int_equal(unlink(aside), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_reading_sees_what_was_added_before),
        TEST(test_closing_writes_the_rest),
        TEST(test_a_forgotten_reading_is_silent),
        TEST(test_so_many_may_ask_at_a_time),
        TEST(test_the_queue_is_bounded),
        TEST(test_a_disk_that_fails_is_one_warning),
        TEST(test_damage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
