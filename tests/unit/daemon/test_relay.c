/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "relay_world.h"

static void test_another_node_is_asked_when_one_fails(void **state) {
    (void)state;
    world_open();
    world_add_node("b");
    world_add_node("c");
    assert_true(world_begin());
    char first[sizeof world.url];
    (void)snprintf(first, sizeof first, "%s", world.url);
    world_fail();
    assert_true(strcmp(first, world.url) != 0);
    world_refuse(503);
    assert_int_equal(world.asked, 2);
    assert_int_equal(world.x.status, 503); /* what the last one said */
    assert_int_equal(world.ends, 1);
    world_close();
}

static void test_of_many_nodes_that_refuse_so_many_are_asked(void **state) {
    (void)state;
    world_open();
    for (char name[] = "b"; *name < 'p'; (*name)++) world_add_node(name);
    assert_true(world_begin());
    while (world.is_asking) world_refuse(503);
    assert_int_equal(world.asked, 8);
    assert_int_equal(world.x.status, 503);
    assert_int_equal(world.x.ends, 1);
    world_close();
}

static void test_after_so_many_this_node_answers_if_it_can(void **state) {
    (void)state;
    world_open();
    world.key = "m";
    for (char name[] = "b"; *name < 'p'; (*name)++) world_add_node(name);
    assert_true(world_begin());
    while (world.asked < 8) world_refuse(429);
    world_make_room();
    world_refuse(429);
    assert_int_equal(world.asked, 8);
    assert_int_equal(world.here, 1);
    assert_int_equal(world.x.ends, 0);
    world_close();
}

static void test_no_answer_at_all_is_an_error_with_a_sentence(void **state) {
    (void)state;
    world_open();
    world_add_node("b");
    assert_true(world_begin());
    world_refuse(204);
    assert_int_equal(world.x.status, 503);
    assert_non_null(strstr(world.x.text, "node 'b' of the fleet"));
    world_close();
}

static void test_the_body_stays_until_it_has_gone_out(void **state) {
    (void)state;
    for (int sent = 0; sent < 2; sent++) {
        world_open();
        world_add_node("b");
        assert_true(world_begin());
        world_answer(200, -1, sent);
        assert_int_equal(world.x.has_body, !sent); /* the forward borrows it */
        world_end();
        assert_int_equal(world.x.ends, 1);
        world_close();
    }
}

static void test_a_node_that_is_lost_within_its_answer(void **state) {
    (void)state;
    world_open();
    world_add_node("b");
    world_add_node("c");
    assert_true(world_begin());
    world_answer(200, -1, true);
    world_fail();
    assert_int_equal(world.asked, 1);
    assert_string_equal(world.x.text, "aborted");
    assert_int_equal(world.ends, 1);
    world_close();
}

static void test_a_client_that_leaves_ends_what_goes_on(void **state) {
    (void)state;
    for (int begun = 0; begun < 2; begun++) {
        world_open();
        world_add_node("b");
        assert_true(world_begin());
        if (begun) world_answer(200, -1, true);
        world_leave();
        assert_false(world.is_asking);
        assert_int_equal(world.ends, 1);
        assert_int_equal(world.x.ends, 0);
        world_close();
    }
}

/* Its load goes on by the list, until its lease ends. */
static void test_the_load_of_a_node_that_failed_is_waited_for(void **state) {
    (void)state;
    for (int leaves = 0; leaves < 2; leaves++) {
        world_open();
        world_add_node("b");
        fleet_table_put(&world.node.table, "claim/m", "{\"node\":\"b\",\"since\":1}");
        assert_true(world_begin());
        world_fail();
        assert_int_equal(world.x.ends, 0);
        if (leaves) world_leave();
        world_remove_node("b");
        world_close();
        assert_int_equal(world.asked, 1);
        assert_int_equal(world.ends, 1);
        assert_int_equal(world.x.ends, !leaves);
    }
}

static void test_what_only_one_node_has_comes_from_there(void **state) {
    (void)state;
    world_open();
    world_add_node("b");
    world_add_node("c");
    relay_pass(&world.loop, &world.node, &world.x, "c", NULL);
    assert_string_equal(world.url, "http://c/v1/chat/completions");
    world_fail();
    assert_int_equal(world.asked, 1);
    assert_int_equal(world.x.status, 503);
    world_close();
}

static void test_what_only_one_node_has_is_not_answered_here(void **state) {
    (void)state;
    world_open();
    world_add_node("b");
    relay_pass(&world.loop, &world.node, &world.x, "b", NULL);
    world.node.off = true; /* the setting was changed meanwhile */
    world_fail();
    assert_int_equal(world.x.ends, 1);
    assert_non_null(strstr(world.x.text, "node 'b' of the fleet"));
    world_close();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_node_is_asked_when_one_fails),
        cmocka_unit_test(test_of_many_nodes_that_refuse_so_many_are_asked),
        cmocka_unit_test(test_after_so_many_this_node_answers_if_it_can),
        cmocka_unit_test(test_no_answer_at_all_is_an_error_with_a_sentence),
        cmocka_unit_test(test_the_body_stays_until_it_has_gone_out),
        cmocka_unit_test(test_a_node_that_is_lost_within_its_answer),
        cmocka_unit_test(test_a_client_that_leaves_ends_what_goes_on),
        cmocka_unit_test(test_the_load_of_a_node_that_failed_is_waited_for),
        cmocka_unit_test(test_what_only_one_node_has_comes_from_there),
        cmocka_unit_test(test_what_only_one_node_has_is_not_answered_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
