/* SPDX-License-Identifier: MIT */
#include "fleet/placement.h"

#include <assert.h>
#include <stddef.h>

#include "fleet/placement_estimate.h"

/* The way to another node and back. */
#define HOP ((msec)5)

/* What is decided about. */
struct view {
    const struct placement_table *table;
    const struct placement_request *request;
    msec now;
    uint32_t loading; /* the node with the load in progress, or PLACEMENT_NO_NODE */
    bool has_source;  /* some node has the file */
};

/* What one rule can do on one node. */
struct offer {
    uint32_t node;
    uint64_t rank; /* a higher one comes before a faster one */
    uint32_t held;
    msec fetch, load, queue, prompt, first;
};

/* False: the rule has nothing to say of this node. */
typedef bool offer_fn(const struct view *v, uint32_t index, struct offer *ret);

/* Nodes that are there: for a forwarded request only this one. */
static bool is_there(const struct view *v, uint32_t index) {
    const struct placement_node *node = &v->table->nodes[index];
    if (v->request->forwarded && index != v->table->here) return false;
    return node->alive_until > v->now;
}

static bool is_free_to_ask(const struct view *v, uint32_t index) {
    return is_there(v, index) && !v->table->nodes[index].tried;
}

/* Whoever takes the request now finds it gone. */
static bool has_expired(const struct view *v, const struct placement_instance *instance) {
    return instance->running == 0 && instance->waiting == 0 &&
           instance->expires <= v->now + HOP;
}

static const struct placement_instance *loaded_at(const struct view *v, uint32_t index) {
    const struct placement_instance *instance = placement_find(
        &v->table->nodes[index], v->request->model, PLACEMENT_LOADED);
    return instance && !has_expired(v, instance) ? instance : NULL;
}

/* A claim and the instance that it makes are two keys: either says that a load is in progress.
 */
static bool is_loading(const struct view *v, uint32_t index) {
    const struct placement_node *node = &v->table->nodes[index];
    return node->alive_until > v->now &&
           (node->claimed != MSEC_NEVER ||
            placement_find(node, v->request->model, PLACEMENT_LOADING));
}

static msec sum_of(const struct view *v, const struct offer *o) {
    msec sum = o->fetch + o->load + o->queue + o->prompt;
    if (o->node != v->table->here) sum += HOP;
    return sum < PLACEMENT_LONGEST ? sum : PLACEMENT_LONGEST;
}

static uint32_t held_at(const struct view *v, uint32_t index) {
    uint32_t held = v->table->nodes[index].held;
    if (v->request->type != PLACEMENT_LANGUAGE) return 0;
    return held < v->request->prompt ? held : v->request->prompt;
}

static bool offer_resident(const struct view *v, uint32_t index, struct offer *ret) {
    const struct placement_node *node = &v->table->nodes[index];
    const struct placement_instance *instance = loaded_at(v, index);

    if (!instance) return false;
    *ret = (struct offer){ .node = index, .held = held_at(v, index) };
    ret->queue = placement_queue_time(node, instance, v->request);
    ret->prompt = placement_prompt_time(node, instance, v->request, ret->held);
    ret->first = sum_of(v, ret);
    return true;
}

/* A load on the node, if it has at least so much room. */
static bool offer_load(const struct view *v, uint32_t index, enum placement_room least,
                       struct offer *ret) {
    const struct placement_node *node = &v->table->nodes[index];
    msec drain;

    if (v->loading != PLACEMENT_NO_NODE || loaded_at(v, index)) return false;
    if (placement_room(node, v->request, &drain) < least) return false;
    *ret = (struct offer){ .node = index, .held = held_at(v, index), .queue = drain };
    ret->load = placement_load_time(node, v->request);
    ret->prompt = placement_prompt_time(node, NULL, v->request, ret->held);
    ret->first = sum_of(v, ret);
    return true;
}

static bool offer_room(const struct view *v, uint32_t index, struct offer *ret) {
    return v->table->nodes[index].has_file && offer_load(v, index, PLACEMENT_ROOM_FREE, ret);
}

static bool offer_evict(const struct view *v, uint32_t index, struct offer *ret) {
    return v->table->nodes[index].has_file && offer_load(v, index, PLACEMENT_ROOM_DRAIN, ret);
}

static bool offer_prefix(const struct view *v, uint32_t index, struct offer *ret) {
    if (held_at(v, index) == 0) return false;
    if (!offer_resident(v, index, ret) && !offer_evict(v, index, ret)) return false;
    ret->rank = ret->held;
    return true;
}

static bool is_source(const struct view *v, uint32_t index) {
    return v->table->nodes[index].has_file && v->table->nodes[index].alive_until > v->now;
}

/* Numbers that differ from node to node and from key to key without order. */
static uint64_t lot(uint64_t key, uint64_t id) {
    uint64_t x = key ^ (id * UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The peer whose disk `index` reads: another one for each node that fetches. */
static uint32_t source_for(const struct view *v, uint32_t index) {
    uint32_t best = PLACEMENT_NO_NODE;
    uint64_t best_lot = 0;

    for (uint32_t i = 0; i < v->table->count; i++) {
        uint64_t mine = lot(v->table->nodes[index].id, v->table->nodes[i].id);
        if (i == index || !is_source(v, i)) continue;
        if (best != PLACEMENT_NO_NODE && mine <= best_lot) continue;
        best = i;
        best_lot = mine;
    }
    return best;
}

static bool offer_fetch(const struct view *v, uint32_t index, struct offer *ret) {
    const struct placement_node *node = &v->table->nodes[index];

    if (node->has_file || !v->has_source) return false;
    if (node->disk_free < v->request->file) return false;
    if (!offer_load(v, index, PLACEMENT_ROOM_DRAIN, ret)) return false;
    ret->fetch = placement_fetch_time(v->request);
    ret->first = sum_of(v, ret);
    return true;
}

/* Since when the load at the node goes on: by its claim, else it may have begun just now. */
static msec load_left(const struct view *v, const struct placement_node *node) {
    msec all = placement_load_time(node, v->request);
    if (node->claimed == MSEC_NEVER || node->claimed > v->now) return all;
    msec taken = v->now - node->claimed;
    return taken < all ? all - taken : 0;
}

static bool offer_loading(const struct view *v, uint32_t index, struct offer *ret) {
    const struct placement_node *node = &v->table->nodes[index];

    if (index != v->loading) return false;
    const struct placement_instance *instance = placement_find(node, v->request->model,
                                                               PLACEMENT_LOADING);
    *ret = (struct offer){ .node = index, .held = held_at(v, index) };
    ret->load = load_left(v, node);
    ret->queue = placement_queue_time(node, instance, v->request);
    ret->prompt = placement_prompt_time(node, instance, v->request, ret->held);
    ret->first = sum_of(v, ret);
    return true;
}

static struct view view_of(const struct placement_table *table,
                           const struct placement_request *request, msec now) {
    struct view v = { table, request, now, PLACEMENT_NO_NODE, false };

    for (uint32_t i = 0; i < table->count; i++) {
        if (v.loading == PLACEMENT_NO_NODE && is_loading(&v, i)) v.loading = i;
        if (is_source(&v, i)) v.has_source = true;
    }
    return v;
}

/* The order of the rules. A warm one takes this node before others that are as good, and
 * spreads requests; a cold one is the same choice on every node. */
static const struct rule {
    enum placement_rule name;
    offer_fn *offer;
    bool warm;
    bool gives_way; /* to a later rule that is faster */
} rules[] = {
    { PLACEMENT_RULE_PREFIX, offer_prefix, .warm = true, .gives_way = true },
    { PLACEMENT_RULE_RESIDENT, offer_resident, .warm = true, .gives_way = false },
    { PLACEMENT_RULE_ROOM, offer_room, .warm = false, .gives_way = false },
    { PLACEMENT_RULE_EVICT, offer_evict, .warm = false, .gives_way = false },
    { PLACEMENT_RULE_FETCH, offer_fetch, .warm = false, .gives_way = false },
    { PLACEMENT_RULE_LOADING, offer_loading, .warm = false, .gives_way = false },
};
enum { RULES = sizeof rules / sizeof rules[0] };
static_assert(RULES == PLACEMENT_RULE_COUNT - 1, "a line per rule");

/* The fastest of the highest rank. */
static bool best_of(const struct view *v, const struct rule *rule, struct offer *ret) {
    bool found = false;
    struct offer o;

    for (uint32_t i = 0; i < v->table->count; i++) {
        if (!is_free_to_ask(v, i) || !rule->offer(v, i, &o)) continue;
        if (found && o.rank < ret->rank) continue;
        if (found && o.rank == ret->rank && o.first >= ret->first) continue;
        *ret = o;
        found = true;
    }
    return found;
}

/* So much slower is about as fast. */
static msec slack(msec first) {
    return HOP + first / 8;
}

static uint64_t lot_of(const struct view *v, const struct rule *rule, uint32_t index) {
    if (rule->warm && index == v->table->here) return UINT64_MAX;
    return lot(rule->warm ? v->request->key : v->request->model, v->table->nodes[index].id);
}

/* Of those that are about as good as the best one, the one that the lot names. */
static bool rule_apply(const struct view *v, const struct rule *rule, struct offer *ret) {
    struct offer best = { 0 }, o = { 0 };

    if (!best_of(v, rule, &best)) return false;
    *ret = best;
    for (uint32_t i = 0; i < v->table->count; i++) {
        if (!is_free_to_ask(v, i) || !rule->offer(v, i, &o)) continue;
        if (o.rank < best.rank || o.first > best.first + slack(best.first)) continue;
        if (lot_of(v, rule, i) > lot_of(v, rule, ret->node)) *ret = o;
    }
    return true;
}

static void accept(const struct view *v, const struct rule *rule, const struct offer *o,
                   struct placement *ret) {
    bool here = o->node == v->table->here;
    bool fetches = !v->table->nodes[o->node].has_file;

    *ret = (struct placement){
        .where = here ? PLACEMENT_HERE : PLACEMENT_NODE,
        .rule = rule->name,
        .node = o->node,
        .source = PLACEMENT_NO_NODE,
        .claims = v->loading == PLACEMENT_NO_NODE && !loaded_at(v, o->node),
        .held = o->held,
        .fetch = o->fetch,
        .load = o->load,
        .queue = o->queue,
        .prompt = o->prompt,
        .first = o->first,
        .elsewhere = MSEC_NEVER,
    };
    if (ret->claims && fetches) ret->source = source_for(v, o->node);
    if (rule->name == PLACEMENT_RULE_LOADING && !here) ret->where = PLACEMENT_WAIT;
}

static enum placement_refusal refusal_of(const struct view *v) {
    bool file = false, asked = false, large = true;

    for (uint32_t i = 0; i < v->table->count; i++) {
        const struct placement_node *node = &v->table->nodes[i];
        if (!is_there(v, i)) continue;
        if (node->has_file || loaded_at(v, i)) file = true;
        if (node->tried) continue;
        asked = true;
        if (node->memory_limit >= v->request->need) large = false;
    }
    if (!file) return PLACEMENT_NO_FILE;
    if (!asked) return PLACEMENT_ALL_TRIED;
    return large ? PLACEMENT_TOO_LARGE : PLACEMENT_NO_ROOM;
}

static void refuse(const struct view *v, struct placement *ret) {
    *ret = (struct placement){ .where = PLACEMENT_REFUSE,
                               .node = PLACEMENT_NO_NODE,
                               .source = PLACEMENT_NO_NODE,
                               .elsewhere = MSEC_NEVER };
    ret->refusal = v->request->forwarded ? PLACEMENT_NOT_HERE : refusal_of(v);
    if (v->request->forwarded && v->loading != PLACEMENT_NO_NODE) {
        ret->refusal = PLACEMENT_LOADING_ELSEWHERE;
        ret->node = v->loading;
    }
}

void placement_choose(const struct placement_table *table,
                      const struct placement_request *request, msec now,
                      struct placement *ret) {
    struct view v = view_of(table, request, now);
    const struct rule *chosen = NULL;
    struct offer best = { 0 }, o = { 0 };
    msec elsewhere = MSEC_NEVER;

    for (const struct rule *rule = rules; rule < rules + RULES; rule++) {
        if (chosen && !chosen->gives_way) break;
        if (!rule_apply(&v, rule, &o)) continue;
        bool wins = !chosen || o.first < best.first;
        msec loser = !wins ? o.first : chosen ? best.first : MSEC_NEVER;
        if (chosen && o.node != best.node && loser < elsewhere) elsewhere = loser;
        if (!wins) continue;
        chosen = rule;
        best = o;
    }
    if (!chosen) {
        refuse(&v, ret);
        return;
    }
    accept(&v, chosen, &best, ret);
    ret->elsewhere = elsewhere;
}
