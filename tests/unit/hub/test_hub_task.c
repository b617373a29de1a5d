/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include "hub/hub_task.h"

static uv_loop_t loop;
static struct hub_tasks *tasks;

struct told {
    bool worked, done, closed;
};

static void work_until_stopped(void *ctx, struct hub_task *task) {
    struct told *told = ctx;
    hub_task_sleep(task, 600000);
    told->worked = hub_task_is_stopped(task);
}

static void work_briefly(void *ctx, struct hub_task *task) {
    struct told *told = ctx;
    hub_task_sleep(task, 1);
    told->worked = true;
}

static void on_done(void *ctx) {
    struct told *told = ctx;
    told->done = true;
}

static void on_closed(void *ctx) {
    *(bool *)ctx = true;
}

static void close_all(bool *ret_closed) {
    hub_tasks_close(tasks, on_closed, ret_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(*ret_closed);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int begin(void **state) {
    (void)state;
    if (uv_loop_init(&loop) != 0) return -1;
    tasks = hub_tasks_new(&loop);
    return 0;
}

static void test_work_is_done_once_and_told_on_the_loop(void **state) {
    (void)state;
    struct told told[4] = { { 0 } };
    bool closed = false;
    for (int i = 0; i < 4; i++)
        assert_non_null(hub_task_run(tasks, work_briefly, on_done, &told[i]));
    while (!told[0].done || !told[1].done || !told[2].done || !told[3].done)
        uv_run(&loop, UV_RUN_ONCE);
    for (int i = 0; i < 4; i++) assert_true(told[i].worked);
    close_all(&closed);
}

static void test_a_stopped_task_wakes_and_ends(void **state) {
    (void)state;
    struct told told = { 0 };
    bool closed = false;
    struct hub_task *task = hub_task_run(tasks, work_until_stopped, on_done, &told);
    hub_task_stop(task);
    while (!told.done) uv_run(&loop, UV_RUN_ONCE);
    assert_true(told.worked);
    close_all(&closed);
}

static void test_closing_stops_and_waits_for_all(void **state) {
    (void)state;
    struct told told[3] = { { 0 } };
    bool closed = false;
    for (int i = 0; i < 3; i++)
        assert_non_null(hub_task_run(tasks, work_until_stopped, on_done, &told[i]));
    close_all(&closed);
    for (int i = 0; i < 3; i++) assert_true(told[i].worked && told[i].done);
}

static void test_no_more_than_so_many(void **state) {
    (void)state;
    struct told told[HUB_TASKS_MAX + 1] = { { 0 } };
    bool closed = false;
    for (int i = 0; i < HUB_TASKS_MAX; i++)
        assert_non_null(hub_task_run(tasks, work_until_stopped, on_done, &told[i]));
    (void)hub_task_run(tasks, work_briefly, on_done, &told[HUB_TASKS_MAX]);
    assert_false(told[HUB_TASKS_MAX].done); /* never within the call */
    while (!told[HUB_TASKS_MAX].done) uv_run(&loop, UV_RUN_ONCE);
    assert_false(told[HUB_TASKS_MAX].worked);
    close_all(&closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_work_is_done_once_and_told_on_the_loop, begin),
        cmocka_unit_test_setup(test_a_stopped_task_wakes_and_ends, begin),
        cmocka_unit_test_setup(test_closing_stops_and_waits_for_all, begin),
        cmocka_unit_test_setup(test_no_more_than_so_many, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
