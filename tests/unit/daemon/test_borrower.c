/* SPDX-License-Identifier: MIT */
/* Loans, with functions of its own in place of the fleet's and the supervisor's. */
#include "cmocka_prelude.h"

#include "fleet_stand_in.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/borrower.h"
#include "daemon/fleet_node.h"
#include "fleet/fleet_view.h"
#include "supervisor/loans.h"

static struct loans loans; /* what the supervisor was given */

void supervisor_set_loans(struct supervisor *sup, const struct loans *given) {
    (void)sup;
    loans = *given;
}

const char *fleet_node_key(const struct fleet_node *node) {
    (void)node;
    return "a key";
}

bool fleet_node_has(const struct fleet_node *node, const char *name) {
    (void)node, (void)name;
    return false;
}

void fleet_node_ask(const struct fleet_node *node, struct fleet_question *ret) {
    (void)node, (void)ret;
}

static int count_files(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void on_lost(void *ctx, const struct error *why) {
    (void)ctx, (void)why;
    fail();
}

static void fail_to_open(uv_loop_t *loop) {
    struct loan_offer offer = { .lender = "b", .bytes = 2, .part = 1 };
    struct loan_sink sink = { on_lost, NULL };
    struct error err;
    int fd = -1;
    assert_null(loans.open(loans.ctx, &offer, sink, &fd, &err));
    assert_int_equal(err.code, ERR_LOAD_FAILED);
    assert_non_null(strstr(err.text, "'b'"));
    assert_int_equal(fd, -1);
    uv_run(loop, UV_RUN_DEFAULT);
}

static void test_a_lender_that_has_left_leaves_no_socket(void **state) {
    (void)state;
    uv_loop_t loop;
    struct fleet_node node = { 0 };
    uv_loop_init(&loop);
    struct borrower *b = borrower_new(&loop, &node, NULL);
    fail_to_open(&loop); /* the loop has all that it needs then */
    int files = count_files();
    fail_to_open(&loop);
    assert_int_equal(count_files(), files);
    borrower_free(b);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lender_that_has_left_leaves_no_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
