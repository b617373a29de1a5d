/* SPDX-License-Identifier: MIT */
/* Tables of nodes, each named after the rule that it shows: where the conversation or the model
 * is (rules 1 and 2). */
#include "placement_table.h"

/* Rule 1 */

static void test_prefix_the_longest_one(void **state) {
    (void)state;
    resident(A);
    resident(B);
    resident(C);
    nodes[A].held = 256;
    nodes[B].held = 768;
    nodes[C].held = 512;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
    assert_int_equal(got.held, 768);
    assert_int_equal(got.prompt, 2320); /* 232 tokens at 100 per second */
    assert_int_equal(got.queue + got.load + got.fetch, 0);
    assert_int_equal(got.first, got.prompt + 5);
    assert_false(got.claims);
}

static void test_prefix_that_is_stored_where_the_model_is_not_loaded(void **state) {
    (void)state;
    add(B, OTHER, PLACEMENT_LOADED); /* measured: 4 s for 4 GB, 100 tokens/s */
    nodes[B].has_file = true;
    nodes[B].held = 768;
    resident(C);
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
    assert_in_range(got.load, 3990, 4010);
    assert_in_range(got.prompt, 2300, 2330);
    assert_in_range(got.elsewhere, 9990, 10010); /* the whole prompt at C */
    assert_true(got.claims);
}

static void test_prefix_gives_way_when_its_queue_makes_it_slower(void **state) {
    (void)state;
    struct placement_instance *busy = resident(B);
    resident(C);
    nodes[B].held = 768;
    busy->running = 4;
    busy->waiting = 3; /* four turns of about 30 s on four places */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, C);
    assert_true(got.elsewhere > 30000);
    busy->waiting = 0;
    busy->running = 3; /* a place is free */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
    assert_in_range(got.elsewhere, 9990, 10010);
}

static void test_prefix_gives_way_by_the_speed_of_both_sides(void **state) {
    (void)state;
    resident(B)->prompt_speed = 10;
    nodes[B].held = 768;            /* 23 s for the rest */
    resident(C)->prompt_speed = 50; /* 20 s for all */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, C);
    instances[C][0].prompt_speed = 40;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
}

static void test_prefix_does_not_give_way_to_a_load_in_progress(void **state) {
    (void)state;
    struct placement_instance *busy = resident(B);
    busy->running = 4;
    busy->waiting = 3;
    nodes[B].held = 768;
    nodes[C].claimed = NOW;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
    assert_true(got.elsewhere == MSEC_NEVER);
    nodes[C].claimed = MSEC_NEVER;
    nodes[C].has_file = true;
    busy->waiting = 0;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
    assert_in_range(got.elsewhere, 17000, 17500); /* a load and the whole prompt */
}

static void test_prefix_live_before_one_as_long_that_is_stored(void **state) {
    (void)state;
    struct placement_instance *other = add(B, OTHER, PLACEMENT_LOADED);
    other->prompt_speed = 600;
    other->load = 2000; /* 2,386 ms in all */
    nodes[B].has_file = true;
    resident(C); /* 2,320 ms: about as fast, but causes no load */
    nodes[B].held = nodes[C].held = 768;
    for (request.key = 0; request.key < 500; request.key++) {
        expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, C);
        assert_in_range(got.elsewhere, 2380, 2400);
    }
}

static void test_prefix_without_file_or_instance_is_no_place(void **state) {
    (void)state;
    nodes[B].held = 768;
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

static void test_prefix_is_for_conversations_only(void **state) {
    (void)state;
    resident(A);
    resident(B);
    nodes[B].held = 768;
    request.type = PLACEMENT_EMBEDDING;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_RESIDENT, A);
    assert_int_equal(got.held, 0);
}

static void test_prefix_is_at_most_the_prompt(void **state) {
    (void)state;
    resident(B);
    nodes[B].held = 100000;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
    assert_int_equal(got.held, 1000);
    assert_int_equal(got.prompt, 0);
}

/* Rule 2 */

static void test_resident_least_expected_wait(void **state) {
    (void)state;
    resident(A)->running = 4; /* all places taken */
    resident(B)->running = 1;
    resident(C)->prompt_speed = 60; /* 17 s */
    nodes[D].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    assert_int_equal(got.queue, 0);
    assert_false(got.claims);
    instances[C][0].prompt_speed = 300;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, C);
    assert_int_equal(got.prompt, 3333);
}

static void test_resident_its_queue_is_measured(void **state) {
    (void)state;
    struct placement_instance *busy = resident(B);
    busy->running = 4;
    busy->waiting = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    /* two turns, each 512 tokens at 100 and 256 at 10 per second, on four places */
    assert_int_equal(got.queue, 2 * (5120 + 25600) / 4);
    nodes[B].sent = 2;
    choose();
    assert_int_equal(got.queue, 4 * (5120 + 25600) / 4);
    nodes[B].sent = busy->waiting = 0; /* the next one that ends makes place */
    choose();
    assert_int_equal(got.queue, (5120 + 25600) / 4);
    struct placement_instance *other = add(B, OTHER, PLACEMENT_LOADED);
    other->prompt_speed = other->answer_speed = 1000; /* of another model */
    choose();
    assert_int_equal(got.queue, (5120 + 25600) / 4);
    busy->slots = 8;
    choose();
    assert_int_equal(got.queue, 0);
}

static void test_resident_the_least_busy_instance_of_a_node(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        nodes[B].memory_free = 4 * GB;
        resident(B)->running = 4;
    }
    instances[B][1].running = 3;
    choose();
    assert_int_equal(got.queue, 0);
    instances[B][1].waiting = 2;
    choose();
    assert_int_equal(got.queue, (5120 + 25600) / 4);
}

static void test_resident_shares_its_speed_with_what_runs_on_the_node(void **state) {
    (void)state;
    resident(B);
    choose();
    assert_int_equal(got.prompt, 10000);
    add(B, OTHER, PLACEMENT_LOADED)->running = 3;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    /* each of the three is at its prompt for 5 of 31 s */
    assert_in_range(got.prompt, 14900, 15100);
}

static void test_resident_about_as_fast_is_this_node(void **state) {
    (void)state;
    resident(A);
    for (int i = B; i <= D; i++) resident(i)->prompt_speed = 110;
    for (request.key = 0; request.key < 20; request.key++) {
        expect(PLACEMENT_HERE, PLACEMENT_RULE_RESIDENT, A);
        assert_int_equal(got.first, 10000); /* without the way */
    }
    for (int i = B; i <= D; i++) instances[i][0].prompt_speed = 130;
    choose();
    assert_int_equal(got.where, PLACEMENT_NODE);
}

static void test_resident_requests_that_differ_spread(void **state) {
    (void)state;
    int count[NODES] = { 0 };
    for (int i = B; i <= D; i++) resident(i);
    for (request.key = 0; request.key < 3000; request.key++) {
        choose();
        count[got.node]++;
    }
    for (int i = B; i <= D; i++) assert_in_range(count[i], 900, 1100);
}

static void test_resident_with_a_queue_gives_way_to_a_load(void **state) {
    (void)state;
    struct placement_instance *busy = resident(B);
    busy->running = 4; /* 7.7 s, and 16.6 s for a prompt beside four others */
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C); /* 17 s */
    assert_true(got.claims);
    assert_in_range(got.elsewhere, 24000, 24700);
    add(C, OTHER, PLACEMENT_LOADED)->load =
        90000; /* 100 s with the prompt: four times as long */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    assert_in_range(got.elsewhere, 100000, 101500);
    instances[C][0].load = 84000;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

/* Two residents that take 6,406 ms, one with a queue, the other without. */
static void test_resident_ties_are_the_same_in_every_table(void **state) {
    (void)state;
    request.prompt = 6406;
    resident(B)->prompt_speed = 1000;
    struct placement_instance *busy = resident(C);
    busy->prompt_speed = 1000000;
    busy->running = 4;
    struct placement_instance *other = add(D, OTHER, PLACEMENT_LOADED);
    other->prompt_speed = 1000000;
    other->load = 100;
    nodes[D].has_file = true;
    choose();
    assert_int_equal(got.rule, PLACEMENT_RULE_RESIDENT);
    struct placement_node b = nodes[B];
    nodes[B] = nodes[C];
    nodes[C] = b;
    choose();
    assert_int_equal(got.rule, PLACEMENT_RULE_RESIDENT);
    assert_int_equal(got.elsewhere, 6406);
}

static void test_resident_without_a_queue_causes_no_load(void **state) {
    (void)state;
    resident(B)->prompt_speed = 1; /* 1,000 s */
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
}

static void test_resident_does_not_give_way_to_what_waits_itself(void **state) {
    (void)state;
    struct placement_instance *busy = resident(B);
    busy->running = 4;
    busy->waiting = 40;
    nodes[C].claimed = NOW; /* for the load of another request */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    nodes[C].claimed = MSEC_NEVER;
    nodes[C].has_file = true; /* for answers that have to end */
    add(C, OTHER, PLACEMENT_LOADED)->running = 1;
    add(C, THIRD, PLACEMENT_LOADED)->running = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    instances[C][1].running = 0;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, C);
}

static void test_resident_whose_ttl_ends_before_the_request_is_there_is_gone(void **state) {
    (void)state;
    struct placement_instance *i = resident(B);
    nodes[B].has_file = true;
    i->expires = NOW + 5;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, B);
    i->running = 1; /* it is not idle */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    i->running = 0;
    i->waiting = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
    i->waiting = 0;
    i->expires = NOW + 6;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_RESIDENT, B);
}

static void test_resident_that_leaves_is_none(void **state) {
    (void)state;
    add(B, MODEL, PLACEMENT_LEAVING);
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(prefix_the_longest_one),
        TEST(prefix_that_is_stored_where_the_model_is_not_loaded),
        TEST(prefix_gives_way_when_its_queue_makes_it_slower),
        TEST(prefix_gives_way_by_the_speed_of_both_sides),
        TEST(prefix_does_not_give_way_to_a_load_in_progress),
        TEST(prefix_live_before_one_as_long_that_is_stored),
        TEST(prefix_without_file_or_instance_is_no_place),
        TEST(prefix_is_for_conversations_only),
        TEST(prefix_is_at_most_the_prompt),
        TEST(resident_least_expected_wait),
        TEST(resident_its_queue_is_measured),
        TEST(resident_the_least_busy_instance_of_a_node),
        TEST(resident_shares_its_speed_with_what_runs_on_the_node),
        TEST(resident_about_as_fast_is_this_node),
        TEST(resident_requests_that_differ_spread),
        TEST(resident_with_a_queue_gives_way_to_a_load),
        TEST(resident_ties_are_the_same_in_every_table),
        TEST(resident_without_a_queue_causes_no_load),
        TEST(resident_does_not_give_way_to_what_waits_itself),
        TEST(resident_whose_ttl_ends_before_the_request_is_there_is_gone),
        TEST(resident_that_leaves_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
