/* SPDX-License-Identifier: MIT */
/* The supervisor: memory that other nodes lend to it, and that it lends to them. */
#include "scene.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "supervisor/lending.h"
#include "supervisor/loans.h"

#define MB ((nbytes)1 << 20)

/* What the model takes by itself is some 50 MB (load_plan.c). */
enum { SMALL = 20, LARGE = 1000 };

/* A fleet in which one node lends. */
struct loan {
    struct loan_sink sink;
    struct loan_offer offer;
};
struct lender {
    bool lends, refuses;
    nbytes need, own; /* as they were asked for last */
    int opened, closed;
    struct loan loan;
};

static bool find(void *ctx, nbytes need, nbytes own, struct loan_offer *ret) {
    struct lender *l = ctx;
    l->need = need;
    l->own = own;
    *ret = (struct loan_offer){ .lender = "b", .bytes = 90 * MB, .part = 40 * MB };
    return l->lends;
}

static struct loan *open_loan(void *ctx, const struct loan_offer *offer, struct loan_sink sink,
                              int *ret_fd, struct error *err) {
    struct lender *l = ctx;
    if (l->refuses) {
        error_set(err, ERR_LOAD_FAILED, "The node 'b' has left the fleet.");
        return NULL;
    }
    l->opened++;
    l->loan = (struct loan){ sink, *offer };
    *ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return &l->loan;
}

static struct lender *the_lender;

static void close_loan(struct loan *loan) {
    assert_ptr_equal(loan, &the_lender->loan);
    the_lender->closed++;
}

static void open_fleet(struct scene *s, struct lender *lender, nbytes limit) {
    struct loans loans = { find, open_loan, close_loan, lender };
    the_lender = lender;
    s->settings.memory_limit = limit;
    supervisor_settings_changed(s->sup);
    supervisor_set_loans(s->sup, &loans);
    turn(s);
}

static void test_what_fits_borrows_nothing(void **state) {
    struct scene *s = *state;
    struct lender lender = { .lends = true };
    open_fleet(s, &lender, LARGE * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    assert_int_equal(puppet_count(), 1);
    assert_int_equal(lender.opened, 0);
    assert_non_null(strstr(puppet_heard(puppet(0), MSG_LOAD), "\"lent_bytes\":0"));
}

static void test_what_fits_not_borrows_what_lacks(void **state) {
    struct scene *s = *state;
    struct lender lender = { .lends = true };
    open_fleet(s, &lender, SMALL * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    assert_int_equal(puppet_count(), 1);
    assert_int_equal(lender.opened, 1);
    assert_int_equal(lender.own, SMALL * MB);
    assert_true(lender.need > lender.own);
    assert_int_equal(lender.loan.offer.bytes, 90 * MB);
    const char *order = puppet_heard(puppet(0), MSG_LOAD);
    assert_non_null(strstr(order, "\"lent_bytes\":41943040"));
    assert_non_null(strstr(order, "\"repack\":\"never\""));
    say(s, 0, MSG_READY,
        "{\"context_length\":512,\"parallel\":4,\"memory_bytes\":1000,"
        "\"device\":\"lent memory\",\"device_layers\":2,\"device_memory_bytes\":7}");
    assert_int_equal(s->told[0].results, 1);
    assert_string_equal(instance(s)->device, "memory of b");
    assert_int_equal(instance(s)->device_memory_bytes, 7);
    die(s, 0);
    assert_int_equal(lender.closed, 1);
}

static void test_refused_unless_somebody_lends(void **state) {
    struct scene *s = *state;
    struct lender lender = { .lends = false };
    open_fleet(s, &lender, SMALL * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    assert_int_equal(puppet_count(), 0);
    assert_int_equal(s->told[0].error.code, ERR_NO_MEMORY);
    assert_non_null(strstr(s->told[0].error.text, "no node of the fleet lends enough"));
}

static void test_a_loan_that_cannot_begin_is_a_failed_load(void **state) {
    struct scene *s = *state;
    struct lender lender = { .lends = true, .refuses = true };
    open_fleet(s, &lender, SMALL * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    assert_int_equal(puppet_count(), 0);
    assert_string_equal(s->told[0].error.text, "The node 'b' has left the fleet.");
}

static void lose(struct scene *s, struct lender *lender, int n) {
    struct error lost;
    error_set(&lost, ERR_WORKER_DIED, "The node 'b' was lost.");
    lender->loan.sink.on_lost(lender->loan.sink.ctx, &lost);
    assert_true(puppet_was_killed(puppet(n)));
    assert_int_equal(lender->closed, n);
    die(s, n);
    assert_int_equal(lender->closed, n + 1);
}

static void test_a_loan_that_is_lost_ends_the_answer_and_says_why(void **state) {
    struct scene *s = *state;
    struct lender lender = { .lends = true };
    open_fleet(s, &lender, SMALL * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    say(s, 0, MSG_READY, READY);
    ask(s, "one", &s->told[1]);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    ask(s, "one", &s->told[2]);
    lose(s, &lender, 0);
    assert_int_equal(s->told[2].error.code, ERR_WORKER_DIED);
    assert_string_equal(s->told[2].error.text, "The node 'b' was lost.");
}

static void test_a_loan_that_is_lost_ends_the_load_and_says_why(void **state) {
    struct scene *s = *state;
    struct lender lender = { .lends = true };
    open_fleet(s, &lender, SMALL * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    lose(s, &lender, 0);
    assert_int_equal(lender.opened, 2); /* a load is tried once more */
    lose(s, &lender, 1);
    assert_int_equal(s->told[0].errors, 1);
    assert_string_equal(s->told[0].error.text, "The node 'b' was lost.");
}

/* ---- lending ---- */

struct borrower {
    int ready, ended;
    struct error why;
};

static void on_ready(void *ctx) {
    struct borrower *b = ctx;
    b->ready++;
}

static void on_end(void *ctx, const struct error *why) {
    struct borrower *b = ctx;
    b->ended++;
    b->why = *why;
}

static struct lending *lend(struct scene *s, nbytes bytes, struct borrower *b,
                            struct error *err) {
    struct lending_events events = { on_ready, on_end, b };
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct lending *lending = supervisor_lend(s->sup, bytes, fd, events, err);
    close(fd);
    return lending;
}

static void allow(struct scene *s, nbytes bytes) {
    s->settings.fleet.lend_memory = bytes;
    s->settings.memory_limit = 100 * MB;
    supervisor_settings_changed(s->sup);
    turn(s);
}

static void test_nothing_is_lent_unless_the_settings_say_so(void **state) {
    struct scene *s = *state;
    struct borrower b = { 0 };
    struct error err;
    allow(s, 0);
    assert_int_equal(supervisor_lendable(s->sup), 0);
    assert_null(lend(s, 1, &b, &err));
    assert_int_equal(err.code, ERR_FORBIDDEN);
    allow(s, 10 * MB);
    assert_int_equal(supervisor_lendable(s->sup), 10 * MB);
    assert_null(lend(s, 10 * MB + 1, &b, &err));
    assert_int_equal(err.code, ERR_NO_MEMORY);
    assert_int_equal(puppet_count(), 0);
}

static void test_what_is_lent_is_used_until_its_worker_is_gone(void **state) {
    struct scene *s = *state;
    struct borrower b = { 0 };
    struct error err;
    allow(s, 80 * MB);
    struct lending *lending = lend(s, 70 * MB, &b, &err);
    assert_non_null(lending);
    assert_string_equal(puppet_heard(puppet(0), MSG_LEND), "{\"bytes\":73400320}");
    assert_int_equal(b.ready, 0);
    say(s, 0, MSG_READY, "{}");
    assert_int_equal(b.ready, 1);
    assert_int_equal(supervisor_lendable(s->sup), 10 * MB);
    (void)load(s, request_for("one"), &s->told[0]); /* takes 50 */
    assert_int_equal(s->told[0].error.code, ERR_NO_MEMORY);
    lending_end(lending);
    assert_true(puppet_was_killed(puppet(0)));
    assert_int_equal(supervisor_lendable(s->sup), 10 * MB);
    die(s, 0);
    assert_int_equal(b.ended, 0); /* it was the borrower that left */
    assert_int_equal(supervisor_lendable(s->sup), 80 * MB);
    (void)load(s, request_for("one"), &s->told[1]);
    assert_int_equal(puppet_count(), 2);
}

static void test_what_models_have_is_not_lent(void **state) {
    struct scene *s = *state;
    struct borrower b = { 0 };
    struct error err;
    allow(s, 80 * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    say(s, 0, MSG_READY, READY); /* 1,000 bytes */
    assert_int_equal(supervisor_lendable(s->sup), 80 * MB);
    allow(s, 100 * MB);
    assert_int_equal(supervisor_lendable(s->sup), 100 * MB - 1000);
    assert_null(lend(s, 100 * MB, &b, &err));
}

static void test_the_end_of_a_loan_says_why(void **state) {
    struct scene *s = *state;
    struct borrower b = { 0 }, other = { 0 };
    struct error err;
    allow(s, 80 * MB);
    assert_non_null(lend(s, MB, &b, &err));
    say(s, 0, MSG_FAILED, "{\"code\":\"not_supported\",\"text\":\"No sandbox here.\"}");
    assert_int_equal(b.ended, 1);
    assert_string_equal(b.why.text, "No sandbox here.");
    die(s, 0);
    assert_int_equal(b.ended, 1);
    assert_non_null(lend(s, MB, &other, &err));
    die(s, 1);
    assert_int_equal(other.ended, 1);
}

static void test_pressure_takes_back_what_is_lent_before_an_instance_leaves(void **state) {
    struct scene *s = *state;
    struct borrower b = { 0 };
    struct error err;
    allow(s, 80 * MB);
    (void)load(s, request_for("one"), &s->told[0]);
    say(s, 0, MSG_READY, READY);
    assert_non_null(lend(s, MB, &b, &err));
    for (int i = 0; i < 3 && b.ended == 0; i++) supervisor_pressure(s->sup);
    turn(s);
    assert_int_equal(b.ended, 1);
    assert_non_null(strstr(b.why.text, "needs the memory itself"));
    assert_true(puppet_was_killed(puppet(1)));
    assert_null(puppet_heard(puppet(0), MSG_STOP));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_what_fits_borrows_nothing),
        TEST(test_what_fits_not_borrows_what_lacks),
        TEST(test_refused_unless_somebody_lends),
        TEST(test_a_loan_that_cannot_begin_is_a_failed_load),
        TEST(test_a_loan_that_is_lost_ends_the_answer_and_says_why),
        TEST(test_a_loan_that_is_lost_ends_the_load_and_says_why),
        TEST(test_nothing_is_lent_unless_the_settings_say_so),
        TEST(test_what_is_lent_is_used_until_its_worker_is_gone),
        TEST(test_what_models_have_is_not_lent),
        TEST(test_the_end_of_a_loan_says_why),
        TEST(test_pressure_takes_back_what_is_lent_before_an_instance_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
