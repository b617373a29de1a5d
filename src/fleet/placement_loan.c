/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "fleet/placement.h"

/* What serving a part takes beside it: a process, what is on its way, room to compute in. */
#define OVERHEAD ((nbytes)96 << 20)

static nbytes add_capped(nbytes a, nbytes b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Parts are whole layers, so that up to one less than was meant goes to the lender. */
static nbytes part_of(nbytes need, nbytes own) {
    nbytes part = add_capped(need - own, need / 16);
    return part < need ? part : need;
}

/* Of the lenders, the one that lends most; of equal ones the same on every node. */
static bool is_better(const struct placement_node *a, const struct placement_node *b) {
    if (a->lend_free != b->lend_free) return a->lend_free > b->lend_free;
    return a->id < b->id;
}

bool placement_loan(const struct placement_table *table, uint32_t borrower, nbytes need,
                    nbytes own, msec now, struct placement_loan *ret) {
    uint32_t best = PLACEMENT_NO_NODE;

    if (need <= own) return false;
    nbytes part = part_of(need, own);
    nbytes bytes = add_capped(add_capped(part, part / 4), OVERHEAD);
    for (uint32_t i = 0; i < table->count; i++) {
        const struct placement_node *node = &table->nodes[i];
        if (i == borrower || node->alive_until <= now || node->lend_free < bytes) continue;
        if (best == PLACEMENT_NO_NODE || is_better(node, &table->nodes[best])) best = i;
    }
    *ret = (struct placement_loan){ .lender = best, .bytes = bytes, .part = part };
    return best != PLACEMENT_NO_NODE;
}
