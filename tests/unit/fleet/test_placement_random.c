/* SPDX-License-Identifier: MIT */
/* What holds for any table: 200,000 random ones. Numbers are small, so that ties, full nodes
 * and rules that meet are common. */
#include <string.h>

#include "cmocka_prelude.h"
#include "fleet/placement.h"

enum { TABLES = 200000, NODES = 5, INSTANCES = 3, HOP = 5 };
static const msec now = 1000;
static uint64_t seed;

struct world {
    struct placement_node nodes[NODES];
    struct placement_instance instances[NODES][INSTANCES];
    struct placement_request request;
    uint32_t count, here;
};

static uint32_t below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(seed >> 33) % n;
}

static bool once_in(uint32_t n) {
    return below(n) == 0;
}

static void draw_instance(struct placement_instance *i) {
    i->model = 1 + below(3);
    i->state = once_in(4)   ? PLACEMENT_LOADING
               : once_in(6) ? PLACEMENT_LEAVING
                            : PLACEMENT_LOADED;
    i->type = (enum placement_type)below(2);
    i->pinned = once_in(5);
    i->bytes = (1 + below(3)) * UINT64_C(1000000000);
    i->slots = below(4);
    i->running = once_in(2) ? below(4) : 0;
    i->waiting = once_in(3) ? below(9) : 0;
    i->prompt_speed = once_in(3) ? 0 : 50 * below(20);
    i->answer_speed = once_in(3) ? 0 : 5 * below(20);
    i->load = once_in(3) ? 0 : 500 * below(20);
    i->expires = once_in(4) ? now + below(10) : MSEC_NEVER;
}

static void draw_node(struct world *w, uint32_t index) {
    struct placement_node *n = &w->nodes[index];

    n->name = "node";
    n->id = 10 + index;
    n->alive_until = once_in(4) ? now - below(2) : now + 1 + below(9000);
    n->memory_limit = (2 + below(6)) * UINT64_C(1000000000);
    n->memory_free = below(5) * UINT64_C(1000000000);
    n->disk_free = below(5) * UINT64_C(1000000000);
    n->cores = below(9);
    n->gpu_memory = once_in(4) ? n->memory_limit : 0;
    n->evict = (enum placement_evict)below(4);
    n->jit_limit = 1 + below(2);
    n->instances = w->instances[index];
    n->instance_count = below(INSTANCES + 1);
    for (uint32_t i = 0; i < n->instance_count; i++) draw_instance(&w->instances[index][i]);
    n->has_file = once_in(2);
    n->parked = n->has_file && once_in(4);
    n->tried = once_in(8);
    n->claimed = once_in(12) ? now - below(3000) : MSEC_NEVER;
    n->held = once_in(3) ? 256 * below(6) : 0;
    n->sent = once_in(4) ? below(5) : 0;
    n->lend_free = once_in(3) ? (1 + below(5)) * UINT64_C(1000000000) : 0;
}

static void draw(struct world *w) {
    memset(w, 0, sizeof *w);
    w->count = 1 + below(NODES);
    w->here = below(w->count);
    for (uint32_t i = 0; i < w->count; i++) draw_node(w, i);
    w->nodes[w->here].alive_until = MSEC_NEVER;
    w->request = (struct placement_request){ .model = 1,
                                             .type = (enum placement_type)once_in(4),
                                             .file = (1 + below(3)) * UINT64_C(1000000000),
                                             .need = (1 + below(4)) * UINT64_C(1000000000),
                                             .prompt = below(2000),
                                             .key = below(1000),
                                             .forwarded = once_in(5) };
}

static struct placement choose(const struct world *w) {
    struct placement_table table = { w->nodes, w->count, w->here };
    struct placement p;
    placement_choose(&table, &w->request, now, &p);
    return p;
}

static bool is_alive(const struct world *w, uint32_t i) {
    return w->nodes[i].alive_until > now;
}

static bool has(const struct world *w, uint32_t node, enum placement_state state) {
    for (uint32_t i = 0; i < w->nodes[node].instance_count; i++) {
        const struct placement_instance *instance = &w->instances[node][i];
        if (instance->model == 1 && instance->state == state) return true;
    }
    return false;
}

static bool is_loading(const struct world *w, uint32_t i) {
    return is_alive(w, i) &&
           (w->nodes[i].claimed != MSEC_NEVER || has(w, i, PLACEMENT_LOADING));
}

static bool somebody_loads(const struct world *w) {
    for (uint32_t i = 0; i < w->count; i++)
        if (is_loading(w, i)) return true;
    return false;
}

static void each(void (*check)(const struct world *w, const struct placement *p)) {
    struct world w;
    seed = 1;
    for (int i = 0; i < TABLES; i++) {
        draw(&w);
        struct placement p = choose(&w);
        check(&w, &p);
    }
}

static void check_node(const struct world *w, const struct placement *p) {
    if (p->where == PLACEMENT_REFUSE) return;
    assert_true(p->node < w->count);
    assert_true(is_alive(w, p->node));
    assert_false(w->nodes[p->node].tried && p->rule != PLACEMENT_RULE_LOADING);
    assert_int_equal(p->where == PLACEMENT_HERE, p->node == w->here);
    assert_int_equal(p->lender != PLACEMENT_NO_NODE, p->rule == PLACEMENT_RULE_BORROW);
}

static void test_never_a_dead_node_nor_one_that_was_tried(void **state) {
    (void)state;
    each(check_node);
}

/* Memory is borrowed only if it is needed, and only from nodes that have it. */
static void check_lender(const struct world *w, const struct placement *p) {
    nbytes limit = w->nodes[p->node].memory_limit;
    bool borrows = p->rule == PLACEMENT_RULE_BORROW;
    assert_int_equal(w->request.need > limit, borrows);
    if (!borrows) return;
    assert_true(p->lender != p->node && is_alive(w, p->lender));
    assert_true(w->nodes[p->lender].lend_free >= w->request.need - limit);
}

static void check_load(const struct world *w, const struct placement *p) {
    if (p->where == PLACEMENT_WAIT) {
        assert_true(is_loading(w, p->node));
        assert_int_equal(p->rule, PLACEMENT_RULE_LOADING);
    }
    if (!p->claims) return;
    assert_false(somebody_loads(w));
    check_lender(w, p);
    assert_int_equal(w->nodes[p->node].has_file, p->source == PLACEMENT_NO_NODE);
    if (w->nodes[p->node].has_file) return;
    assert_int_equal(p->rule, PLACEMENT_RULE_FETCH);
    assert_true(p->source != p->node && is_alive(w, p->source));
    assert_true(w->nodes[p->source].has_file);
    assert_true(w->nodes[p->node].disk_free >= w->request.file);
}

static void test_never_a_second_cold_load_while_a_claim_stands(void **state) {
    (void)state;
    each(check_load);
}

static void check_served(const struct world *w, const struct placement *p) {
    if (p->where == PLACEMENT_REFUSE || p->claims) return;
    if (p->rule == PLACEMENT_RULE_LOADING) return;
    assert_true(has(w, p->node, PLACEMENT_LOADED));
}

static void test_without_a_load_the_model_is_there(void **state) {
    (void)state;
    each(check_served);
}

static void check_forwarded(const struct world *w, const struct placement *p) {
    if (!w->request.forwarded) return;
    assert_true(p->where == PLACEMENT_HERE || p->where == PLACEMENT_REFUSE);
}

static void test_forwarded_at_most_once(void **state) {
    (void)state;
    each(check_forwarded);
}

static void check_sum(const struct world *w, const struct placement *p) {
    if (p->where == PLACEMENT_REFUSE) return;
    msec sum = p->fetch + p->load + p->queue + p->prompt;
    if (sum > PLACEMENT_LONGEST) sum = PLACEMENT_LONGEST;
    assert_true(p->fetch >= 0 && p->load >= 0 && p->queue >= 0 && p->prompt >= 0);
    assert_int_equal(p->first, sum + (p->node == w->here ? 0 : HOP));
    assert_true(p->held <= w->request.prompt);
}

static void test_the_estimate_is_the_sum_of_its_parts(void **state) {
    (void)state;
    each(check_sum);
}

/* A refusal while a node could serve at once is a bug whatever the rules. */
static void check_refused(const struct world *w, const struct placement *p) {
    if (p->where != PLACEMENT_REFUSE) return;
    assert_true(p->refusal != PLACEMENT_ACCEPTED);
    for (uint32_t i = 0; i < w->count; i++) {
        const struct placement_node *n = &w->nodes[i];
        if (!is_alive(w, i) || n->tried || (w->request.forwarded && i != w->here)) continue;
        assert_false(n->has_file && n->memory_free >= w->request.need &&
                     n->memory_limit >= w->request.need && n->evict == PLACEMENT_EVICT_FIT &&
                     !somebody_loads(w));
        assert_false(!w->request.forwarded && is_loading(w, i));
    }
}

static void test_refused_only_if_nobody_could(void **state) {
    (void)state;
    each(check_refused);
}

/* The same table, asked by two nodes: cold loads are the same. Of residents that are about as
 * fast each takes itself, which is the one difference. */
static void check_agreement(const struct world *w, const struct placement *p) {
    struct world other = *w;
    other.here = (w->here + 1) % w->count;
    if (w->request.forwarded || !is_alive(w, other.here)) return;
    for (uint32_t i = 0; i < other.count; i++) other.nodes[i].instances = other.instances[i];
    struct placement q = choose(&other);
    assert_int_equal(p->rule, q.rule);
    assert_int_equal(p->claims, q.claims);
    if (p->node == q.node) return;
    assert_false(p->claims);
    assert_true(p->node == w->here || q.node == other.here);
}

static void test_the_same_table_gives_the_same_answer_on_each_node(void **state) {
    (void)state;
    each(check_agreement);
}

/* ... in whatever order its rows are. */
static void check_order(const struct world *w, const struct placement *p) {
    struct world turned = *w;
    for (uint32_t i = 0; i < w->count; i++) {
        turned.nodes[i] = w->nodes[w->count - 1 - i];
    }
    turned.here = w->count - 1 - w->here;
    struct placement q = choose(&turned);
    assert_int_equal(p->where, q.where);
    assert_int_equal(p->rule, q.rule);
    assert_int_equal(p->first, q.first);
    if (p->node != PLACEMENT_NO_NODE) assert_int_equal(p->node, w->count - 1 - q.node);
    if (p->source != PLACEMENT_NO_NODE) assert_int_equal(p->source, w->count - 1 - q.source);
}

static void test_the_order_of_the_table_does_not_matter(void **state) {
    (void)state;
    each(check_order);
}

static uint64_t absurd(void) {
    static const uint64_t edges[] = { 0,         1, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MIN,
                                      UINT64_MAX };
    uint32_t i = below(8);
    if (i < sizeof edges / sizeof *edges) return edges[i];
    return ((uint64_t)below(UINT32_MAX) << 32 | below(UINT32_MAX)) >> below(60);
}

/* A peer, or a client, may publish or ask for anything. */
static void make_absurd(struct world *w) {
    for (uint32_t i = 0; i < w->count; i++) {
        struct placement_node *n = &w->nodes[i];
        n->memory_limit = absurd();
        n->memory_free = absurd();
        n->gpu_memory = absurd();
        n->disk_free = absurd();
        n->lend_free = absurd();
        n->cores = (uint32_t)absurd();
        n->jit_limit = (uint32_t)absurd();
        n->held = (uint32_t)absurd();
        n->sent = (uint32_t)absurd();
        if (once_in(4)) n->claimed = (msec)absurd();
        for (uint32_t j = 0; j < n->instance_count; j++) {
            struct placement_instance *instance = &w->instances[i][j];
            instance->bytes = absurd();
            instance->slots = (uint32_t)absurd();
            instance->running = (uint32_t)absurd();
            instance->waiting = (uint32_t)absurd();
            instance->prompt_speed = (uint32_t)absurd();
            instance->answer_speed = (uint32_t)absurd();
            instance->load = (msec)absurd();
            instance->expires = (msec)absurd();
        }
    }
    w->request.file = absurd();
    w->request.need = absurd();
    w->request.prompt = (uint32_t)absurd();
}

static void test_absurd_figures_are_bounded_and_chosen_alike(void **state) {
    (void)state;
    struct world w;
    seed = 2;
    for (int i = 0; i < TABLES; i++) {
        draw(&w);
        make_absurd(&w);
        struct placement p = choose(&w);
        check_node(&w, &p);
        check_load(&w, &p);
        check_sum(&w, &p);
        check_agreement(&w, &p);
        check_order(&w, &p);
        assert_true(p.fetch <= PLACEMENT_LONGEST && p.load <= PLACEMENT_LONGEST);
        assert_true(p.queue <= PLACEMENT_LONGEST && p.prompt <= PLACEMENT_LONGEST);
    }
}

static uint64_t rules_seen[PLACEMENT_RULE_COUNT], refusals_seen[PLACEMENT_REFUSAL_COUNT];

static void count_rules(const struct world *w, const struct placement *p) {
    (void)w;
    rules_seen[p->rule]++;
    refusals_seen[p->refusal]++;
}

static void test_the_tables_reach_every_rule_and_refusal(void **state) {
    (void)state;
    each(count_rules);
    for (int i = 0; i < PLACEMENT_RULE_COUNT; i++) assert_true(rules_seen[i] > TABLES / 1000);
    for (int i = 0; i < PLACEMENT_REFUSAL_COUNT; i++)
        assert_true(refusals_seen[i] > TABLES / 10000);
}

/* Nodes with the model loaded, all places taken but on the last one. */
enum { MANY = 40, KEYS = 20000, DRAWN = 8 };
struct crowd {
    struct placement_node nodes[MANY];
    struct placement_instance instances[MANY];
    struct placement_table table;
    struct placement_request request;
};

static void make_crowd(struct crowd *c) {
    *c = (struct crowd){ .request = { .model = 1, .need = 1, .file = 1, .prompt = 100 } };
    for (uint32_t i = 0; i < MANY; i++) {
        c->instances[i] = (struct placement_instance){ .model = 1,
                                                       .state = PLACEMENT_LOADED,
                                                       .bytes = 1000000000,
                                                       .slots = 4,
                                                       .running = i < MANY - 1 ? 5 : 0,
                                                       .prompt_speed = 1000,
                                                       .answer_speed = 10,
                                                       .expires = MSEC_NEVER };
        c->nodes[i] = (struct placement_node){ .name = "node",
                                               .id = i,
                                               .alive_until = MSEC_NEVER,
                                               .instances = &c->instances[i],
                                               .instance_count = 1,
                                               .claimed = MSEC_NEVER };
    }
    c->table = (struct placement_table){ c->nodes, MANY, 0 };
}

/* How many of the requests go to the node. */
static int count_at(struct crowd *c, uint32_t node) {
    struct placement p;
    int count = 0;
    for (c->request.key = 0; c->request.key < KEYS; c->request.key++) {
        placement_choose(&c->table, &c->request, now, &p);
        count += p.node == node;
    }
    return count;
}

static void test_of_many_residents_eight_are_drawn(void **state) {
    (void)state;
    struct crowd c;
    make_crowd(&c);
    assert_in_range(count_at(&c, MANY - 1), KEYS / 5 - 150, KEYS / 5 + 150);
}

static void test_of_eight_residents_the_best_serves_all(void **state) {
    (void)state;
    struct crowd c;
    make_crowd(&c);
    for (int i = 0; i < MANY - DRAWN; i++) {
        c.nodes[i].alive_until = i % 2 ? now : MSEC_NEVER; /* the dead are not drawn */
        c.nodes[i].tried = i % 2 == 0;
    }
    c.table.here = MANY - 2;
    assert_int_equal(count_at(&c, MANY - 1), KEYS);
}

static void test_of_many_residents_the_one_with_the_prefix_serves(void **state) {
    (void)state;
    struct crowd c;
    make_crowd(&c);
    for (int i = 0; i < MANY; i++) c.instances[i].running = 0;
    c.nodes[5].held = 90;
    assert_int_equal(count_at(&c, 5), KEYS);
}

static void test_of_many_equal_residents_this_node_serves(void **state) {
    (void)state;
    struct crowd c;
    make_crowd(&c);
    for (int i = 0; i < MANY; i++) c.instances[i].running = 0;
    assert_int_equal(count_at(&c, 0), KEYS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_a_dead_node_nor_one_that_was_tried),
        cmocka_unit_test(test_never_a_second_cold_load_while_a_claim_stands),
        cmocka_unit_test(test_without_a_load_the_model_is_there),
        cmocka_unit_test(test_forwarded_at_most_once),
        cmocka_unit_test(test_the_estimate_is_the_sum_of_its_parts),
        cmocka_unit_test(test_refused_only_if_nobody_could),
        cmocka_unit_test(test_the_same_table_gives_the_same_answer_on_each_node),
        cmocka_unit_test(test_the_order_of_the_table_does_not_matter),
        cmocka_unit_test(test_absurd_figures_are_bounded_and_chosen_alike),
        cmocka_unit_test(test_of_many_residents_eight_are_drawn),
        cmocka_unit_test(test_of_eight_residents_the_best_serves_all),
        cmocka_unit_test(test_of_many_residents_the_one_with_the_prefix_serves),
        cmocka_unit_test(test_of_many_equal_residents_this_node_serves),
        cmocka_unit_test(test_the_tables_reach_every_rule_and_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
