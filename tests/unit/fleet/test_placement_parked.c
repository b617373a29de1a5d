/* SPDX-License-Identifier: MIT */
/* Tables of nodes, each named after the rule that it shows: where a worker is parked with the
 * model. */
#include "placement_table.h"

enum { WAKE = 10 };

static void parked(int node) {
    nodes[node].has_file = nodes[node].parked = true;
}

static void test_comes_before_a_load_elsewhere_however_fast(void **state) {
    (void)state;
    parked(B);
    nodes[C].has_file = true;
    request.prompt = 0;
    add(C, OTHER, PLACEMENT_LOADED)->load = 1; /* a model of 4 GB in 1 ms */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PARKED, B);
    assert_int_equal(got.load, WAKE);
    assert_int_equal(got.first, WAKE + 5);
    assert_true(got.claims); /* it is a load like any other */
    assert_int_equal(got.source, PLACEMENT_NO_NODE);
}

static void test_comes_after_a_node_where_it_is_loaded(void **state) {
    (void)state;
    parked(A);
    resident(C)->prompt_speed = 50; /* 20 s */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, C);
    instances[C][0].running = 4;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_PARKED, A); /* that one has a queue */
}

static void test_wakes_here_as_elsewhere(void **state) {
    (void)state;
    parked(A);
    nodes[B].has_file = true;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_PARKED, A);
    assert_int_equal(got.load, WAKE);
    request.forwarded = true;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_PARKED, A);
}

static void test_with_room_before_one_that_has_to_evict(void **state) {
    (void)state;
    for (int i = B; i <= C; i++) {
        parked(i);
        add(i, OTHER, PLACEMENT_LOADED)->prompt_speed = 1000;
    }
    add(B, THIRD, PLACEMENT_LOADED)->prompt_speed = 2000; /* faster, and full */
    for (request.key = 0; request.key < 50; request.key++) {
        expect(PLACEMENT_NODE, PLACEMENT_RULE_PARKED, C);
    }
    nodes[C].parked = false;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PARKED, B);
}

static void test_does_not_wait_for_answers_to_end(void **state) {
    (void)state;
    parked(B);
    add(B, OTHER, PLACEMENT_LOADED)->running = 1;
    add(B, THIRD, PLACEMENT_LOADED)->running = 1;
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
    nodes[C].has_file = false;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, B);
    assert_int_equal(got.load, WAKE);
}

static void test_with_another_file_is_none(void **state) {
    (void)state;
    nodes[B].parked = true;
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

static void test_that_was_tried_is_none(void **state) {
    (void)state;
    parked(B);
    nodes[B].tried = true;
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

static void test_does_not_wake_beside_a_load_in_progress(void **state) {
    (void)state;
    parked(B);
    nodes[C].has_file = true;
    nodes[C].claimed = NOW;
    expect(PLACEMENT_WAIT, PLACEMENT_RULE_LOADING, C);
}

/* With the same prompt stored on both. */
static void test_makes_a_stored_prompt_faster(void **state) {
    (void)state;
    nodes[B].has_file = true;
    parked(C);
    nodes[B].held = nodes[C].held = 768;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, C);
    assert_int_equal(got.load, WAKE);
}

static void test_is_told_as_such(void **state) {
    (void)state;
    struct placement_table table = { nodes, NODES, here };
    char text[PLACEMENT_TEXT];
    parked(B);
    request.prompt = 0;
    choose();
    placement_explain(&got, &table, &request, text);
    assert_string_equal(text, "ben: a worker is parked there with the model; first token after "
                              "about 15 ms.");
    assert_string_equal(placement_rule_name(got.rule), "parked");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(comes_before_a_load_elsewhere_however_fast),
        TEST(comes_after_a_node_where_it_is_loaded),
        TEST(wakes_here_as_elsewhere),
        TEST(with_room_before_one_that_has_to_evict),
        TEST(does_not_wait_for_answers_to_end),
        TEST(with_another_file_is_none),
        TEST(that_was_tried_is_none),
        TEST(does_not_wake_beside_a_load_in_progress),
        TEST(makes_a_stored_prompt_faster),
        TEST(is_told_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
