/* SPDX-License-Identifier: MIT */
#include "fleet/prospects.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

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

uint32_t prospects_make(const struct fleet_view *view, msec now,
                        struct prospect ret[PROSPECTS_MAX]) {
    size_t total = view->table.count;
    struct placement_node *nodes = xcalloc(total + 1, sizeof *nodes);
    uint32_t count = 0;
    for (uint32_t n = 0; n < total; n++) {
        struct fleet_view one = *view;
        struct prospect p = { .node = n };
        if (view->nodes[n].alive_until <= now || !has_model(view, &view->nodes[n])) continue;
        memcpy(nodes, view->nodes, total * sizeof *nodes);
        for (uint32_t other = 0; other < total; other++) {
            if (other != n) nodes[other].alive_until = 0;
        }
        one.nodes = nodes;
        one.table.nodes = nodes;
        fleet_view_choose(&one, now, &p.placement);
        count = insert(ret, count, &p);
    }
    free(nodes);
    return count;
}
