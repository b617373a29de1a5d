/* SPDX-License-Identifier: MIT */
#include "lifecycle/core.h"

#include <stddef.h>

static const struct lc_action *refusal_of(const struct lc_actions *actions, uint64_t request) {
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct lc_action *a = &actions->list[i];
        if (a->kind == LC_DO_FAIL && a->request == request) return a;
    }
    return NULL;
}

static bool spawned(const struct lc_actions *actions, int slot) {
    for (uint32_t i = 0; i < actions->count; i++)
        if (actions->list[i].kind == LC_DO_SPAWN && actions->list[i].slot == slot) return true;
    return false;
}

static uint32_t admitted_before(const struct lifecycle *lc, const struct lc_request *mine) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        if (r->slot == mine->slot && r->state == LC_ADMITTED && r != mine)
            n += r->turn < mine->turn || (r->turn == mine->turn && r < mine);
    }
    return n;
}

static uint32_t running_on(const struct lifecycle *lc, const bool slots[LC_MAX_SLOTS]) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < lc->request_count; i++)
        n += lc->requests[i].state == LC_RUNNING && slots[lc->requests[i].slot];
    return n;
}

/* What is left of a load that takes as long as planned. */
static msec load_left(const struct lifecycle *lc, const struct lc_slot *slot) {
    msec taken = lc->now - slot->loading_since;
    return taken < slot->plan.reload ? slot->plan.reload - taken : 0;
}

static void explain_waiting(const struct lifecycle *lc, const struct lc_request *r,
                            struct lc_forecast *ret) {
    const struct lc_slot *slot = &lc->slots[r->slot];

    if (slot->state == LC_LOADING) {
        ret->outcome = LC_OUTCOME_JOINS;
        ret->load = load_left(lc, slot);
        return;
    }
    ret->outcome = LC_OUTCOME_WAITS;
    ret->gate = admission_victims(lc, r->slot, ret->leaves) - lc->now;
    if (slot_is_leaving(slot)) ret->leaves[r->slot] = true; /* it has to come back itself */
    ret->ahead = running_on(lc, ret->leaves);
    ret->load = slot->next.reload;
}

bool lifecycle_refuses(const struct lifecycle *lc, const struct lc_event *ev,
                       struct lifecycle *copy, struct lc_actions *actions) {
    *copy = *lc;
    lifecycle_step(copy, ev, actions);
    return refusal_of(actions, ev->request) != NULL;
}

void lifecycle_explain(const struct lifecycle *lc, const struct lc_event *request,
                       struct lifecycle *copy, struct lc_actions *actions,
                       struct lc_forecast *ret) {
    *copy = *lc;
    lifecycle_step(copy, request, actions);
    *ret = (struct lc_forecast){ .slot = LC_NO_SLOT };
    const struct lc_action *fail = refusal_of(actions, request->request);
    if (fail != NULL) {
        ret->fail = fail->fail;
        ret->retry_at = fail->at;
        ret->need = fail->need;
        ret->free = fail->free;
        return;
    }
    const struct lc_request *r = &copy->requests[request_find(copy, request->request)];
    (void)lifecycle_wait(copy, r->id, &ret->wait);
    if (lc->slots[r->slot].model == request->model) ret->slot = r->slot;
    if (r->state == LC_WAITING) {
        explain_waiting(copy, r, ret);
        if (spawned(actions, r->slot)) ret->outcome = LC_OUTCOME_LOADS;
        return;
    }
    ret->outcome = r->state == LC_RUNNING ? LC_OUTCOME_SERVED : LC_OUTCOME_QUEUED;
    if (r->state == LC_ADMITTED) ret->ahead = admitted_before(copy, r);
}

/* Loads of other slots that begin before this one's: their first waiters came earlier. */
static msec loads_before(const struct lifecycle *lc, int mine) {
    const struct lc_request *end = waiter_first(lc, mine);
    bool seen[LC_MAX_SLOTS] = { false };
    msec sum = 0;

    for (const struct lc_request *r = lc->requests; r < end; r++) {
        if (r->state != LC_WAITING || seen[r->slot]) continue;
        const struct lc_slot *slot = &lc->slots[r->slot];
        seen[r->slot] = true;
        sum = msec_after(sum,
                         slot->state == LC_LOADING ? load_left(lc, slot) : slot->next.reload);
    }
    return sum;
}

static uint32_t waiting_before(const struct lifecycle *lc, const struct lc_request *mine) {
    uint32_t n = 0;

    for (const struct lc_request *r = lc->requests; r < mine; r++) n += r->state == LC_WAITING;
    return n;
}

static void wait_for_load(const struct lifecycle *lc, const struct lc_request *r,
                          struct lc_wait *ret) {
    struct lc_forecast f = { .slot = r->slot };

    explain_waiting(lc, r, &f);
    ret->outcome = f.outcome;
    ret->place = waiting_before(lc, r) + 1;
    ret->gate = f.gate > 0 ? f.gate : 0;
    ret->load = f.load;
    if (f.outcome != LC_OUTCOME_WAITS) return;
    ret->load = msec_after(f.load, loads_before(lc, r->slot));
    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *other = &lc->requests[i];
        if (other->state == LC_RUNNING && f.leaves[other->slot]) ret->runs[other->slot] = true;
    }
}

bool lifecycle_wait(const struct lifecycle *lc, uint64_t request, struct lc_wait *ret) {
    int index = request_find(lc, request);
    if (index < 0 || lc->requests[index].state == LC_RUNNING) return false;
    const struct lc_request *r = &lc->requests[index];
    *ret = (struct lc_wait){ .outcome = LC_OUTCOME_QUEUED, .slot = r->slot };
    if (r->state == LC_WAITING) {
        wait_for_load(lc, r, ret);
    } else {
        ret->place = admitted_before(lc, r) + 1;
        ret->runs[r->slot] = true;
    }
    return true;
}
