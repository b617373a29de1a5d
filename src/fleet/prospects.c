/* SPDX-License-Identifier: MIT */
#include "fleet/prospects.h"

static bool has_model(const struct fleet_view *view, const struct placement_node *node) {
    if (node->has_file || node->claimed != MSEC_NEVER) return true;
    for (uint32_t i = 0; i < node->instance_count; i++) {
        if (node->instances[i].model == view->request.model) return true;
    }
    return false;
}

/* As placement.h orders the rules; refusals come last. */
static bool comes_before(const struct placement *a, const struct placement *b) {
    if (a->rule == b->rule) return a->first < b->first;
    if (a->rule == PLACEMENT_RULE_NONE || b->rule == PLACEMENT_RULE_NONE)
        return b->rule == PLACEMENT_RULE_NONE;
    return a->rule < b->rule;
}

static uint32_t insert(struct prospect *list, uint32_t count, const struct prospect *p) {
    uint32_t at = count;
    if (count == PROSPECTS_MAX) {
        if (!comes_before(&p->placement, &list[count - 1].placement)) return count;
        at = --count;
    }
    for (; at > 0 && comes_before(&p->placement, &list[at - 1].placement); at--)
        list[at] = list[at - 1];
    list[at] = *p;
    return count + 1;
}

/* In a fleet that has no other node. */
static struct placement choose_alone(const struct fleet_view *view, uint32_t n, msec now) {
    struct placement_node node = view->nodes[n];
    struct fleet_view alone = *view;
    struct placement p;
    alone.nodes = &node;
    alone.table = (struct placement_table){
        .nodes = &node, .count = 1, .here = n == view->table.here ? 0 : PLACEMENT_NO_NODE
    };
    fleet_view_choose(&alone, now, &p);
    if (p.node != PLACEMENT_NO_NODE) p.node = n;
    return p;
}

uint32_t prospects_make(const struct fleet_view *view, msec now,
                        struct prospect ret[PROSPECTS_MAX]) {
    uint32_t count = 0;
    for (uint32_t n = 0; n < view->table.count; n++) {
        if (view->nodes[n].alive_until <= now || !has_model(view, &view->nodes[n])) continue;
        struct prospect p = { .node = n, .placement = choose_alone(view, n, now) };
        count = insert(ret, count, &p);
    }
    return count;
}
