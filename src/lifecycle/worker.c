/* SPDX-License-Identifier: MIT */
/*
 * Events from workers. step.c has dropped those of older generations; what does not fit the
 * state changes nothing here, for a worker may say anything at any time.
 */
#include "lifecycle/core.h"

#include <stddef.h>

static bool is_awaited(const struct lc_slot *slot, const struct lc_event *ev) {
    return slot->prepared == LC_PREPARING && slot->generation == ev->generation;
}

void on_prepared(struct lc_step *st, const struct lc_event *ev) {
    struct lc_slot *slot = &st->lc->slots[ev->slot];

    if (is_awaited(slot, ev)) slot->prepared = LC_PREPARED;
}

void on_prepare_failed(struct lc_step *st, const struct lc_event *ev) {
    struct lc_slot *slot = &st->lc->slots[ev->slot];

    if (!is_awaited(slot, ev)) return;
    slot->prepared = LC_UNPREPARED;
    requests_fail(st, ev->slot, LC_SET_ALL,
                  &(struct lc_refusal){ .fail = LC_FAIL_LOAD_FAILED });
    slot_count_failure(st->lc, ev->slot);
}

void on_progress(struct lc_step *st, const struct lc_event *ev) {
    struct lc_slot *slot = &st->lc->slots[ev->slot];

    if (slot->state != LC_LOADING) return;
    slot->heard = st->lc->now;
    if (ev->permille > slot->permille) slot->permille = ev->permille;
}

/* A load that worked ends the back-off of its model, also where another slot remembers it. */
static void forget_failures(struct lifecycle *lc, uint32_t model) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (lc->slots[i].model != model) continue;
        lc->slots[i].failures = 0;
        lc->slots[i].retry_at = 0;
    }
}

void on_ready(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;
    struct lc_slot *slot = &lc->slots[ev->slot];

    if (slot->state != LC_LOADING) return;
    slot->bytes = ev->bytes;
    slot->device = ev->device;
    slot->places = ev->parallel > 0 ? ev->parallel : 1;
    if (slot->plan.parallel > slot->places) slot->plan.parallel = slot->places;
    slot->last_used = slot->ready_at = lc->now;
    slot->unwanted_since = MSEC_NEVER;
    slot->intended = false;
    forget_failures(lc, slot->model);
    /* All of them, however long somebody else has waited: no swap without an answer in between
     * (Auto-evict, rule 6). */
    slot_admit_waiters(st, ev->slot, true);
    if (requests_tally(lc, ev->slot).admitted > 0)
        slot_enter(st, ev->slot, LC_BUSY, LC_BECAUSE_REQUEST);
    else
        slot_enter(st, ev->slot, LC_IDLE, LC_BECAUSE_READY);
}

void on_load_failed(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;

    if (lc->slots[ev->slot].state != LC_LOADING) return;
    requests_fail(st, ev->slot, LC_SET_ALL,
                  &(struct lc_refusal){ .fail = LC_FAIL_LOAD_FAILED });
    slot_count_failure(lc, ev->slot);
    slot_leave(st, ev->slot, LC_BECAUSE_LOAD_FAILED);
}

static void slot_hear(struct lifecycle *lc, int i) {
    if (lc->slots[i].heard != MSEC_NEVER) lc->slots[i].heard = lc->now;
}

void on_done(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;
    int k = request_find(lc, ev->request);

    if (k < 0 || lc->requests[k].slot != ev->slot || lc->requests[k].state != LC_RUNNING)
        return;
    slot_count_ttl(lc, ev->slot, &lc->requests[k]);
    lc->slots[ev->slot].served = true;
    request_remove(lc, (uint32_t)k);
    slot_hear(lc, ev->slot);
    lc->slots[ev->slot].last_used = lc->now;
}

void on_heard(struct lc_step *st, const struct lc_event *ev) {
    enum lc_state state = st->lc->slots[ev->slot].state;

    if (state == LC_BUSY || state == LC_DRAINING) slot_hear(st->lc, ev->slot);
}

/* A context grows with its conversations. A load is counted by its plan until READY. */
void on_memory(struct lc_step *st, const struct lc_event *ev) {
    struct lc_slot *slot = &st->lc->slots[ev->slot];

    if (slot->state == LC_LOADING) return;
    slot->bytes = ev->bytes;
    slot->device = ev->device;
}

/* A worker grows only by what it was granted (Memory, rule 1). */
void on_grow(struct lc_step *st, const struct lc_event *ev) {
    struct lc_slot *slot = &st->lc->slots[ev->slot];

    if (!slot_is_loaded(slot) && slot->state != LC_DRAINING) return;
    slot->grow_to = ev->bytes;
    slot->grow_least = ev->least < ev->bytes ? ev->least : ev->bytes;
    slot->grow_optional = ev->optional;
}

/* Those that waited for this worker wait for the next one, and have lost a worker. Behind a
 * closed gate they waited for the next one anyway. */
static void waiters_lose(struct lifecycle *lc, int i) {
    for (uint32_t k = 0; k < lc->request_count; k++) {
        struct lc_request *r = &lc->requests[k];
        if (r->slot != i) continue;
        if (lc->slots[i].state == LC_LOADING || r->state == LC_ADMITTED) r->lost++;
        r->state = LC_WAITING;
        r->owed = false;
    }
}

/* At most one new worker for each request: the second loss is an error. */
static void fail_lost(struct lc_step *st, int i, enum lc_fail why) {
    struct lifecycle *lc = st->lc;

    for (uint32_t k = 0; k < lc->request_count;) {
        const struct lc_request *r = &lc->requests[k];
        if (r->slot != i || r->lost < 2) {
            k++;
            continue;
        }
        struct lc_action *answer = action_add(st, LC_DO_FAIL, i);
        answer->request = r->id;
        answer->fail = why;
        request_remove(lc, k);
    }
}

void on_exited(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;
    struct lc_slot *slot = &lc->slots[ev->slot];

    if (slot->state == LC_UNLOADING) {
        slot_enter(st, ev->slot, LC_ABSENT, LC_BECAUSE_EXITED);
        return;
    }
    bool first_use = !slot->served && requests_tally(lc, ev->slot).running > 0;
    requests_fail(st, ev->slot, LC_SET(LC_RUNNING),
                  &(struct lc_refusal){ .fail = LC_FAIL_DIED });
    bool load_failed = slot->state == LC_LOADING || first_use;
    waiters_lose(lc, ev->slot);
    fail_lost(st, ev->slot, load_failed ? LC_FAIL_LOAD_FAILED : LC_FAIL_DIED);
    if (load_failed) slot_count_failure(lc, ev->slot);
    slot_enter(st, ev->slot, LC_ABSENT, LC_BECAUSE_DIED);
}
