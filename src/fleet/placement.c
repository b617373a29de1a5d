/* SPDX-License-Identifier: MIT */
#include "fleet/placement.h"

#include <assert.h>
#include <stddef.h>

#include "fleet/placement_estimate.h"

/* The way to another node and back. It has no part in the choice, which is the same on every
 * node: being about as fast (slack) includes it. */
#define HOP ((msec)5)

/* How many times as long as the queue a load may take: it serves those who come after, too. If
 * it had to be faster, queues as long as a load would be the rule. */
#define LOAD_WORTH 4

/* If there are more residents, this many are drawn by the request's key and the others do not
 * count. What is published is up to a second old: if all nodes took the best of all, an
 * instance with a free place would get every request of that second. */
#define DRAWN 8

/* What is decided about. */
struct view {
    const struct placement_table *table;
    const struct placement_request *request;
    msec now;
    uint32_t loading; /* the node with the load in progress, or PLACEMENT_NO_NODE */
    bool has_source;  /* some node has the file */
    struct placement_lenders lenders;
    uint64_t least; /* lot of the residents that are drawn */
};

/* What one rule can do on one node. */
struct offer {
    uint32_t node;
    uint64_t rank; /* a higher one comes before a faster one */
    uint32_t held;
    bool cold;  /* it begins a load */
    bool waits; /* until answers of others have ended, or for the load of another request */
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

/* A request sent now would find it gone. */
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

/* Of nodes that are equal in everything else: the same on every node, whatever the order in its
 * table. */
static bool comes_before(const struct placement_table *table, uint32_t a, uint32_t b) {
    return b == PLACEMENT_NO_NODE || table->nodes[a].id < table->nodes[b].id;
}

static msec sum_of(const struct offer *o) {
    msec sum = o->fetch + o->load + o->queue + o->prompt;
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

    if (!instance || node->tried) return false;
    *ret = (struct offer){ .node = index, .held = held_at(v, index) };
    ret->queue = placement_queue_time(node, instance, v->request);
    ret->prompt = placement_prompt_time(node, instance, v->request, ret->held);
    ret->first = sum_of(ret);
    return true;
}

/* A load on the node, if it has at least so much room. */
static bool offer_load(const struct view *v, uint32_t index, enum placement_room least,
                       struct offer *ret) {
    const struct placement_node *node = &v->table->nodes[index];
    msec drain;

    if (node->tried || v->loading != PLACEMENT_NO_NODE || loaded_at(v, index)) return false;
    enum placement_room room = placement_room(node, v->request, &drain);
    if (room < least) return false;
    *ret = (struct offer){ .node = index, .held = held_at(v, index), .queue = drain };
    ret->cold = true;
    ret->waits = room == PLACEMENT_ROOM_DRAIN;
    ret->rank = !ret->waits;
    ret->load = placement_load_time(node, v->request);
    ret->prompt = placement_prompt_time(node, NULL, v->request, ret->held);
    ret->first = sum_of(ret);
    return true;
}

/* Room that is free comes before room that an idle instance has to leave for. */
static bool offer_parked(const struct view *v, uint32_t index, struct offer *ret) {
    const struct placement_node *node = &v->table->nodes[index];
    msec drain;

    if (!node->parked || !node->has_file) return false;
    if (!offer_load(v, index, PLACEMENT_ROOM_EVICT, ret)) return false;
    ret->rank = placement_room(node, v->request, &drain) == PLACEMENT_ROOM_FREE;
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
    ret->rank = 2 * (uint64_t)ret->held + !ret->cold;
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
    ret->first = sum_of(ret);
    return true;
}

/* Of a model that is too large for the node whatever leaves. */
static bool loan_for(const struct view *v, uint32_t index, struct placement_loan *ret) {
    const struct placement_node *node = &v->table->nodes[index];
    return placement_loan_by(&v->lenders, v->table, index, v->request->need, node->memory_limit,
                             ret);
}

/* The part goes to the lender over the network. */
static bool offer_borrow(const struct view *v, uint32_t index, struct offer *ret) {
    struct placement_loan loan;
    struct placement_request rest = *v->request, part = *v->request;
    struct view less = *v;

    if (!v->table->nodes[index].has_file || !loan_for(v, index, &loan)) return false;
    rest.need -= loan.part;
    part.file = loan.part;
    less.request = &rest;
    if (!offer_load(&less, index, PLACEMENT_ROOM_DRAIN, ret)) return false;
    ret->fetch = placement_fetch_time(&part);
    ret->first = sum_of(ret);
    return true;
}

/* Since when the load at the node goes on: by its claim, else it may have begun just now. */
static msec load_left(const struct view *v, const struct placement_node *node) {
    msec all = placement_load_time(node, v->request);
    if (node->claimed == MSEC_NEVER || node->claimed > v->now) return all;
    if (node->claimed < v->now - PLACEMENT_LONGEST) return 0;
    msec taken = v->now - node->claimed;
    return taken < all ? all - taken : 0;
}

/* Also of a node that was tried: its load ends, or its claim with its lease. */
static bool offer_loading(const struct view *v, uint32_t index, struct offer *ret) {
    const struct placement_node *node = &v->table->nodes[index];

    if (index != v->loading) return false;
    const struct placement_instance *instance = placement_find(node, v->request->model,
                                                               PLACEMENT_LOADING);
    *ret = (struct offer){ .node = index, .held = held_at(v, index), .waits = true };
    ret->load = load_left(v, node);
    ret->queue = placement_queue_time(node, instance, v->request);
    ret->prompt = placement_prompt_time(node, instance, v->request, ret->held);
    ret->first = sum_of(ret);
    return true;
}

/* Puts the lot into its place among the highest ones, if it is one of them. */
static void lots_add(uint64_t lots[DRAWN], uint64_t mine) {
    for (int i = 0; i < DRAWN; i++) {
        if (mine <= lots[i]) continue;
        uint64_t lower = lots[i];
        lots[i] = mine;
        mine = lower;
    }
}

static uint64_t least_drawn(const struct view *v) {
    uint64_t lots[DRAWN] = { 0 };
    struct offer o = { 0 };

    for (uint32_t i = 0; i < v->table->count; i++)
        if (is_there(v, i) && offer_resident(v, i, &o))
            lots_add(lots, lot(v->request->key, v->table->nodes[i].id));
    return lots[DRAWN - 1];
}

static struct view view_of(const struct placement_table *table,
                           const struct placement_request *request, msec now) {
    struct view v = { .table = table, .request = request, .now = now };
    v.loading = PLACEMENT_NO_NODE;
    v.lenders = placement_lenders_of(table, now);

    for (uint32_t i = 0; i < table->count; i++) {
        if (is_loading(&v, i) && comes_before(table, i, v.loading)) v.loading = i;
        if (is_source(&v, i)) v.has_source = true;
    }
    v.least = least_drawn(&v);
    return v;
}

/* When a rule gives way to a later one that is faster (rule_overtakes). */
enum yields { YIELDS_NEVER, YIELDS_QUEUED, YIELDS };

/* The order of the rules. */
static const struct rule {
    enum placement_rule name;
    offer_fn *offer;
    enum yields yields;
} rules[] = {
    { PLACEMENT_RULE_PREFIX, offer_prefix, YIELDS },
    { PLACEMENT_RULE_RESIDENT, offer_resident, YIELDS_QUEUED },
    { PLACEMENT_RULE_PARKED, offer_parked, YIELDS_NEVER },
    { PLACEMENT_RULE_ROOM, offer_room, YIELDS_NEVER },
    { PLACEMENT_RULE_EVICT, offer_evict, YIELDS_NEVER },
    { PLACEMENT_RULE_FETCH, offer_fetch, YIELDS_NEVER },
    { PLACEMENT_RULE_BORROW, offer_borrow, YIELDS_NEVER },
    { PLACEMENT_RULE_LOADING, offer_loading, YIELDS_NEVER },
};
enum { RULES = sizeof rules / sizeof rules[0] };
static_assert(RULES == PLACEMENT_RULE_COUNT - 1, "a line per rule");

static bool rule_yields(const struct rule *rule, const struct offer *best) {
    return rule->yields == YIELDS || (rule->yields == YIELDS_QUEUED && best->queue > 0);
}

static bool rule_overtakes(const struct rule *chosen, const struct offer *best,
                           const struct offer *o) {
    return o->first < (chosen->yields == YIELDS_QUEUED ? LOAD_WORTH : 1) * best->first;
}

static bool is_better(const struct view *v, const struct offer *a, const struct offer *b) {
    if (a->rank != b->rank) return a->rank > b->rank;
    if (a->first != b->first) return a->first < b->first;
    return comes_before(v->table, a->node, b->node);
}

static bool is_drawn(const struct view *v, const struct rule *rule, uint32_t index) {
    return rule->name != PLACEMENT_RULE_RESIDENT ||
           lot(v->request->key, v->table->nodes[index].id) >= v->least;
}

/* The fastest of the highest rank. */
static bool rule_best(const struct view *v, const struct rule *rule, struct offer *ret) {
    bool found = false;
    struct offer o = { 0 };

    for (uint32_t i = 0; i < v->table->count; i++) {
        if (!is_there(v, i) || !is_drawn(v, rule, i) || !rule->offer(v, i, &o)) continue;
        if (found && !is_better(v, &o, ret)) continue;
        *ret = o;
        found = true;
    }
    return found;
}

/* So much slower is about as fast. */
static msec slack(msec first) {
    return HOP + first / 8;
}

/* Where the model is loaded this node comes before others, and requests spread; a cold load is
 * the same choice on every node. */
static uint64_t lot_of(const struct view *v, const struct offer *o) {
    if (!o->cold && o->node == v->table->here) return UINT64_MAX;
    return lot(o->cold ? v->request->model : v->request->key, v->table->nodes[o->node].id);
}

/* Of those that are about as good as the best one, the one with the highest lot: it was drawn,
 * or is this node. */
static struct offer rule_draw(const struct view *v, const struct rule *rule,
                              const struct offer *best) {
    struct offer drawn = *best, o = { 0 };

    for (uint32_t i = 0; i < v->table->count; i++) {
        if (!is_there(v, i) || !rule->offer(v, i, &o)) continue;
        if (o.rank < best->rank || o.first > best->first + slack(best->first)) continue;
        if (lot_of(v, &o) > lot_of(v, &drawn)) drawn = o;
    }
    return drawn;
}

/* The fastest of the other nodes where the model is loaded. */
static msec fastest_beside(const struct view *v, uint32_t node) {
    msec fastest = MSEC_NEVER;
    struct offer o = { 0 };

    for (uint32_t i = 0; i < v->table->count; i++) {
        if (i == node || !is_there(v, i) || !offer_resident(v, i, &o)) continue;
        if (o.first < fastest) fastest = o.first;
    }
    return fastest;
}

static void accept(const struct view *v, const struct rule *rule, const struct offer *o,
                   struct placement *ret) {
    struct placement_loan loan;
    bool here = o->node == v->table->here;
    bool fetches = !v->table->nodes[o->node].has_file;

    *ret = (struct placement){
        .where = here ? PLACEMENT_HERE : PLACEMENT_NODE,
        .rule = rule->name,
        .node = o->node,
        .source = PLACEMENT_NO_NODE,
        .lender = PLACEMENT_NO_NODE,
        .claims = v->loading == PLACEMENT_NO_NODE && !loaded_at(v, o->node),
        .held = o->held,
        .fetch = o->fetch,
        .load = o->load,
        .queue = o->queue,
        .prompt = o->prompt,
        .first = o->first,
        .elsewhere = MSEC_NEVER,
    };
    if (!here) ret->first += HOP;
    if (ret->claims && fetches) ret->source = source_for(v, o->node);
    if (rule->name == PLACEMENT_RULE_BORROW && loan_for(v, o->node, &loan))
        ret->lender = loan.lender;
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
                               .lender = PLACEMENT_NO_NODE,
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
        if (chosen && !rule_yields(chosen, &best)) break;
        if (!rule_best(&v, rule, &o)) continue;
        if (chosen && o.waits) continue;
        if (chosen && !rule_overtakes(chosen, &best, &o)) {
            if (o.node != best.node && o.first < elsewhere) elsewhere = o.first;
            continue;
        }
        chosen = rule;
        best = o;
    }
    if (!chosen) {
        refuse(&v, ret);
        return;
    }
    best = rule_draw(&v, chosen, &best);
    accept(&v, chosen, &best, ret);
    msec beside = fastest_beside(&v, best.node);
    ret->elsewhere = beside < elsewhere ? beside : elsewhere;
}
