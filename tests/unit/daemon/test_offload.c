/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/offload.h"

enum { MANY = 5 };

struct job {
    uv_thread_t thread; /* that worked on it */
    int *done;          /* how many are */
    int place;          /* among them */
    struct offload *offload;
    struct job *next; /* begun when this one is done */
};

static void job_work(void *ctx) {
    struct job *job = ctx;
    job->thread = uv_thread_self();
}

static void job_on_done(void *ctx) {
    struct job *job = ctx;
    struct offload_piece next = { job_work, job_on_done, job->next };
    job->place = ++*job->done;
    if (job->next) offload_run(job->offload, OFFLOAD_MIN, &next);
}

static bool is_here(const struct job *job) {
    uv_thread_t here = uv_thread_self();
    return uv_thread_equal(&here, &job->thread);
}

static void test_few_bytes_are_worked_on_at_once(void **state) {
    uv_loop_t loop;
    int done = 0;
    (void)state;
    uv_loop_init(&loop);
    struct offload *offload = offload_new(&loop);
    struct job job = { .done = &done };
    struct offload_piece piece = { job_work, job_on_done, &job };
    offload_run(offload, OFFLOAD_MIN - 1, &piece);
    assert_int_equal(done, 1);
    assert_true(is_here(&job));
    offload_free(offload);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_many_bytes_wait_in_order_for_a_thread(void **state) {
    uv_loop_t loop;
    int done = 0;
    (void)state;
    uv_loop_init(&loop);
    struct offload *offload = offload_new(&loop);
    struct job jobs[MANY], last = { .done = &done };
    for (int i = 0; i < MANY; i++) {
        jobs[i] = (struct job){ .done = &done, .offload = offload };
        struct offload_piece piece = { job_work, job_on_done, &jobs[i] };
        if (i == MANY - 1) jobs[i].next = &last;
        offload_run(offload, OFFLOAD_MIN, &piece);
    }
    assert_int_equal(done, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(jobs[i].place, i + 1);
        assert_false(is_here(&jobs[i]));
    }
    assert_int_equal(last.place, MANY + 1);
    offload_free(offload);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_bytes_are_worked_on_at_once),
        cmocka_unit_test(test_many_bytes_wait_in_order_for_a_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
