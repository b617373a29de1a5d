/* SPDX-License-Identifier: MIT */
/* A model that is too large for every node, and memory that others lend. The model takes 12 GB
 * of nodes that have 8. */
#include <stdlib.h>

#include "placement_table.h"

#define PART (4 * GB + 12 * GB / 16)
#define OVERHEAD ((nbytes)96 << 20)
#define LOAN (PART + PART / 4 + OVERHEAD)

static void large_on(int node) {
    nodes[node].has_file = true;
    request.need = 12 * GB;
    request.file = 11 * GB;
}

static bool loan(uint32_t borrower, nbytes need, nbytes own, struct placement_loan *ret) {
    struct placement_table table = { .nodes = nodes, .count = NODES, .here = here };
    return placement_loan(&table, borrower, need, own, NOW, ret);
}

static void test_borrow_if_the_model_fits_no_node(void **state) {
    (void)state;
    large_on(B);
    nodes[C].lend_free = LOAN;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_BORROW, B);
    assert_int_equal(got.lender, C);
    assert_true(got.claims);
    assert_true(got.fetch > 0); /* the part travels */
    here = B;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_BORROW, B);
}

static void test_borrow_only_what_is_lent(void **state) {
    (void)state;
    large_on(B);
    expect_refusal(PLACEMENT_TOO_LARGE);
    nodes[C].lend_free = LOAN - 1;
    expect_refusal(PLACEMENT_TOO_LARGE);
    assert_int_equal(got.lender, PLACEMENT_NO_NODE);
    nodes[B].lend_free = LOAN; /* its own does not help it */
    expect_refusal(PLACEMENT_TOO_LARGE);
}

static void test_borrow_not_if_one_node_is_large_enough(void **state) {
    (void)state;
    large_on(B);
    nodes[C].lend_free = LOAN;
    large_on(D);
    nodes[D].memory_limit = nodes[D].memory_free = 12 * GB;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, D);
    assert_int_equal(got.lender, PLACEMENT_NO_NODE);
}

static void test_borrow_not_for_what_only_has_no_room_now(void **state) {
    (void)state;
    nodes[B].has_file = true;
    nodes[B].memory_free = 0;
    nodes[C].lend_free = 8 * GB;
    expect_refusal(PLACEMENT_NO_ROOM);
}

static void test_borrow_needs_the_file_and_room_for_the_rest(void **state) {
    (void)state;
    large_on(B);
    nodes[C].lend_free = LOAN;
    nodes[B].has_file = false;
    expect_refusal(PLACEMENT_NO_FILE);
    nodes[B].has_file = true;
    nodes[B].memory_free = 12 * GB - PART - 1;
    expect_refusal(PLACEMENT_TOO_LARGE);
    nodes[B].memory_free++;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_BORROW, B);
}

static void test_borrow_not_while_another_node_loads_it(void **state) {
    (void)state;
    large_on(B);
    nodes[C].lend_free = LOAN;
    nodes[D].claimed = NOW;
    expect(PLACEMENT_WAIT, PLACEMENT_RULE_LOADING, D);
}

static void test_a_forwarded_request_may_borrow(void **state) {
    (void)state;
    here = B;
    large_on(B);
    nodes[C].lend_free = LOAN;
    request.forwarded = true;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_BORROW, B);
    assert_int_equal(got.lender, C);
}

static void test_the_loan_is_what_lacks_and_some_room(void **state) {
    (void)state;
    struct placement_loan l;
    nodes[C].lend_free = LOAN;
    assert_true(loan(A, 12 * GB, 8 * GB, &l));
    assert_int_equal(l.part, PART);
    assert_int_equal(l.bytes, LOAN);
    assert_int_equal(l.lender, C);
    assert_false(loan(A, 8 * GB, 8 * GB, &l)); /* nothing is missing */
    assert_true(loan(A, 1000, 1, &l));
    assert_int_equal(l.part, 1000); /* not more than all of it */
}

static void test_of_the_lenders_the_one_that_lends_most(void **state) {
    (void)state;
    struct placement_loan l;
    nodes[B].lend_free = LOAN;
    nodes[C].lend_free = LOAN + 1;
    assert_true(loan(A, 12 * GB, 8 * GB, &l));
    assert_int_equal(l.lender, C);
    nodes[B].lend_free = LOAN + 1;
    nodes[B].id = 7;
    nodes[C].id = 6;
    assert_true(loan(A, 12 * GB, 8 * GB, &l));
    assert_int_equal(l.lender, C); /* the same on every node */
    nodes[C].alive_until = NOW;
    assert_true(loan(A, 12 * GB, 8 * GB, &l));
    assert_int_equal(l.lender, B);
    assert_false(loan(B, 12 * GB, 8 * GB, &l)); /* not of itself */
}

static void test_who_lends_most_borrows_of_the_second(void **state) {
    (void)state;
    static const uint32_t orders[][2] = { { B, D }, { D, B } }; /* in the table */
    struct placement_loan l;
    nodes[A].lend_free = LOAN;
    for (int i = 0; i < 2; i++) {
        uint32_t most = orders[i][0], second = orders[i][1];
        nodes[most].lend_free = LOAN + 2;
        nodes[second].lend_free = LOAN + 1;
        assert_true(loan(C, 12 * GB, 8 * GB, &l));
        assert_int_equal(l.lender, most);
        assert_true(loan(second, 12 * GB, 8 * GB, &l));
        assert_int_equal(l.lender, most);
        assert_true(loan(most, 12 * GB, 8 * GB, &l));
        assert_int_equal(l.lender, second);
    }
}

static void test_absurd_loans_are_bounded(void **state) {
    (void)state;
    struct placement_loan l;
    nodes[C].lend_free = UINT64_MAX;
    assert_true(loan(A, UINT64_MAX, 1, &l));
    assert_int_equal(l.part, UINT64_MAX);
    assert_int_equal(l.bytes, UINT64_MAX);
    nodes[C].lend_free = UINT64_MAX - 1;
    assert_false(loan(A, UINT64_MAX, 1, &l));
}

static void test_explain_says_who_lends(void **state) {
    (void)state;
    char text[PLACEMENT_TEXT];
    struct placement_table table = { .nodes = nodes, .count = NODES, .here = here };
    large_on(B);
    nodes[C].lend_free = LOAN;
    choose();
    placement_explain(&got, &table, &request, text);
    assert_non_null(strstr(text, "it has the file, and"));
    assert_non_null(strstr(text, nodes[C].name));
    assert_string_equal(placement_rule_name(PLACEMENT_RULE_BORROW), "borrow");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(borrow_if_the_model_fits_no_node),
        TEST(borrow_only_what_is_lent),
        TEST(borrow_not_if_one_node_is_large_enough),
        TEST(borrow_not_for_what_only_has_no_room_now),
        TEST(borrow_needs_the_file_and_room_for_the_rest),
        TEST(borrow_not_while_another_node_loads_it),
        TEST(a_forwarded_request_may_borrow),
        TEST(the_loan_is_what_lacks_and_some_room),
        TEST(of_the_lenders_the_one_that_lends_most),
        TEST(who_lends_most_borrows_of_the_second),
        TEST(absurd_loans_are_bounded),
        TEST(explain_says_who_lends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
