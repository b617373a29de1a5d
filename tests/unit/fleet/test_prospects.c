/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "fleet/prospects.h"

enum { NOW = 5000000 };

#define NODE(limit)                                                                            \
    "{\"url\":\"http://x\",\"memory_limit_bytes\":" limit ",\"memory_free_bytes\":" limit      \
    ",\"cores\":4,\"jit_limit\":4,\"auto_evict\":\"fit\"}"
#define MODEL "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000000}]}"
#define LOADED(state) "{\"instances\":[{\"id\":\"m\",\"state\":\"" state "\"}]}"

static const struct fleet_question question = {
    .name = "m", .key = "m", .here = "a", .secret = "", .now = NOW, .unix_now = NOW
};

static uint32_t ask(const struct fleet_table *table, struct prospect ret[PROSPECTS_MAX],
                    struct fleet_view *view) {
    assert_true(fleet_view_make(table, &question, view));
    return prospects_make(view, NOW, ret);
}

/* The third node has not the file; one that loads the model comes after those that could. */
static void test_nodes_with_the_model_come_in_the_order_of_the_rules(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    struct prospect list[PROSPECTS_MAX];
    struct fleet_view view;
    fleet_table_put(&table, "nodes/a", NODE("8000000000"));
    fleet_table_put(&table, "nodes/b", NODE("8000000000"));
    fleet_table_put(&table, "nodes/c", NODE("8000000000"));
    fleet_table_put(&table, "nodes/d", NODE("8000000000"));
    fleet_table_put(&table, "models/a", MODEL);
    fleet_table_put(&table, "models/b", MODEL);
    fleet_table_put(&table, "models/d", MODEL);
    fleet_table_put(&table, "resident/m/b", LOADED("idle"));
    fleet_table_put(&table, "resident/m/d", LOADED("loading"));
    assert_int_equal(ask(&table, list, &view), 3);
    static const struct {
        const char *node;
        enum placement_rule rule;
    } expected[] = { { "b", PLACEMENT_RULE_RESIDENT },
                     { "a", PLACEMENT_RULE_ROOM },
                     { "d", PLACEMENT_RULE_LOADING } };
    for (int i = 0; i < 3; i++) {
        assert_string_equal(view.nodes[list[i].node].name, expected[i].node);
        assert_int_equal(list[i].placement.rule, expected[i].rule);
    }
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

/* What a large fleet has is cut to the best; the view may be asked again. */
static void test_of_many_nodes_the_best_are_kept(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    struct prospect list[PROSPECTS_MAX];
    struct placement before, after;
    struct fleet_view view;
    char key[64];
    fleet_table_put(&table, "nodes/a", NODE("8000000000"));
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "nodes/n%02d", i);
        fleet_table_put(&table, key, NODE("8000000000"));
        (void)snprintf(key, sizeof key, "models/n%02d", i);
        fleet_table_put(&table, key, MODEL);
    }
    fleet_table_put(&table, "resident/m/n77", LOADED("idle"));
    assert_true(fleet_view_make(&table, &question, &view));
    placement_choose(&view.table, &view.request, NOW, &before);
    assert_int_equal(prospects_make(&view, NOW, list), PROSPECTS_MAX);
    placement_choose(&view.table, &view.request, NOW, &after);
    assert_string_equal(view.nodes[list[0].node].name, "n77");
    assert_int_equal(list[1].placement.rule, PLACEMENT_RULE_ROOM);
    assert_int_equal(before.node, after.node);
    assert_int_equal(before.rule, after.rule);
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_with_the_model_come_in_the_order_of_the_rules),
        cmocka_unit_test(test_of_many_nodes_the_best_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
