/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "fleet/node_proof.h"
#include "fleet/prefix_chain.h"
#include "fleet/prospects.h"

/* Nodes that placement was given, and what was read of the table: what a choice costs. */
static size_t nodes_looked_at, models_looked_up, proofs_made, prompts_read, keys_hashed;

void __real_placement_choose(const struct placement_table *table,
                             const struct placement_request *request, msec now,
                             struct placement *ret);
void __wrap_placement_choose(const struct placement_table *table,
                             const struct placement_request *request, msec now,
                             struct placement *ret);
void __wrap_placement_choose(const struct placement_table *table,
                             const struct placement_request *request, msec now,
                             struct placement *ret) {
    nodes_looked_at += table->count;
    __real_placement_choose(table, request, now, ret);
}

yyjson_val *__real_model_index_find(const struct model_index *index, const char *key,
                                    size_t len);
yyjson_val *__wrap_model_index_find(const struct model_index *index, const char *key,
                                    size_t len);
yyjson_val *__wrap_model_index_find(const struct model_index *index, const char *key,
                                    size_t len) {
    models_looked_up++;
    return __real_model_index_find(index, key, len);
}

bool __real_node_proof_fits(const char *fleet_key, const char *name, const char *url,
                            const char *proof);
bool __wrap_node_proof_fits(const char *fleet_key, const char *name, const char *url,
                            const char *proof);
bool __wrap_node_proof_fits(const char *fleet_key, const char *name, const char *url,
                            const char *proof) {
    proofs_made++;
    return __real_node_proof_fits(fleet_key, name, url, proof);
}

void __real_prefix_list_sort(uint64_t *heads, size_t count);
void __wrap_prefix_list_sort(uint64_t *heads, size_t count);
void __wrap_prefix_list_sort(uint64_t *heads, size_t count) {
    prompts_read++;
    __real_prefix_list_sort(heads, count);
}

uint64_t __real_prefix_model(const char *key, size_t len);
uint64_t __wrap_prefix_model(const char *key, size_t len);
uint64_t __wrap_prefix_model(const char *key, size_t len) {
    keys_hashed++;
    return __real_prefix_model(key, len);
}

enum { NOW = 5000000, UNIX_NOW = 7000000 };

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

enum { MANY = 1000, MODELS = 100 };

/* Nodes of which each has all models, and every tenth a parked worker. */
static struct fleet_table large_fleet(void) {
    struct fleet_table table = { 0 };
    struct buf models = BUF_INIT(1 << 20);
    char key[64];
    (void)buf_addf(&models, "{\"models\":[");
    for (int i = 1; i < MODELS; i++)
        (void)buf_addf(&models, "{\"key\":\"other-%d\",\"size_bytes\":1000},", i);
    (void)buf_addf(&models, "{\"key\":\"m\",\"size_bytes\":1000000}]}");
    fleet_table_put(&table, "nodes/a", NODE("8000000000"));
    for (int i = 1; i < MANY; i++) {
        (void)snprintf(key, sizeof key, "nodes/n%03d", i);
        fleet_table_put(&table, key, NODE("8000000000"));
        (void)snprintf(key, sizeof key, "models/n%03d", i);
        fleet_table_put(&table, key, buf_str(&models));
        (void)snprintf(key, sizeof key, "resident/m/n%03d", i);
        if (i % 10 == 0) fleet_table_put(&table, key, "{\"instances\":[],\"parked\":true}");
    }
    buf_clear(&models);
    return table;
}

/* Twice at most: where memory is short, a node is asked what its own rules would do. */
static void test_a_choice_looks_at_each_node_of_a_large_fleet_once(void **state) {
    (void)state;
    struct fleet_table table = large_fleet();
    struct prospect list[PROSPECTS_MAX];
    struct fleet_view view;
    struct placement p;
    models_looked_up = nodes_looked_at = 0;
    assert_true(fleet_view_make(&table, &question, &view));
    assert_in_range(models_looked_up, MANY - 1, 2 * MANY);
    fleet_view_choose(&view, NOW, &p);
    assert_int_equal(p.rule, PLACEMENT_RULE_PARKED);
    assert_int_equal(nodes_looked_at, MANY);
    nodes_looked_at = 0;
    assert_int_equal(prospects_make(&view, NOW, list), PROSPECTS_MAX);
    assert_in_range(nodes_looked_at, MANY - 1, 2 * MANY);
    assert_int_equal(list[PROSPECTS_MAX - 1].placement.rule, PLACEMENT_RULE_PARKED);
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

static size_t view_nodes(const struct fleet_table *table, const char *secret) {
    uint64_t hash = 7;
    struct prefix_marks marks = { .hashes = &hash, .count = 1 };
    struct fleet_question q = question;
    struct fleet_view view;
    q.secret = secret;
    q.marks = &marks;
    assert_true(fleet_view_make(table, &q, &view));
    size_t count = view.table.count;
    fleet_view_clear(&view);
    return count;
}

static void put_with_proof(struct fleet_table *table, const char *url) {
    char proof[NODE_PROOF_SIZE], value[256];
    node_proof_of_entry("key", "b", url, proof);
    (void)snprintf(value, sizeof value, "{\"url\":\"%s\",\"proof\":\"%s\"}", url, proof);
    fleet_table_put(table, "nodes/b", value);
}

/* With the first request after each change, and with another fleet key. */
static void test_proofs_and_prompts_of_a_node_are_read_once(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "nodes/a", NODE("1"));
    fleet_table_put(&table, "models/b", MODEL);
    fleet_table_put(&table, "prefixes/b", "{\"heads\":\"AAAAAAAAAAc=\"}");
    put_with_proof(&table, "http://x");
    proofs_made = prompts_read = 0;
    for (int i = 0; i < 3; i++) assert_int_equal(view_nodes(&table, "key"), 2);
    assert_int_equal(proofs_made, 1);
    assert_int_equal(prompts_read, 1);
    for (int i = 0; i < 3; i++) assert_int_equal(view_nodes(&table, "another key"), 1);
    assert_int_equal(view_nodes(&table, "key"), 2);
    assert_int_equal(proofs_made, 3);
    fleet_table_put(&table, "nodes/b", "{\"url\":\"http://x\",\"proof\":\"00\"}");
    assert_int_equal(view_nodes(&table, "key"), 1); /* the verdict went with the value */
    put_with_proof(&table, "http://y");
    assert_int_equal(view_nodes(&table, "key"), 2);
    fleet_table_put(&table, "prefixes/b", "{\"heads\":\"AAAAAAAAAAg=\"}");
    assert_int_equal(view_nodes(&table, "key"), 2);
    assert_int_equal(prompts_read, 2);
    fleet_table_clear(&table);
}

/* When the instance of "m" on b ends, asked `later` ms after NOW. */
static msec expiry_on_b(const struct fleet_table *table, msec later) {
    struct fleet_question q = question;
    struct fleet_view view;
    q.now += later;
    q.unix_now = UNIX_NOW + later;
    assert_true(fleet_view_make(table, &q, &view));
    assert_int_equal(view.nodes[0].instance_count, 0);
    assert_int_equal(view.nodes[1].instance_count, 1);
    assert_int_equal(view.nodes[1].instances[0].slots, 7);
    msec expires = view.nodes[1].instances[0].expires;
    fleet_view_clear(&view);
    return expires;
}

#define EXPIRES(at)                                                                            \
    "{\"instances\":[{\"id\":\"m\",\"state\":\"idle\",\"parallel\":7,\"idle_expires_at\":" at  \
    "}]}"

/* With the first request after each change; how long they have left is each request's. */
static void test_instances_of_a_node_are_read_once(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "nodes/a", NODE("1"));
    fleet_table_put(&table, "nodes/b", NODE("1"));
    fleet_table_put(&table, "resident/m/b", EXPIRES("7060000"));
    keys_hashed = 0;
    for (int i = 0; i < 3; i++) assert_int_equal(expiry_on_b(&table, i), NOW + 60000);
    assert_int_equal(keys_hashed, 3 + 1); /* that of each request, and of the entry once */
    fleet_table_put(&table, "resident/m/b", EXPIRES("7090000"));
    assert_int_equal(expiry_on_b(&table, 0), NOW + 90000);
    fleet_table_put(&table, "resident/m/b", EXPIRES("null"));
    assert_true(expiry_on_b(&table, 1) == MSEC_NEVER);
    fleet_table_clear(&table);
}

/* In a fleet where all others are dead. */
static struct placement choose_alone(const struct fleet_view *view, uint32_t n) {
    struct placement_node *nodes = xcalloc(view->table.count, sizeof *nodes);
    struct fleet_view alone = *view;
    struct placement p;
    memcpy(nodes, view->nodes, view->table.count * sizeof *nodes);
    for (uint32_t i = 0; i < view->table.count; i++) {
        if (i != n) nodes[i].alive_until = 0;
    }
    alone.nodes = nodes;
    alone.table.nodes = nodes;
    fleet_view_choose(&alone, NOW, &p);
    free(nodes);
    return p;
}

static void assert_same(const struct placement *a, const struct placement *b) {
    assert_int_equal(a->where, b->where);
    assert_int_equal(a->rule, b->rule);
    assert_int_equal(a->refusal, b->refusal);
    assert_int_equal(a->node, b->node);
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->lender, b->lender);
    assert_int_equal(a->claims, b->claims);
    assert_int_equal(a->held, b->held);
    assert_int_equal(a->queue, b->queue);
    assert_int_equal(a->prompt, b->prompt);
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->fetch + a->load, b->fetch + b->load);
    assert_true(a->elsewhere == b->elsewhere);
}

/* Here and elsewhere, with memory and without. */
static void test_a_node_can_do_what_it_would_do_alone(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    struct prospect list[PROSPECTS_MAX];
    struct fleet_view view;
    fleet_table_put(&table, "nodes/a", NODE("8000000000"));
    fleet_table_put(&table, "nodes/b", NODE("1"));
    fleet_table_put(&table, "nodes/c", NODE("8000000000"));
    fleet_table_put(&table, "nodes/d", NODE("8000000000"));
    fleet_table_put(&table, "models/a", MODEL);
    fleet_table_put(&table, "models/b", MODEL);
    fleet_table_put(&table, "models/c", MODEL);
    fleet_table_put(&table, "resident/m/c", LOADED("busy"));
    fleet_table_put(&table, "claim/m", "{\"node\":\"d\",\"since\":5000000}");
    assert_int_equal(ask(&table, list, &view), 4);
    for (uint32_t i = 0; i < 4; i++) {
        struct placement p = choose_alone(&view, list[i].node);
        assert_same(&p, &list[i].placement);
    }
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_with_the_model_come_in_the_order_of_the_rules),
        cmocka_unit_test(test_of_many_nodes_the_best_are_kept),
        cmocka_unit_test(test_a_choice_looks_at_each_node_of_a_large_fleet_once),
        cmocka_unit_test(test_proofs_and_prompts_of_a_node_are_read_once),
        cmocka_unit_test(test_instances_of_a_node_are_read_once),
        cmocka_unit_test(test_a_node_can_do_what_it_would_do_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
