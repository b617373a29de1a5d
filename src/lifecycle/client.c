/* SPDX-License-Identifier: MIT */
#include "lifecycle/core.h"

#include <assert.h>
#include <stddef.h>

static void answer_loaded(struct lc_step *st, const struct lc_event *ev, int slot) {
    action_add(st, LC_DO_LOADED, slot)->request = ev->request;
}

static int instance_for(const struct lifecycle *lc, const struct lc_event *ev) {
    int i = ev->slot;

    if (i != LC_NO_SLOT && lc->slots[i].model == ev->model && slot_is_instance(lc, i)) return i;
    return lifecycle_find(lc, ev->model);
}

/* Can the event's request be served without waiting? Then no queue can be too long for it. */
static bool served_at_once(const struct lifecycle *lc, const struct lc_event *ev, int i) {
    if (i == LC_NO_SLOT || !slot_is_loaded(&lc->slots[i])) return false;
    return ev->request_kind != LC_KIND_INFER ||
           requests_tally(lc, i).infer < lc->slots[i].plan.parallel;
}

static bool queue_is_full(const struct lifecycle *lc, uint32_t model) {
    return lc->request_count >= LC_MAX_REQUESTS ||
           requests_held(lc, model) >= lc->settings.max_waiting;
}

/* Why a request for the slot (or none) must be refused, or LC_FAIL_NONE. */
static struct lc_refusal request_refusal(const struct lifecycle *lc, const struct lc_event *ev,
                                         int i) {
    int known = i != LC_NO_SLOT ? i : slot_find_failed(lc, ev->model);

    if (lc->shutting_down) return (struct lc_refusal){ .fail = LC_FAIL_SHUTDOWN };
    if (i == LC_NO_SLOT && !lc->settings.jit && ev->request_kind != LC_KIND_GET_OR_LOAD)
        return (struct lc_refusal){ .fail = LC_FAIL_JIT_OFF };
    if (known != LC_NO_SLOT && lc->now < lc->slots[known].retry_at)
        return (struct lc_refusal){ .fail = LC_FAIL_BACK_OFF, .at = lc->slots[known].retry_at };
    if (served_at_once(lc, ev, i) && lc->request_count < LC_MAX_REQUESTS)
        return (struct lc_refusal){ .fail = LC_FAIL_NONE };
    if (queue_is_full(lc, ev->model)) return (struct lc_refusal){ .fail = LC_FAIL_QUEUE_FULL };
    return (struct lc_refusal){ .fail = LC_FAIL_NONE };
}

/* The next load follows the plan of its newest request, unless an explicit load set one, or it
 * replaces a worker that died. */
static void slot_replan(struct lifecycle *lc, int i, const struct lc_plan *plan) {
    struct lc_slot *slot = &lc->slots[i];

    if (waiter_load(lc, i) != NULL) return;
    if (slot->intended) return;
    if (slot->state == LC_ABSENT && slot->ttl != LC_TTL_NOT_GIVEN) return;
    slot->next = *plan;
}

static void request_join(struct lc_step *st, const struct lc_event *ev, int i) {
    struct lifecycle *lc = st->lc;
    struct lc_slot *slot = &lc->slots[i];
    bool loaded = slot_is_loaded(slot);

    if (loaded && ev->request_kind == LC_KIND_GET_OR_LOAD) {
        answer_loaded(st, ev, i);
        return;
    }
    if (ev->request_kind != LC_KIND_GET_OR_LOAD) slot->lease_until = 0;
    if (!slot_is_up(slot)) slot_replan(lc, i, &ev->plan);
    request_add(lc, ev, i, loaded ? LC_ADMITTED : LC_WAITING);
    if (slot_is_up(slot)) slot_adopt_ttl(lc, i, &lc->requests[lc->request_count - 1]);
}

/* A failure says nothing about another file. */
static void forget_failures_of_file(struct lifecycle *lc, const struct lc_event *ev) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        struct lc_slot *slot = &lc->slots[i];
        if (slot->model != ev->model || slot->failed_file == ev->plan.file) continue;
        slot->failures = 0;
        slot->retry_at = 0;
    }
}

void on_request(struct lc_step *st, const struct lc_event *ev) {
    assert(ev->request_kind != LC_KIND_LOAD);
    forget_failures_of_file(st->lc, ev);
    int i = instance_for(st->lc, ev);
    struct lc_refusal why = request_refusal(st->lc, ev, i);

    if (why.fail == LC_FAIL_NONE && i == LC_NO_SLOT) {
        i = slot_take(st, ev->model);
        if (i == LC_NO_SLOT) why.fail = LC_FAIL_TOO_MANY;
    }
    if (why.fail != LC_FAIL_NONE) {
        int known = i != LC_NO_SLOT ? i : slot_find_failed(st->lc, ev->model);
        request_refuse(st, ev, known, &why);
        return;
    }
    request_join(st, ev, i);
}

/* The model's only instance, or LC_NO_SLOT if it has none or several. */
static int only_instance(const struct lifecycle *lc, uint32_t model) {
    int only = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (lc->slots[i].model != model || !slot_is_instance(lc, i)) continue;
        if (only != LC_NO_SLOT) return LC_NO_SLOT;
        only = i;
    }
    return only;
}

/* The instance that an explicit load makes its own (Auto-evict, rule 7): a jit one, one that
 * leaves, whose fresh load will be the explicit one, or one whose worker died. */
static int promotable(const struct lifecycle *lc, const struct lc_event *ev) {
    bool named = ev->slot != LC_NO_SLOT && lc->slots[ev->slot].model == ev->model;

    if (named && slot_is_intended_only(lc, ev->slot)) return ev->slot;
    int i = ev->own_slot ? LC_NO_SLOT : only_instance(lc, ev->model);
    if (i == LC_NO_SLOT) return LC_NO_SLOT;
    if (slot_is_intended_only(lc, i)) return i;
    if (slot_is_leaving(&lc->slots[i])) return waiter_load(lc, i) == NULL ? i : LC_NO_SLOT;
    if (slot_is_up(&lc->slots[i])) return lc->slots[i].origin == LC_ORIGIN_JIT ? i : LC_NO_SLOT;
    return slot_needs_place(lc, i) ? i : LC_NO_SLOT;
}

/* It was loaded with other settings: its answers end, then it is loaded as the load says. */
static void slot_reload(struct lc_step *st, int i) {
    if (st->lc->slots[i].state != LC_BUSY) {
        slot_leave(st, i, LC_BECAUSE_USER);
        return;
    }
    requests_requeue(st->lc, i, MSEC_NEVER);
    slot_enter(st, i, LC_DRAINING, LC_BECAUSE_USER);
}

void on_load(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;
    int i = promotable(lc, ev);
    bool other = i != LC_NO_SLOT && slot_is_up(&lc->slots[i]) &&
                 !slot_suits(&lc->slots[i], &ev->plan);
    bool loaded = i != LC_NO_SLOT && slot_is_loaded(&lc->slots[i]) && !other;
    struct lc_refusal why = { .fail = LC_FAIL_NONE };

    if (lc->shutting_down)
        why.fail = LC_FAIL_SHUTDOWN;
    else if (!loaded && queue_is_full(lc, ev->model))
        why.fail = LC_FAIL_QUEUE_FULL;
    else if (i == LC_NO_SLOT && (i = slot_take(st, ev->model)) == LC_NO_SLOT)
        why.fail = LC_FAIL_TOO_MANY;
    if (why.fail != LC_FAIL_NONE) {
        request_refuse(st, ev, i, &why);
        return;
    }
    if (other) slot_reload(st, i);
    if (slot_is_up(&lc->slots[i]))
        slot_promote(lc, i, &ev->plan, ev->ttl);
    else
        lc->slots[i].next = ev->plan;
    if (loaded)
        answer_loaded(st, ev, i);
    else
        request_add(lc, ev, i, LC_WAITING);
}

void on_cancel(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;
    int k = request_find(lc, ev->request);

    if (k < 0) return;
    struct lc_request *r = &lc->requests[k];
    if (r->state != LC_RUNNING) {
        request_remove(lc, (uint32_t)k);
        return;
    }
    if (r->aborted) return;
    r->aborted = true;
    action_add(st, LC_DO_ABORT, r->slot)->request = r->id;
}

/* An answer that was put aside continues as soon as the worker has a place for it. */
void on_reader(struct lc_step *st, const struct lc_event *ev) {
    int k = request_find(st->lc, ev->request);

    if (k < 0) return;
    struct lc_request *r = &st->lc->requests[k];
    if (r->state != LC_RUNNING || ev->stuck == (r->stuck_since != MSEC_NEVER)) return;
    r->stuck_since = ev->stuck ? st->lc->now : MSEC_NEVER;
    if (!ev->stuck && r->place == LC_PLACE_GIVEN) r->place = LC_PLACE_EXTRA;
}

/* Requests behind a closed gate wait for the next worker already; they stay. */
void on_unload(struct lc_step *st, const struct lc_event *ev) {
    struct lc_slot *slot = &st->lc->slots[ev->slot];

    if (slot->state == LC_ABSENT) {
        requests_fail(st, ev->slot, LC_SET_ALL,
                      &(struct lc_refusal){ .fail = LC_FAIL_UNLOADED });
        slot_drop_intent(slot);
        return;
    }
    if (!slot_is_up(slot) && slot->state != LC_DRAINING) return;
    bool loads = slot->state == LC_LOADING;
    requests_fail(st, ev->slot, loads ? LC_SET_ALL : LC_SET_ACTIVE,
                  &(struct lc_refusal){ .fail = LC_FAIL_UNLOADED });
    if (loads) slot->intended = false; /* which a load that is cancelled otherwise leaves */
    slot_leave(st, ev->slot, loads ? LC_BECAUSE_LOAD_CANCELLED : LC_BECAUSE_USER);
}

/* An instance that becomes jit where only one may be: the others make room as they would have
 * for its load. A loading one serves what waits for it first. */
static void evict_others(struct lifecycle *lc, int stays) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        struct lc_slot *slot = &lc->slots[i];
        if (i == stays || slot->origin != LC_ORIGIN_JIT || !slot_is_up(slot)) continue;
        slot->leaving = LC_BECAUSE_EVICTED;
        slot->evicted_by = stays;
    }
}

/* By hand: no request that came before changes it again. */
static void slot_set_ttl(struct lifecycle *lc, int i, msec ttl) {
    lc->slots[i].ttl = ttl;
    lc->slots[i].lives_until = 0;
    for (uint32_t k = 0; k < lc->request_count; k++)
        if (lc->requests[k].slot == i) lc->requests[k].asked_ttl = ttl;
}

void on_update(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;
    struct lc_slot *slot = &lc->slots[ev->slot];
    enum lc_origin was = slot->origin;

    if (!slot_is_up(slot)) return;
    if (ev->origin == LC_ORIGIN_EXPLICIT)
        slot_promote(lc, ev->slot, &slot->plan, was == LC_ORIGIN_JIT ? MSEC_NEVER : slot->ttl);
    slot->origin = ev->origin;
    if (ev->origin == LC_ORIGIN_JIT) slot->intended = false;
    if (ev->ttl != LC_TTL_NOT_GIVEN) slot_set_ttl(lc, ev->slot, ev->ttl);
    if (was != ev->origin && ev->origin == LC_ORIGIN_JIT &&
        lc->settings.auto_evict == LC_EVICT_ON)
        evict_others(lc, ev->slot);
}

void on_settings(struct lc_step *st, const struct lc_event *ev) {
    st->lc->settings = ev->settings;
}

void on_budget(struct lc_step *st, const struct lc_event *ev) {
    st->lc->budget = ev->bytes;
    st->lc->device_budget = ev->device;
}

void on_pressure(struct lc_step *st, const struct lc_event *ev) {
    (void)ev;
    admission_yield(st);
}

static void slot_shut_down(struct lc_step *st, int i) {
    struct lc_slot *slot = &st->lc->slots[i];

    requests_fail(st, i, LC_SET_HELD, &(struct lc_refusal){ .fail = LC_FAIL_SHUTDOWN });
    slot->intended = false;
    if (slot->state == LC_LOADING || slot->state == LC_IDLE)
        slot_leave(st, i, LC_BECAUSE_SHUTDOWN);
    else if (slot->state == LC_BUSY)
        slot_enter(st, i, LC_DRAINING, LC_BECAUSE_SHUTDOWN);
}

void shutdown_force(struct lc_step *st) {
    st->lc->shutdown_by = MSEC_NEVER;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &st->lc->slots[i];
        if (slot->state != LC_DRAINING) continue;
        requests_fail(st, i, LC_SET_ALL, &(struct lc_refusal){ .fail = LC_FAIL_SHUTDOWN });
        slot_leave(st, i, slot->leaving);
    }
}

/* The second one means at once, without a grace. */
void on_shutdown(struct lc_step *st, const struct lc_event *ev) {
    struct lifecycle *lc = st->lc;

    (void)ev;
    if (lc->shutting_down) {
        shutdown_force(st);
        for (int i = 0; i < LC_MAX_SLOTS; i++)
            if (lc->slots[i].state == LC_UNLOADING && lc->slots[i].stop_by != MSEC_NEVER)
                lc->slots[i].stop_by = lc->now;
        return;
    }
    lc->shutting_down = true;
    lc->shutdown_by = msec_after(lc->now, lc->settings.shutdown_grace);
    for (int i = 0; i < LC_MAX_SLOTS; i++) slot_shut_down(st, i);
}
