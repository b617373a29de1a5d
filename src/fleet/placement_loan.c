/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "fleet/placement_estimate.h"

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

static bool lends_more(const struct placement_table *table, uint32_t a, uint32_t b) {
    return b == PLACEMENT_NO_NODE || is_better(&table->nodes[a], &table->nodes[b]);
}

struct placement_lenders placement_lenders_of(const struct placement_table *table, msec now) {
    struct placement_lenders lenders = { PLACEMENT_NO_NODE, PLACEMENT_NO_NODE };

    for (uint32_t i = 0; i < table->count; i++) {
        if (table->nodes[i].alive_until <= now) continue;
        if (lends_more(table, i, lenders.best)) {
            lenders.next = lenders.best;
            lenders.best = i;
        } else if (lends_more(table, i, lenders.next)) {
            lenders.next = i;
        }
    }
    return lenders;
}

bool placement_loan_by(const struct placement_lenders *lenders,
                       const struct placement_table *table, uint32_t borrower, nbytes need,
                       nbytes own, struct placement_loan *ret) {
    if (need <= own) return false;
    nbytes part = part_of(need, own);
    nbytes bytes = add_capped(add_capped(part, part / 4), OVERHEAD);
    uint32_t lender = lenders->best == borrower ? lenders->next : lenders->best;
    if (lender != PLACEMENT_NO_NODE && table->nodes[lender].lend_free < bytes)
        lender = PLACEMENT_NO_NODE;
    *ret = (struct placement_loan){ .lender = lender, .bytes = bytes, .part = part };
    return lender != PLACEMENT_NO_NODE;
}

bool placement_loan(const struct placement_table *table, uint32_t borrower, nbytes need,
                    nbytes own, msec now, struct placement_loan *ret) {
    struct placement_lenders lenders = placement_lenders_of(table, now);
    return placement_loan_by(&lenders, table, borrower, need, own, ret);
}
