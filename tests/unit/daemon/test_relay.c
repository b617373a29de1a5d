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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_node_is_asked_when_one_fails),
        cmocka_unit_test(test_the_body_stays_until_it_has_gone_out),
        cmocka_unit_test(test_a_node_that_is_lost_within_its_answer),
        cmocka_unit_test(test_a_client_that_leaves_ends_what_goes_on),
        cmocka_unit_test(test_the_load_of_a_node_that_failed_is_waited_for),
        cmocka_unit_test(test_what_only_one_node_has_comes_from_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
