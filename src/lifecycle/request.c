/* SPDX-License-Identifier: MIT */
/*
 * The requests the core knows, in order of arrival. A request is here from the event that
 * brought it until it is answered: LOADED, failed, cancelled while it was held, or DONE by its
 * worker.
 */
#include "lifecycle/core.h"

#include <assert.h>
#include <string.h>

struct lc_action *action_add(struct lc_step *st, enum lc_action_kind kind, int slot) {
    struct lc_actions *out = st->out;

    assert(out->count < LC_MAX_ACTIONS);
    struct lc_action *action = &out->list[out->count++];
    *action = (struct lc_action){
        .kind = kind, .slot = slot, .model = LC_NO_MODEL, .by = LC_NO_SLOT
    };
    if (slot != LC_NO_SLOT) {
        action->generation = st->lc->slots[slot].generation;
        action->model = st->lc->slots[slot].model;
    }
    return action;
}

int request_find(const struct lifecycle *lc, uint64_t id) {
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (lc->requests[i].id == id) return (int)i;
    return -1;
}

void request_remove(struct lifecycle *lc, uint32_t index) {
    struct lc_request *r = &lc->requests[index];

    assert(index < lc->request_count);
    lc->request_count--;
    memmove(r, r + 1, (lc->request_count - index) * sizeof *r);
}

/* Round-robin over clients (Order, rule 1) as fair queueing: a client's next request gets the
 * turn after its last one here, but none before the turn that the slot has reached. */
static uint64_t slot_turn(const struct lifecycle *lc, int slot, uint64_t client) {
    uint64_t turn = lc->slots[slot].turn;

    for (uint32_t i = 0; client != 0 && i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        if (r->slot == slot && r->client == client && r->turn >= turn) turn = r->turn + 1;
    }
    return turn;
}

void request_add(struct lifecycle *lc, const struct lc_event *ev, int slot,
                 enum lc_request_state state) {
    assert(lc->request_count < LC_MAX_REQUESTS);
    bool capped = ev->kind == LC_EV_REQUEST && ev->ttl > lc->settings.max_ttl;
    msec ttl = capped ? lc->settings.max_ttl : ev->ttl;

    lc->requests[lc->request_count++] = (struct lc_request){
        .id = ev->request,
        .client = ev->client,
        .turn = slot_turn(lc, slot, ev->client),
        .arrived = lc->now,
        .ttl = ttl,
        .asked_ttl = ttl,
        .slot = slot,
        .kind = ev->kind == LC_EV_LOAD ? LC_KIND_LOAD : ev->request_kind,
        .state = state,
        .stuck_since = MSEC_NEVER,
        .force = ev->kind == LC_EV_LOAD && ev->force,
    };
}

static void answer_fail(struct lc_step *st, uint64_t request, int slot,
                        const struct lc_refusal *why) {
    struct lc_action *action = action_add(st, LC_DO_FAIL, slot);

    action->request = request;
    action->fail = why->fail;
    action->at = why->at;
    action->need = why->need;
    action->free = why->free;
}

void request_refuse(struct lc_step *st, const struct lc_event *ev, int slot,
                    const struct lc_refusal *why) {
    answer_fail(st, ev->request, slot, why);
    st->out->list[st->out->count - 1].model = ev->model;
}

void requests_fail(struct lc_step *st, int slot, unsigned states,
                   const struct lc_refusal *why) {
    struct lifecycle *lc = st->lc;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        if (r->slot == slot && (LC_SET(r->state) & states))
            answer_fail(st, r->id, slot, why);
        else
            lc->requests[kept++] = *r;
    }
    lc->request_count = kept;
}

void requests_requeue(struct lifecycle *lc, int slot, msec waiter_arrived) {
    bool turn_is_over = waiter_arrived > lc->slots[slot].ready_at;
    uint32_t left = lc->request_count;

    for (uint32_t i = 0; left > 0; left--) {
        struct lc_request r = lc->requests[i];
        if (r.slot != slot || r.state != LC_ADMITTED || (r.owed && !turn_is_over)) {
            i++;
            continue;
        }
        request_remove(lc, i);
        r.state = LC_WAITING;
        r.owed = false;
        r.arrived = lc->now;
        lc->requests[lc->request_count++] = r;
    }
}

void requests_ask_again(struct lifecycle *lc, int slot) {
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (lc->requests[i].slot == slot) lc->requests[i].ttl = lc->requests[i].asked_ttl;
}

bool request_has_place(const struct lc_request *r) {
    return r->state == LC_RUNNING && r->kind == LC_KIND_INFER && r->place != LC_PLACE_GIVEN;
}

int request_find_stuck(const struct lifecycle *lc, int slot) {
    msec since = MSEC_NEVER;
    int first = -1;

    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        if (r->slot != slot || !request_has_place(r) || r->stuck_since >= since) continue;
        since = r->stuck_since;
        first = (int)i;
    }
    return first;
}

/* A clock that has jumped says nothing of readers. */
void requests_refresh(struct lifecycle *lc) {
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (lc->requests[i].stuck_since != MSEC_NEVER) lc->requests[i].stuck_since = lc->now;
}

struct lc_tally requests_tally(const struct lifecycle *lc, int slot) {
    struct lc_tally n = { 0 };

    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        if (r->slot != slot) continue;
        n.waiting += r->state == LC_WAITING;
        n.admitted += r->state == LC_ADMITTED;
        n.running += r->state == LC_RUNNING;
        n.infer += request_has_place(r);
        n.extra += request_has_place(r) && r->place == LC_PLACE_EXTRA;
    }
    return n;
}

uint32_t requests_held(const struct lifecycle *lc, uint32_t model) {
    uint32_t held = 0;

    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        held += r->state != LC_RUNNING && lc->slots[r->slot].model == model;
    }
    return held;
}

const struct lc_request *waiter_first(const struct lifecycle *lc, int slot) {
    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        if (r->slot == slot && r->state == LC_WAITING) return r;
    }
    return NULL;
}

const struct lc_request *waiter_load(const struct lifecycle *lc, int slot) {
    for (uint32_t i = 0; i < lc->request_count; i++) {
        const struct lc_request *r = &lc->requests[i];
        if (r->slot == slot && r->state == LC_WAITING && r->kind == LC_KIND_LOAD) return r;
    }
    return NULL;
}
