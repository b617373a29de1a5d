/* SPDX-License-Identifier: MIT */
/* Tables of nodes, each named after the rule that it shows: loads (rules 3 to 6), nodes that
 * are not there, refusals, words. */
#include "placement_table.h"

/* Rules 3 and 4 */

static void test_room_before_evicting_even_if_it_is_slower(void **state) {
    (void)state;
    nodes[B].has_file = nodes[C].has_file = true;
    add(B, OTHER, PLACEMENT_LOADED)->prompt_speed = 1000;
    add(B, THIRD, PLACEMENT_LOADED);
    nodes[C].cores = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
    assert_true(got.claims);
    assert_int_equal(got.source, PLACEMENT_NO_NODE);
    nodes[C].memory_free = 4 * GB - 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, B);
    assert_int_equal(got.queue, 0);
    nodes[B].instance_count = 1; /* fit: as many as the memory holds */
    nodes[B].jit_limit = 0;
    nodes[B].memory_free = 4 * GB;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, B);
}

static void test_room_the_fastest_load_and_prompt(void **state) {
    (void)state;
    nodes[B].has_file = nodes[C].has_file = nodes[D].has_file = true;
    nodes[C].cores = 64;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
    assert_in_range(got.load, 7500, 7700);   /* 3,814 MB at 500 per second */
    assert_in_range(got.prompt, 1150, 1250); /* 64 cores through 3,814 MB: 838 tokens/s */
    nodes[D].gpu_memory = 8 * GB;
    nodes[C].cores = 8;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, D);
    assert_in_range(got.prompt, 450, 500);
    nodes[D].gpu_memory = 2 * GB; /* it does not fit there */
    nodes[D].cores = 1;
    choose();
    assert_true(got.node != D);
}

static void test_room_by_what_the_node_has_measured_of_other_models(void **state) {
    (void)state;
    nodes[B].has_file = true;
    struct placement_instance *other = add(B, OTHER, PLACEMENT_LOADED);
    other->bytes = 2 * GB;
    other->prompt_speed = 200; /* half as many for twice the size */
    other->load = 1000;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, B);
    assert_in_range(got.load, 1990, 2010);
    assert_in_range(got.prompt, 9900, 10200);
}

static void test_room_of_auto_evict_on_is_a_place_too(void **state) {
    (void)state;
    for (int i = B; i <= C; i++) {
        nodes[i].has_file = true;
        nodes[i].memory_limit = nodes[i].memory_free = 32 * GB;
        nodes[i].evict = PLACEMENT_EVICT_ON;
    }
    add(B, OTHER, PLACEMENT_LOADED);
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
    add(C, OTHER, PLACEMENT_LOADED)->running = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, B);
    nodes[C].jit_limit = 2;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
    nodes[C].jit_limit = 1;
    instances[C][0].pinned = true; /* explicit ones do not count */
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

static void test_room_of_auto_evict_per_type_is_a_place_of_that_type(void **state) {
    (void)state;
    for (int i = B; i <= C; i++) {
        nodes[i].has_file = true;
        nodes[i].memory_limit = nodes[i].memory_free = 32 * GB;
        nodes[i].evict = PLACEMENT_EVICT_PER_TYPE;
        add(i, OTHER, PLACEMENT_LOADED);
    }
    instances[B][0].type = PLACEMENT_EMBEDDING;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, B);
    request.type = PLACEMENT_EMBEDDING;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

static void test_evict_idle_ones_before_answers_have_to_end(void **state) {
    (void)state;
    for (int i = B; i <= C; i++) {
        nodes[i].has_file = true;
        add(i, OTHER, PLACEMENT_LOADED);
        add(i, THIRD, PLACEMENT_LOADED);
    }
    for (int i = 0; i < 2; i++) {
        instances[B][i].prompt_speed = instances[B][i].answer_speed = 1000;
        instances[B][i].load = 100;
    }
    instances[B][0].running = instances[B][1].waiting = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, C);
    instances[B][0].answer_speed = instances[B][1].answer_speed = 10;
    instances[C][0].running = instances[C][1].running = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, B);
    assert_in_range(got.queue, 26000, 26200); /* until an answer ends: 512 ms and 25.6 s */
}

static void test_evict_never_what_is_pinned_nor_where_it_is_off(void **state) {
    (void)state;
    nodes[B].has_file = true;
    add(B, OTHER, PLACEMENT_LOADED)->pinned = true;
    add(B, THIRD, PLACEMENT_LOADED)->pinned = true;
    expect_refusal(PLACEMENT_NO_ROOM);
    instances[B][1].pinned = false;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, B);
    nodes[B].evict = PLACEMENT_EVICT_OFF;
    expect_refusal(PLACEMENT_NO_ROOM);
    nodes[B].memory_free = 4 * GB;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, B);
}

static void test_evict_not_what_is_being_loaded(void **state) {
    (void)state;
    nodes[B].has_file = true;
    add(B, OTHER, PLACEMENT_LOADING);
    add(B, THIRD, PLACEMENT_LOADING);
    expect_refusal(PLACEMENT_NO_ROOM);
}

static void test_cold_loads_belong_to_the_same_node_whoever_asks(void **state) {
    (void)state;
    uint32_t first = PLACEMENT_NO_NODE;
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i].has_file = true;
        nodes[i].alive_until = MSEC_NEVER;
    }
    for (here = 0; here < NODES; here++) {
        request.key = here;
        choose();
        if (here == 0) first = got.node;
        assert_int_equal(got.node, first);
    }
    here = A;
    int count[NODES] = { 0 };
    for (request.model = 1; request.model <= 4000; request.model++) {
        choose();
        count[got.node]++;
    }
    for (int i = 0; i < NODES; i++) assert_in_range(count[i], 900, 1100);
}

/* Rule 5 */

static void test_fetch_where_nobody_with_the_file_has_room(void **state) {
    (void)state;
    nodes[B].has_file = true;
    nodes[B].memory_limit = nodes[B].memory_free = 2 * GB;
    nodes[C].memory_free = 1 * GB;
    nodes[C].memory_limit = 3 * GB;
    nodes[A].disk_free = 4 * GB;
    nodes[D].disk_free = 4 * GB - 1;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_FETCH, A);
    assert_int_equal(got.source, B);
    assert_in_range(got.fetch, 38000, 38200); /* 3,814 MB at 100 per second */
    assert_true(got.claims);
    nodes[D].disk_free = 4 * GB;
    nodes[D].cores = 64;
    nodes[A].cores = 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_FETCH, D);
    assert_int_equal(got.source, B);
}

static void test_fetch_comes_after_evicting(void **state) {
    (void)state;
    nodes[A].disk_free = 4 * GB;
    nodes[B].has_file = true;
    add(B, OTHER, PLACEMENT_LOADED);
    add(B, THIRD, PLACEMENT_LOADED);
    expect(PLACEMENT_NODE, PLACEMENT_RULE_EVICT, B);
}

static void test_fetch_from_another_peer_for_each_node(void **state) {
    (void)state;
    bool used[NODES] = { false };
    nodes[A].disk_free = 4 * GB;
    for (int i = B; i <= D; i++) {
        nodes[i].has_file = true;
        nodes[i].memory_limit = 1 * GB;
    }
    for (nodes[A].id = 0; nodes[A].id < 50; nodes[A].id++) {
        expect(PLACEMENT_HERE, PLACEMENT_RULE_FETCH, A);
        used[got.source] = true;
    }
    assert_true(used[B] && used[C] && used[D]);
    nodes[B].alive_until = nodes[C].alive_until = NOW;
    choose();
    assert_int_equal(got.source, D);
    nodes[D].alive_until = NOW;
    expect_refusal(PLACEMENT_NO_FILE);
}

/* Rule 6 */

static void test_loading_elsewhere_is_waited_for(void **state) {
    (void)state;
    nodes[A].has_file = nodes[B].has_file = nodes[C].has_file = true;
    nodes[B].claimed = NOW - 2000;
    expect(PLACEMENT_WAIT, PLACEMENT_RULE_LOADING, B);
    assert_in_range(got.load, 5500, 5700); /* of 7.6 s */
    assert_false(got.claims);
    nodes[B].claimed = NOW - 60000; /* late */
    choose();
    assert_int_equal(got.load, 0);
    nodes[B].claimed = MSEC_NEVER;
    add(B, MODEL, PLACEMENT_LOADING); /* an explicit load makes no claim */
    expect(PLACEMENT_WAIT, PLACEMENT_RULE_LOADING, B);
}

static void test_loading_here_is_joined(void **state) {
    (void)state;
    nodes[A].has_file = nodes[B].has_file = true;
    nodes[A].claimed = NOW;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_LOADING, A);
    assert_false(got.claims);
}

static void test_loading_of_a_dead_node_is_none(void **state) {
    (void)state;
    nodes[B].claimed = NOW - 1000;
    nodes[B].alive_until = NOW;
    nodes[C].has_file = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
}

static void test_one_cold_load_in_the_whole_fleet(void **state) {
    (void)state;
    for (int i = 0; i < NODES; i++) nodes[i].has_file = true;
    nodes[C].held = 768;
    nodes[D].has_file = false;
    nodes[B].claimed = NOW;
    expect(PLACEMENT_WAIT, PLACEMENT_RULE_LOADING, B);
    struct placement_instance *busy = resident(A);
    busy->running = busy->waiting = 100;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_RESIDENT, A);
}

/* Nodes that are not there, forwarded requests, refusals */

static void test_dead_nodes_do_not_exist(void **state) {
    (void)state;
    resident(B);
    nodes[B].held = 768;
    nodes[B].has_file = nodes[C].has_file = true;
    nodes[B].alive_until = NOW;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
    nodes[B].alive_until = NOW + 1;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_PREFIX, B);
}

static void test_nodes_that_were_tried_are_not_tried_again(void **state) {
    (void)state;
    resident(B);
    nodes[C].has_file = true;
    nodes[B].tried = true;
    expect(PLACEMENT_NODE, PLACEMENT_RULE_ROOM, C);
    nodes[C].tried = nodes[A].tried = nodes[D].tried = true;
    expect_refusal(PLACEMENT_ALL_TRIED);
    nodes[C].claimed = NOW; /* its load ends, or its claim with its lease */
    expect(PLACEMENT_WAIT, PLACEMENT_RULE_LOADING, C);
}

static void test_without_the_others_this_node_serves_alone(void **state) {
    (void)state;
    for (int i = B; i <= D; i++) {
        nodes[i].has_file = true;
        nodes[i].alive_until = NOW - 1;
    }
    resident(B);
    expect_refusal(PLACEMENT_NO_FILE);
    nodes[A].has_file = true;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_ROOM, A);
}

static void test_a_request_is_forwarded_once_at_most(void **state) {
    (void)state;
    request.forwarded = true;
    resident(B);
    nodes[B].held = 768;
    nodes[A].has_file = true;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_ROOM, A);
    assert_true(got.claims);
    nodes[C].claimed = NOW;
    expect_refusal(PLACEMENT_LOADING_ELSEWHERE);
    assert_int_equal(got.node, C);
    resident(A);
    expect(PLACEMENT_HERE, PLACEMENT_RULE_RESIDENT, A);
    nodes[C].claimed = MSEC_NEVER;
    nodes[A].instance_count = 0;
    nodes[A].memory_free = 0;
    expect_refusal(PLACEMENT_NOT_HERE);
}

static void test_a_forwarded_request_may_fetch(void **state) {
    (void)state;
    request.forwarded = true;
    nodes[B].has_file = true;
    expect_refusal(PLACEMENT_NOT_HERE);
    nodes[A].disk_free = 4 * GB;
    expect(PLACEMENT_HERE, PLACEMENT_RULE_FETCH, A);
    assert_int_equal(got.source, B);
}

static void test_refusals_say_why(void **state) {
    (void)state;
    expect_refusal(PLACEMENT_NO_FILE);
    nodes[B].has_file = true;
    request.need = 8 * GB + 1;
    expect_refusal(PLACEMENT_TOO_LARGE);
    request.need = 4 * GB;
    for (int i = 0; i < NODES; i++) nodes[i].memory_free = 0;
    expect_refusal(PLACEMENT_NO_ROOM);
    assert_int_equal(got.node, PLACEMENT_NO_NODE);
}

static void test_absurd_figures_are_bounded(void **state) {
    (void)state;
    *resident(B) = (struct placement_instance){ .model = MODEL,
                                                .state = PLACEMENT_LOADED,
                                                .bytes = UINT64_MAX,
                                                .running = UINT32_MAX,
                                                .waiting = UINT32_MAX,
                                                .prompt_speed = 1,
                                                .answer_speed = 1,
                                                .load = INT64_MIN };
    nodes[B].sent = UINT32_MAX;
    request.prompt = UINT32_MAX;
    choose();
    assert_int_equal(got.node, B);
    assert_in_range(got.first, PLACEMENT_LONGEST, PLACEMENT_LONGEST + 5);
    assert_int_equal(got.queue, PLACEMENT_LONGEST);
    assert_int_equal(got.prompt, PLACEMENT_LONGEST);
    nodes[B].memory_limit = nodes[B].memory_free = UINT64_MAX;
    instances[B][0].model = OTHER;
    nodes[B].has_file = true;
    request.file = request.need = UINT64_MAX;
    choose();
    assert_int_equal(got.node, B);
    assert_in_range(got.first, 1, PLACEMENT_LONGEST + 5);
}

/* Words */

static void expect_words(const char *words) {
    char text[PLACEMENT_TEXT];
    struct placement_table table = { nodes, NODES, here };
    choose();
    placement_explain(&got, &table, &request, text);
    assert_string_equal(text, words);
}

static void test_explain_says_who_why_and_when(void **state) {
    (void)state;
    resident(A);
    expect_words("This node: the model is loaded there; first token after about 10.0 s.");
    instances[A][0].prompt_speed = 5;
    expect_words("This node: the model is loaded there; first token after about 3 min.");
    resident(B)->prompt_speed = 1000;
    nodes[B].held = 768;
    expect_words("ben: it holds 768 of about 1000 tokens of this conversation; first token "
                 "after about 237 ms (elsewhere 3 min).");
    nodes[A].instance_count = nodes[B].instance_count = 0;
    nodes[B].held = 0;
    nodes[C].claimed = NOW;
    expect_words("Waits for carl: the model is being loaded there; first token after about "
                 "17.2 s.");
    nodes[C].claimed = MSEC_NEVER;
    expect_words("No node of the fleet has this model; download it on one of them.");
    nodes[C].has_file = true;
    expect_words("carl: it has the file and room for it; first token after about 17.2 s.");
    nodes[C].memory_limit = 0;
    nodes[D].disk_free = 4 * GB;
    nodes[C].memory_limit = 8 * GB;
    resident(B)->running = 4;
    nodes[C].cores = 4;
    expect_words("carl: it has the file and room for it; first token after about 26.9 s "
                 "(elsewhere 24.3 s, where requests queue).");
    nodes[B].instance_count = 0;
    nodes[C].memory_limit = 0;
    expect_words("dora: it can fetch the file from carl; first token after about 55.4 s.");
}

static void test_every_rule_and_refusal_has_a_name(void **state) {
    (void)state;
    for (int i = 0; i < PLACEMENT_RULE_COUNT; i++)
        assert_true(strlen(placement_rule_name((enum placement_rule)i)) > 3);
    for (int i = 0; i < PLACEMENT_REFUSAL_COUNT; i++)
        assert_true(strlen(placement_refusal_name((enum placement_refusal)i)) > 3);
    assert_string_equal(placement_rule_name(PLACEMENT_RULE_FETCH), "fetch");
    assert_string_equal(placement_refusal_name(PLACEMENT_TOO_LARGE), "too_large");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(room_before_evicting_even_if_it_is_slower),
        TEST(room_the_fastest_load_and_prompt),
        TEST(room_by_what_the_node_has_measured_of_other_models),
        TEST(room_of_auto_evict_on_is_a_place_too),
        TEST(room_of_auto_evict_per_type_is_a_place_of_that_type),
        TEST(evict_idle_ones_before_answers_have_to_end),
        TEST(evict_never_what_is_pinned_nor_where_it_is_off),
        TEST(evict_not_what_is_being_loaded),
        TEST(cold_loads_belong_to_the_same_node_whoever_asks),
        TEST(fetch_where_nobody_with_the_file_has_room),
        TEST(fetch_comes_after_evicting),
        TEST(fetch_from_another_peer_for_each_node),
        TEST(loading_elsewhere_is_waited_for),
        TEST(loading_here_is_joined),
        TEST(loading_of_a_dead_node_is_none),
        TEST(one_cold_load_in_the_whole_fleet),
        TEST(dead_nodes_do_not_exist),
        TEST(nodes_that_were_tried_are_not_tried_again),
        TEST(without_the_others_this_node_serves_alone),
        TEST(a_request_is_forwarded_once_at_most),
        TEST(a_forwarded_request_may_fetch),
        TEST(refusals_say_why),
        TEST(absurd_figures_are_bounded),
        TEST(explain_says_who_why_and_when),
        TEST(every_rule_and_refusal_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
