/* SPDX-License-Identifier: MIT */
/* The rules of docs/fleet.md about leases, keys and the table, on a virtual clock. */
#include "cmocka_prelude.h"

#include <string.h>

#include "world.h"

static struct world *three_nodes(void) {
    struct world *w = world_new();
    world_start(w, 0, "a", "http://a");
    world_start(w, 1, "b", "http://b");
    world_start(w, 2, "c", "http://c");
    world_run(w, 1000);
    return w;
}

static void test_nodes_see_each_other_at_once(void **state) {
    (void)state;
    struct world *w = three_nodes();
    for (int i = 0; i < 3; i++) {
        assert_true(world_knows(w, i, "nodes/a") && world_knows(w, i, "models/a"));
        assert_true(world_knows(w, i, "nodes/b") && world_knows(w, i, "nodes/c"));
        assert_int_equal(w->nodes[i].joined, 1);
        assert_int_equal(w->nodes[i].alone, 0);
    }
    membership_set(w->nodes[1].m, "resident/m/b", "{}");
    world_run(w, 1);
    assert_true(world_knows(w, 0, "resident/m/b"));
    membership_set(w->nodes[1].m, "resident/m/b", NULL);
    world_run(w, MEMBERSHIP_OTHER_STEP);
    assert_false(world_knows(w, 0, "resident/m/b"));
    assert_false(world_has(w, "/doze/resident/m/b"));
    world_free(w);
}

/* Those who show the list are told by it; nothing else makes them look. */
static void test_the_number_of_changes_grows_with_what_is_seen_only(void **state) {
    (void)state;
    struct world *w = three_nodes();
    uint64_t before = membership_changes(w->nodes[0].m);
    world_run(w, 9000); /* three keepalives */
    assert_true(membership_changes(w->nodes[0].m) == before);
    membership_set(w->nodes[1].m, "resident/m/b", "{}");
    world_run(w, 1);
    assert_true(membership_changes(w->nodes[0].m) == before + 1);
    membership_set(w->nodes[1].m, "resident/m/b", "{\"new\":1}");
    world_run(w, MEMBERSHIP_OTHER_STEP);
    assert_true(membership_changes(w->nodes[0].m) == before + 2);
    before += 2;
    w->nodes[0].cut = true;
    world_run(w, 4000);
    assert_false(membership_status(w->nodes[0].m).reached);
    assert_true(membership_changes(w->nodes[0].m) == before + 1);
    world_run(w, 9000);
    assert_true(membership_status(w->nodes[0].m).valid_until == 0);
    assert_true(membership_changes(w->nodes[0].m) > before + 2);
    world_free(w);
}

static void test_being_alone_is_a_change_of_a_list_with_one_node(void **state) {
    (void)state;
    struct world *w = world_new();
    world_start(w, 0, "a", "http://a");
    world_run(w, 1000);
    w->nodes[0].cut = true;
    world_run(w, 4000);
    uint64_t before = membership_changes(w->nodes[0].m);
    assert_true(membership_status(w->nodes[0].m).valid_until != 0);
    world_run(w, 9000);
    assert_true(membership_changes(w->nodes[0].m) == before + 1);
    world_free(w);
}

static void test_a_lease_of_10_s_is_kept_alive_every_3_s(void **state) {
    (void)state;
    struct world *w = world_new();
    world_start(w, 0, "a", "http://a");
    world_run(w, 60000);
    assert_int_equal(world_calls(w, 0, ETCD_GRANT, "", 0), 1);
    assert_int_equal(w->calls[0].request.ttl, 10);
    assert_int_equal(world_calls(w, 0, ETCD_KEEPALIVE, "", 0), 20);
    assert_int_equal(world_calls(w, 0, ETCD_RANGE, "", 0), 1);
    assert_int_equal(world_calls(w, 0, ETCD_CREATE, "", 0), 1);
    world_free(w);
}

static void test_a_node_that_is_killed_vanishes_within_10_s(void **state) {
    (void)state;
    struct world *w = three_nodes();
    world_run(w, 2500);
    world_kill(w, 1);
    world_run(w, 7000);
    assert_true(world_knows(w, 0, "nodes/b"));
    world_run(w, 3000);
    assert_false(world_knows(w, 0, "nodes/b"));
    assert_false(world_knows(w, 2, "models/b"));
    assert_true(world_knows(w, 0, "nodes/c"));
    world_free(w);
}

/* Others would wait for a load of which its worker has died. */
static void test_a_node_that_is_back_removes_what_its_last_run_left(void **state) {
    (void)state;
    struct world *w = three_nodes();
    membership_set(w->nodes[1].m, "resident/m/b", "{}");
    membership_set(w->nodes[1].m, "resident/n/b", "{}");
    world_run(w, 1000);
    world_kill(w, 1);
    world_start(w, 1, "b", "http://b");
    membership_set(w->nodes[1].m, "resident/n/b", "{\"new\":1}");
    world_run(w, 2000);
    assert_false(world_has(w, "/doze/resident/m/b"));
    assert_true(world_has(w, "/doze/resident/n/b"));
    assert_true(world_has(w, "/doze/nodes/b") && world_has(w, "/doze/models/b"));
    assert_false(world_knows(w, 0, "resident/m/b"));
    assert_true(world_has(w, "/doze/nodes/a") && world_has(w, "/doze/models/c"));
    world_run(w, 20000);
    assert_true(world_has(w, "/doze/resident/n/b"));
    world_free(w);
}

static void test_a_lost_lease_is_replaced_and_all_keys_written_again(void **state) {
    (void)state;
    struct world *w = three_nodes();
    membership_set(w->nodes[0].m, "resident/m/a", "{}");
    world_run(w, 500);
    world_revoke(w, 0);
    assert_false(world_has(w, "/doze/nodes/a"));
    world_run(w, 3100);
    assert_true(world_has(w, "/doze/nodes/a") && world_has(w, "/doze/models/a"));
    assert_true(world_has(w, "/doze/resident/m/a"));
    assert_true(world_knows(w, 1, "nodes/a"));
    assert_int_equal(w->nodes[0].alone, 0);
    assert_true(membership_status(w->nodes[0].m).reached);
    world_free(w);
}

static void test_a_put_under_a_dead_lease_asks_for_another(void **state) {
    (void)state;
    struct world *w = three_nodes();
    world_revoke(w, 0);
    membership_set(w->nodes[0].m, "resident/m/a", "{}");
    world_run(w, 10); /* long before the next keepalive */
    assert_int_equal(world_calls(w, 0, ETCD_GRANT, "", 0), 2);
    assert_true(world_has(w, "/doze/nodes/a") && world_has(w, "/doze/resident/m/a"));
    world_free(w);
}

static void test_the_table_is_valid_for_10_s_after_the_last_keepalive(void **state) {
    (void)state;
    struct world *w = three_nodes();
    msec until = membership_status(w->nodes[0].m).valid_until;
    w->down = true;
    world_run(w, until - w->now - 1);
    assert_false(membership_status(w->nodes[0].m).reached);
    assert_true(world_knows(w, 0, "nodes/b"));
    assert_int_equal(w->nodes[0].alone, 0);
    world_run(w, 1);
    assert_false(world_knows(w, 0, "nodes/b"));
    assert_true(world_knows(w, 0, "nodes/a") && world_knows(w, 0, "models/a"));
    assert_int_equal(w->nodes[0].alone, 1);
    world_free(w);
}

static void test_etcd_that_comes_back_is_found_and_it_is_said_once(void **state) {
    (void)state;
    struct world *w = three_nodes();
    w->down = true;
    world_run(w, 60000);
    assert_int_equal(w->nodes[0].alone, 1);
    membership_set(w->nodes[0].m, "resident/m/a", "{}");
    w->down = false;
    world_run(w, MEMBERSHIP_DELAY_MAX);
    for (int i = 0; i < 3; i++) {
        assert_true(world_knows(w, i, "nodes/a") && world_knows(w, i, "nodes/c"));
        assert_int_equal(w->nodes[i].joined, 2);
        assert_int_equal(w->nodes[i].alone, 1);
    }
    assert_true(world_knows(w, 2, "resident/m/a"));
    world_free(w);
}

static void test_a_short_absence_of_etcd_costs_nothing(void **state) {
    (void)state;
    struct world *w = three_nodes();
    msec before = w->now;
    w->down = true;
    world_run(w, 6000);
    w->down = false;
    world_run(w, MEMBERSHIP_DELAY_MAX);
    assert_int_equal(w->nodes[0].joined, 1);
    assert_int_equal(w->nodes[0].alone, 0);
    assert_int_equal(world_calls(w, 0, ETCD_GRANT, "", before), 0);
    assert_int_equal(world_calls(w, 0, ETCD_PUT, "", before), 0);
    assert_true(world_knows(w, 0, "nodes/b"));
    world_free(w);
}

static void test_each_absence_is_said(void **state) {
    (void)state;
    struct world *w = three_nodes();
    for (int i = 1; i <= 2; i++) {
        w->down = true;
        world_run(w, 20000);
        assert_int_equal(w->nodes[0].alone, i);
        w->down = false;
        world_run(w, MEMBERSHIP_DELAY_MAX);
        assert_int_equal(w->nodes[0].joined, i + 1);
    }
    world_free(w);
}

/* The other lanes have waits of their own, which end when etcd answers. */
static void test_the_table_is_read_as_soon_as_etcd_answers(void **state) {
    (void)state;
    struct world *w = three_nodes();
    w->down = true;
    world_run(w, 8000);
    w->down = false;
    while (!membership_status(w->nodes[0].m).reached) world_run(w, 1);
    assert_int_equal(world_calls(w, 0, ETCD_RANGE, "", w->now - 1), 1);
    world_free(w);
}

static void test_what_changed_while_a_node_was_cut_off_is_not_missed(void **state) {
    (void)state;
    struct world *w = three_nodes();
    w->nodes[0].cut = true;
    w->nodes[0].watch = 0; /* its stream has ended, and nobody told the node */
    world_run(w, 3000);
    membership_set(w->nodes[1].m, "resident/m/b", "{}");
    world_run(w, 3000);
    w->nodes[0].cut = false;
    world_run(w, MEMBERSHIP_DELAY_MAX);
    assert_true(world_knows(w, 0, "resident/m/b"));
    assert_int_equal(w->nodes[0].alone, 0);
    world_free(w);
}

static void test_waits_grow_while_etcd_is_gone(void **state) {
    (void)state;
    struct world *w = world_new();
    w->down = true;
    world_start(w, 0, "a", "http://a");
    world_run(w, 60000);
    assert_in_range(world_calls(w, 0, ETCD_GRANT, "", 0), 14, 32);
    assert_in_range(world_calls(w, 0, ETCD_GRANT, "", w->now - 20000), 4, 9);
    assert_int_equal(w->nodes[0].alone, 1); /* at the first failure */
    assert_true(world_knows(w, 0, "nodes/a"));
    world_free(w);
}

static void test_a_change_of_the_node_is_written_at_once_then_once_a_second(void **state) {
    (void)state;
    struct world *w = three_nodes();
    char value[64];
    world_run(w, 2000);
    msec before = w->now;
    for (int i = 0; i < 30; i++) {
        (void)snprintf(value, sizeof value, "{\"url\":\"http://a\",\"n\":%d}", i);
        membership_set(w->nodes[0].m, "nodes/a", value);
        world_run(w, 100);
        if (i == 0) assert_int_equal(world_calls(w, 0, ETCD_PUT, "", before), 1);
    }
    assert_int_equal(world_calls(w, 0, ETCD_PUT, "/doze/nodes/a", before), 4); /* 0 to 3 s */
    world_run(w, 1000);
    yyjson_val *node = fleet_table_find(membership_table(w->nodes[1].m), "nodes/a");
    assert_int_equal(yyjson_get_int(yyjson_obj_get(node, "n")), 29); /* the last one, too */
    world_free(w);
}

static void test_a_value_that_is_the_same_is_not_written_again(void **state) {
    (void)state;
    struct world *w = three_nodes();
    msec before = w->now;
    membership_set(w->nodes[0].m, "models/a", "{\"models\":[]}");
    world_run(w, 5000);
    assert_int_equal(world_calls(w, 0, ETCD_PUT, "", before), 0);
    world_free(w);
}

static void test_a_name_that_another_daemon_has_is_noticed(void **state) {
    (void)state;
    struct world *w = three_nodes();
    world_start(w, 3, "a", "http://other");
    membership_set(w->nodes[3].m, "resident/m/a", "{}");
    world_run(w, 20000);
    assert_int_equal(w->nodes[3].taken, 1);
    assert_string_equal(membership_status(w->nodes[3].m).rival, "http://a");
    assert_false(world_has(w, "/doze/resident/m/a"));
    assert_int_equal(w->nodes[0].taken, 0);
    world_kill(w, 0);
    world_run(w, 10000 + MEMBERSHIP_NAME_STEP);
    assert_true(world_has(w, "/doze/resident/m/a"));
    assert_string_equal(membership_status(w->nodes[3].m).rival, "");
    world_free(w);
}

static void test_a_daemon_that_was_started_again_has_its_name_at_once(void **state) {
    (void)state;
    struct world *w = three_nodes();
    world_kill(w, 1);
    world_start(w, 1, "b", "http://b");
    world_run(w, 10);
    assert_int_equal(w->nodes[1].taken, 0);
    world_run(w, 20000); /* the lease of the former run ends, the key stays */
    assert_true(world_has(w, "/doze/nodes/b") && world_knows(w, 0, "nodes/b"));
    world_free(w);
}

static void test_a_watch_on_what_is_compacted_reads_again(void **state) {
    (void)state;
    struct world *w = three_nodes();
    msec before = w->now;
    world_compact(w, 0);
    world_put(w, "/doze/nodes/d", "{}");
    world_run(w, 1000);
    assert_true(world_knows(w, 0, "nodes/d"));
    assert_int_equal(world_calls(w, 0, ETCD_RANGE, "", before), 1);
    assert_int_equal(world_calls(w, 0, ETCD_WATCH, "", before), 1);
    world_free(w);
}

static void test_a_store_that_lost_everything_is_filled_again(void **state) {
    (void)state;
    struct world *w = three_nodes();
    world_run(w, 500);
    world_put(w, "/doze/nodes/d", "{}");
    world_run(w, 1);
    assert_true(world_knows(w, 0, "nodes/d"));
    world_wipe(w);
    world_run(w, 3500);
    assert_false(world_knows(w, 0, "nodes/d"));
    for (int i = 0; i < 3; i++) {
        assert_true(world_knows(w, i, "nodes/a") && world_knows(w, i, "models/b"));
        assert_int_equal(w->nodes[i].alone, 0);
    }
    membership_set(w->nodes[1].m, "resident/m/b", "{}");
    world_run(w, 1);
    assert_true(world_knows(w, 0, "resident/m/b"));
    world_free(w);
}

static void test_a_watch_that_has_gone_deaf_is_found_out(void **state) {
    (void)state;
    struct world *w = three_nodes();
    w->nodes[0].deaf = true;
    membership_set(w->nodes[1].m, "resident/m/b", "{}");
    world_run(w, MEMBERSHIP_BEHIND);
    assert_false(world_knows(w, 0, "resident/m/b"));
    world_run(w, MEMBERSHIP_KEEPALIVE);
    assert_true(world_knows(w, 0, "resident/m/b"));
    world_free(w);
}

static void test_prompts_are_published_once_a_second(void **state) {
    (void)state;
    struct world *w = three_nodes();
    membership_set(w->nodes[1].m, "prefixes/b", "{\"heads\":\"1\"}");
    world_run(w, 1);
    assert_true(world_knows(w, 0, "prefixes/b"));
    membership_set(w->nodes[1].m, "prefixes/b", NULL);
    world_run(w, MEMBERSHIP_NODE_STEP - 10);
    assert_true(world_knows(w, 0, "prefixes/b"));
    world_run(w, 20);
    assert_false(world_knows(w, 0, "prefixes/b"));
    world_free(w);
}

static void test_a_key_that_somebody_removed_is_written_again(void **state) {
    (void)state;
    struct world *w = three_nodes();
    world_put(w, "/doze/models/a", NULL);
    world_run(w, MEMBERSHIP_OTHER_STEP);
    assert_true(world_has(w, "/doze/models/a"));
    world_free(w);
}

static void test_a_node_says_itself_what_it_is(void **state) {
    (void)state;
    struct world *w = three_nodes();
    world_put(w, "/doze/nodes/a", "{\"url\":\"http://evil\"}");
    world_put(w, "/doze/nodes/b", "no JSON");
    world_run(w, 1000);
    yyjson_val *node = fleet_table_find(membership_table(w->nodes[0].m), "nodes/a");
    assert_string_equal(yyjson_get_str(yyjson_obj_get(node, "url")), "http://a");
    assert_false(world_knows(w, 0, "nodes/b"));
    world_free(w);
}

static void test_a_node_that_is_cut_off_keeps_serving_alone(void **state) {
    (void)state;
    struct world *w = three_nodes();
    w->nodes[0].cut = true;
    world_run(w, 30000);
    assert_false(world_knows(w, 1, "nodes/a"));
    assert_false(world_knows(w, 0, "nodes/b"));
    membership_set(w->nodes[0].m, "resident/m/a", "{}");
    membership_set(w->nodes[0].m, "resident/m/a", NULL); /* gone before anybody knew */
    w->nodes[0].cut = false;
    w->nodes[0].watch = 0;
    world_run(w, MEMBERSHIP_DELAY_MAX);
    assert_true(world_knows(w, 1, "nodes/a") && world_knows(w, 0, "nodes/b"));
    assert_false(world_has(w, "/doze/resident/m/a"));
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_see_each_other_at_once),
        cmocka_unit_test(test_the_number_of_changes_grows_with_what_is_seen_only),
        cmocka_unit_test(test_being_alone_is_a_change_of_a_list_with_one_node),
        cmocka_unit_test(test_a_lease_of_10_s_is_kept_alive_every_3_s),
        cmocka_unit_test(test_a_node_that_is_killed_vanishes_within_10_s),
        cmocka_unit_test(test_a_node_that_is_back_removes_what_its_last_run_left),
        cmocka_unit_test(test_a_lost_lease_is_replaced_and_all_keys_written_again),
        cmocka_unit_test(test_a_put_under_a_dead_lease_asks_for_another),
        cmocka_unit_test(test_the_table_is_valid_for_10_s_after_the_last_keepalive),
        cmocka_unit_test(test_etcd_that_comes_back_is_found_and_it_is_said_once),
        cmocka_unit_test(test_a_short_absence_of_etcd_costs_nothing),
        cmocka_unit_test(test_each_absence_is_said),
        cmocka_unit_test(test_the_table_is_read_as_soon_as_etcd_answers),
        cmocka_unit_test(test_what_changed_while_a_node_was_cut_off_is_not_missed),
        cmocka_unit_test(test_waits_grow_while_etcd_is_gone),
        cmocka_unit_test(test_a_change_of_the_node_is_written_at_once_then_once_a_second),
        cmocka_unit_test(test_a_value_that_is_the_same_is_not_written_again),
        cmocka_unit_test(test_a_name_that_another_daemon_has_is_noticed),
        cmocka_unit_test(test_a_daemon_that_was_started_again_has_its_name_at_once),
        cmocka_unit_test(test_a_watch_on_what_is_compacted_reads_again),
        cmocka_unit_test(test_a_store_that_lost_everything_is_filled_again),
        cmocka_unit_test(test_a_watch_that_has_gone_deaf_is_found_out),
        cmocka_unit_test(test_prompts_are_published_once_a_second),
        cmocka_unit_test(test_a_key_that_somebody_removed_is_written_again),
        cmocka_unit_test(test_a_node_says_itself_what_it_is),
        cmocka_unit_test(test_a_node_that_is_cut_off_keeps_serving_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
