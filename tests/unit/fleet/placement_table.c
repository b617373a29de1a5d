/* SPDX-License-Identifier: MIT */
#include "placement_table.h"

struct placement_node nodes[NODES];
struct placement_instance instances[NODES][INSTANCES];
struct placement_request request;
struct placement got;
uint32_t here;

int table_set_up(void **state) {
    (void)state;
    static const char *const names[] = { "anna", "ben", "carl", "dora" };
    memset(instances, 0, sizeof instances);
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i] = (struct placement_node){ .name = names[i],
                                            .id = 100 + i,
                                            .alive_until = NOW + 5000,
                                            .memory_limit = 8 * GB,
                                            .memory_free = 8 * GB,
                                            .cores = 8,
                                            .evict = PLACEMENT_EVICT_FIT,
                                            .jit_limit = 1,
                                            .instances = instances[i],
                                            .claimed = MSEC_NEVER };
    }
    nodes[A].alive_until = MSEC_NEVER;
    request = (struct placement_request){
        .model = MODEL, .file = 4 * GB, .need = 4 * GB, .prompt = 1000, .key = 7
    };
    here = A;
    return 0;
}

struct placement_instance *add(int node, uint64_t model, enum placement_state state) {
    struct placement_instance *i = &instances[node][nodes[node].instance_count++];
    *i = (struct placement_instance){ .model = model,
                                      .state = state,
                                      .bytes = 4 * GB,
                                      .slots = 4,
                                      .prompt_speed = 100,
                                      .answer_speed = 10,
                                      .load = 4000,
                                      .expires = MSEC_NEVER };
    nodes[node].memory_free -= 4 * GB;
    return i;
}

struct placement_instance *resident(int node) {
    return add(node, MODEL, PLACEMENT_LOADED);
}

void choose(void) {
    struct placement_table table = { nodes, NODES, here };
    placement_choose(&table, &request, NOW, &got);
}

void expect(enum placement_where where, enum placement_rule rule, uint32_t node) {
    choose();
    assert_int_equal(got.where, where);
    assert_int_equal(got.rule, rule);
    assert_int_equal(got.node, node);
    assert_int_equal(got.refusal, PLACEMENT_ACCEPTED);
}

void expect_refusal(enum placement_refusal refusal) {
    choose();
    assert_int_equal(got.where, PLACEMENT_REFUSE);
    assert_int_equal(got.rule, PLACEMENT_RULE_NONE);
    assert_int_equal(got.refusal, refusal);
}
