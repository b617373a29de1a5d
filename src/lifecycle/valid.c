/* SPDX-License-Identifier: MIT */
#include "lifecycle/core.h"

/* A request may be held or running only where the diagram lets it. */
static bool request_valid(const struct lifecycle *lc, uint32_t k) {
    const struct lc_request *r = &lc->requests[k];

    if (r->slot < 0 || r->slot >= LC_MAX_SLOTS) return false;
    if (lc->slots[r->slot].model == LC_NO_MODEL || r->lost > 1) return false;
    if (k > 0 && r->arrived < lc->requests[k - 1].arrived) return false;
    if (r->aborted && r->state != LC_RUNNING) return false;
    if (r->state != LC_WAITING && (r->kind == LC_KIND_LOAD || r->kind == LC_KIND_GET_OR_LOAD))
        return false;
    return !lc->shutting_down || r->state == LC_RUNNING;
}

static bool working_valid(const struct lc_slot *slot, const struct lc_tally *n) {
    bool full = n->infer >= slot->plan.parallel;

    return n->running > 0 && n->infer <= slot->plan.parallel + n->extra &&
           (n->admitted == 0 || full);
}

static bool slot_work_valid(const struct lifecycle *lc, const struct lc_slot *slot,
                            const struct lc_tally *n) {
    switch (slot->state) {
    case LC_ABSENT:
        return n->admitted == 0 && n->running == 0 && slot->bytes == 0 && slot->device == 0;
    case LC_LOADING:
        return n->admitted == 0 && n->running == 0 && !lc->shutting_down &&
               (n->waiting > 0 || slot->unwanted_since != MSEC_NEVER);
    case LC_IDLE:
        return n->waiting == 0 && n->admitted == 0 && n->running == 0 && !lc->shutting_down &&
               slot->idle_since <= lc->now && lc->now < slot_expires(slot);
    case LC_BUSY:
        return n->waiting == 0 && working_valid(slot, n) && !lc->shutting_down;
    case LC_DRAINING:
        return working_valid(slot, n);
    case LC_UNLOADING:
        return n->admitted == 0 && n->running == 0;
    }
    return false;
}

static bool leaving_valid(const struct lc_slot *slot, msec now) {
    bool evicted = slot->leaving == LC_BECAUSE_EVICTED;

    if (evicted != (slot->evicted_by != LC_NO_SLOT)) return false;
    if (slot->state == LC_LOADING || (slot->state == LC_IDLE && slot->lease_until > now))
        return evicted || slot->leaving == LC_BECAUSE_NONE;
    return slot_is_leaving(slot) == (slot->leaving != LC_BECAUSE_NONE);
}

static bool slot_valid(const struct lifecycle *lc, const struct lc_slot *slot,
                       const struct lc_tally *n) {
    bool empty = n->waiting + n->admitted + n->running == 0;

    if (slot->model == LC_NO_MODEL)
        return slot->state == LC_ABSENT && empty && slot->failures == 0;
    if (slot->state == LC_ABSENT && empty && slot->failures == 0 && !slot->intended)
        return false;
    if (slot->intended && (slot->origin != LC_ORIGIN_EXPLICIT || slot->ttl < 0 ||
                           slot_is_loaded(slot) || lc->shutting_down))
        return false;
    if (slot->state != LC_ABSENT && slot->ttl < 0 && !slot_is_leaving(slot)) return false;
    if (lc->finished && slot->state != LC_ABSENT) return false;
    if (slot->prepared != LC_UNPREPARED && (slot->state != LC_ABSENT || n->waiting == 0))
        return false;
    if (slot->grow_to > 0 && !slot_is_loaded(slot) && slot->state != LC_DRAINING) return false;
    return slot_work_valid(lc, slot, n) && leaving_valid(slot, lc->now);
}

bool lifecycle_valid(const struct lifecycle *lc) {
    struct lc_tally n[LC_MAX_SLOTS] = { { 0 } };

    if (lc->request_count > LC_MAX_REQUESTS || (lc->finished && !lc->shutting_down))
        return false;
    for (uint32_t k = 0; k < lc->request_count; k++) {
        const struct lc_request *r = &lc->requests[k];
        if (!request_valid(lc, k)) return false;
        n[r->slot].waiting += r->state == LC_WAITING;
        n[r->slot].admitted += r->state == LC_ADMITTED;
        n[r->slot].running += r->state == LC_RUNNING;
        n[r->slot].infer += request_has_place(r);
        n[r->slot].extra += request_has_place(r) && r->place == LC_PLACE_EXTRA;
    }
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (!slot_valid(lc, &lc->slots[i], &n[i])) return false;
    return true;
}
