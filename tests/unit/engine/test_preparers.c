/* SPDX-License-Identifier: MIT */
/* test_preparers.c - the deadline of a preparer counts what it computes, not what passes. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/preparers.h"

/* What the preparers of this test are asked to do, and their deadlines. */
enum { COMPUTE_FOR_EVER = 1, COMPUTE_600_MS, WAIT_600_MS, WAIT_FOR_EVER };
static const int64_t deadline_ms[] = { [COMPUTE_FOR_EVER] = 200,
                                       [COMPUTE_600_MS] = 60000,
                                       [WAIT_600_MS] = 200,
                                       [WAIT_FOR_EVER] = 20 };

static double cpu_seconds(void) {
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void compute(double seconds) {
    for (const double begun = cpu_seconds(); cpu_seconds() - begun < seconds;) {
        for (volatile int i = 0; i < 100000; i++) continue;
    }
}

static void do_what_is_asked(void *ctx, struct preparer_self *self) {
    struct frame frame;
    (void)ctx;
    while (preparer_read(self, &frame)) {
        const int type = frame.type;
        preparer_work_begins(deadline_ms[type]);
        if (type == COMPUTE_FOR_EVER) compute(1e9);
        if (type == COMPUTE_600_MS) compute(0.6);
        if (type == WAIT_600_MS) (void)poll(NULL, 0, 600);
        if (type == WAIT_FOR_EVER) (void)poll(NULL, 0, -1);
        (void)preparer_work_ended();
        preparer_write(self, type, true, "done", 4);
    }
}

struct bench {
    struct preparers all;
    struct preparer *one;
};

static void begin(struct bench *b) {
    struct error err;
    assert_true(preparers_open(&b->all, 1, &err));
    assert_true(preparers_start(&b->all, STDIN_FILENO, do_what_is_asked, NULL, NULL, &err));
    b->one = preparers_take(&b->all);
    assert_non_null(b->one);
}

static void look(struct bench *b) {
    struct pollfd polls[PREPARERS_MAX + 1];
    assert_true(poll(polls, (nfds_t)preparers_polls(&b->all, polls), 60000) > 0);
    assert_true(preparers_look(&b->all, true));
}

/* True: it has answered. False: it has ended instead. */
static bool ask(struct bench *b, int type) {
    struct frame frame;
    preparer_send(b->one, type, true, "", 0);
    for (;;) {
        if (preparer_answer(b->one, &frame)) return true;
        if (preparer_is_lost(b->one)) return false;
        look(b);
    }
}

static void end(struct bench *b) {
    preparer_give_back(b->one);
    preparers_end(&b->all);
}

static void test_computing_past_the_deadline_ends_it(void **state) {
    struct bench b = { 0 };
    (void)state;
    begin(&b);
    assert_false(ask(&b, COMPUTE_FOR_EVER));
    assert_true(WIFSIGNALED(b.one->status));
    assert_int_equal(WTERMSIG(b.one->status), SIGVTALRM);
    end(&b);
}

/* As on a machine whose cores are taken by others. */
static void test_waiting_past_the_deadline_does_not_end_it(void **state) {
    struct bench b = { 0 };
    (void)state;
    begin(&b);
    assert_true(ask(&b, WAIT_600_MS));
    end(&b);
}

static void test_getting_nowhere_ends_it_at_last(void **state) {
    struct bench b = { 0 };
    (void)state;
    begin(&b);
    assert_false(ask(&b, WAIT_FOR_EVER));
    assert_true(WIFSIGNALED(b.one->status));
    assert_int_equal(WTERMSIG(b.one->status), SIGALRM);
    end(&b);
}

static void test_the_worker_sees_how_long_one_has_computed(void **state) {
    struct bench b = { 0 };
    int seen = 0;
    (void)state;
    begin(&b);
    preparer_send(b.one, COMPUTE_600_MS, true, "", 0);
    for (struct frame frame; !preparer_answer(b.one, &frame);) {
        struct pollfd polls[PREPARERS_MAX + 1];
        const int now = preparer_computed_ms(b.one);
        if (now > seen) seen = now;
        (void)poll(polls, (nfds_t)preparers_polls(&b.all, polls), 10);
        assert_true(preparers_look(&b.all, true));
    }
    assert_in_range(seen, 300, 800);
    assert_int_equal(preparer_computed_ms(b.one), 0);
    end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_computing_past_the_deadline_ends_it),
        cmocka_unit_test(test_waiting_past_the_deadline_does_not_end_it),
        cmocka_unit_test(test_getting_nowhere_ends_it_at_last),
        cmocka_unit_test(test_the_worker_sees_how_long_one_has_computed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
