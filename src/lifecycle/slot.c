/* SPDX-License-Identifier: MIT */
#include "lifecycle/core.h"

#include <assert.h>
#include <stddef.h>

#define BACK_OFF_FIRST ((msec)1000)
#define BACK_OFF_MAX ((msec)60000)

msec msec_after(msec t, msec span) {
    return t > MSEC_NEVER - span ? MSEC_NEVER : t + span;
}

bool slot_is_leaving(const struct lc_slot *slot) {
    return slot->state == LC_DRAINING || slot->state == LC_UNLOADING;
}

bool slot_is_loaded(const struct lc_slot *slot) {
    return slot->state == LC_IDLE || slot->state == LC_BUSY;
}

bool slot_is_up(const struct lc_slot *slot) {
    return slot->state == LC_LOADING || slot_is_loaded(slot);
}

bool slot_is_instance(const struct lifecycle *lc, int slot) {
    const struct lc_slot *s = &lc->slots[slot];
    return s->state != LC_ABSENT || s->intended || waiter_first(lc, slot) != NULL;
}

bool slot_is_intended_only(const struct lifecycle *lc, int slot) {
    const struct lc_slot *s = &lc->slots[slot];
    return s->intended && s->state == LC_ABSENT && waiter_first(lc, slot) == NULL;
}

void slot_drop_intent(struct lc_slot *slot) {
    slot->intended = false;
    slot->origin = LC_ORIGIN_JIT;
    slot->ttl = LC_TTL_NOT_GIVEN;
}

msec slot_expires(const struct lc_slot *slot) {
    return slot->state == LC_IDLE ? msec_after(slot->idle_since, slot->ttl) : MSEC_NEVER;
}

msec intent_ends(const struct lifecycle *lc, int i) {
    const struct lc_slot *slot = &lc->slots[i];
    return slot_is_intended_only(lc, i) ? msec_after(slot->idle_since, slot->ttl) : MSEC_NEVER;
}

msec load_gives_up_at(const struct lifecycle *lc, const struct lc_slot *slot) {
    bool wanted = slot->state != LC_LOADING || slot->unwanted_since == MSEC_NEVER;

    if (wanted || slot->permille >= LC_HALF_LOADED) return MSEC_NEVER;
    msec taken = slot->unwanted_since - slot->loading_since;
    return msec_after(slot->unwanted_since,
                      taken > lc->settings.load_grace ? taken : lc->settings.load_grace);
}

static void slot_set_loading(struct lc_slot *slot, msec now) {
    slot->generation++;
    slot->prepared = LC_UNPREPARED;
    slot->plan = slot->next;
    slot->places = slot->plan.parallel;
    slot->bytes = slot->plan.need;
    slot->device = slot->plan.wish;
    slot->permille = 0;
    slot->loading_since = now;
    slot->unwanted_since = MSEC_NEVER;
    slot->lease_until = 0;
    slot->lives_until = 0;
    slot->served = false;
    slot->heard = now;
    slot->leaving = LC_BECAUSE_NONE;
    slot->evicted_by = LC_NO_SLOT;
}

/* Is the instance still wanted after its worker is gone? (Failure: intent outlives the
 * worker.) A load that has not succeeded yet is wanted by its waiters only. */
static bool intent_stays(const struct lc_slot *slot, enum lc_state from) {
    if (from == LC_IDLE || from == LC_BUSY) return slot->origin == LC_ORIGIN_EXPLICIT;
    bool failed = slot->leaving == LC_BECAUSE_LOAD_FAILED ||
                  slot->leaving == LC_BECAUSE_LOAD_CANCELLED;
    return slot->intended && (from == LC_LOADING || failed);
}

/* A worker that was told to go takes origin and ttl with it; one that died leaves them to the
 * worker that replaces it. */
static void slot_set_absent(struct lc_slot *slot, enum lc_state from, msec now) {
    slot->intended = intent_stays(slot, from);
    slot->idle_since = now;
    slot->bytes = slot->device = 0;
    slot->grow_to = 0;
    slot->lease_until = 0;
    slot->leaving = LC_BECAUSE_NONE;
    slot->evicted_by = LC_NO_SLOT;
}

/* The longest ttl left of its requests becomes the instance's (Idle TTL, rule 3). */
static void slot_hold_longest(const struct lifecycle *lc, struct lc_slot *slot) {
    if (lc->settings.ttl_update != LC_TTL_LONGEST || slot->origin != LC_ORIGIN_JIT) return;
    if (slot->lives_until == 0) return;
    if (slot->lives_until == MSEC_NEVER)
        slot->ttl = MSEC_NEVER;
    else
        slot->ttl = slot->lives_until > lc->now ? slot->lives_until - lc->now : 0;
}

static void slot_set_busy(struct lc_slot *slot, enum lc_state from, msec now) {
    slot->heard = now;
    if (from != LC_DRAINING) return;
    slot->leaving = LC_BECAUSE_NONE;
    slot->evicted_by = LC_NO_SLOT;
}

/* Set what the slot's new state implies. */
static void slot_set_implied(struct lc_step *st, int i, enum lc_state from,
                             enum lc_reason reason) {
    struct lc_slot *slot = &st->lc->slots[i];
    msec now = st->lc->now;

    switch (slot->state) {
    case LC_ABSENT:
        slot_set_absent(slot, from, now);
        if (from != LC_UNLOADING || slot->intended) break;
        slot_drop_intent(slot);
        requests_ask_again(st->lc, i);
        break;
    case LC_LOADING:
        slot_set_loading(slot, now);
        break;
    case LC_IDLE:
        slot->idle_since = slot->last_used = now;
        slot_hold_longest(st->lc, slot);
        break;
    case LC_BUSY:
        slot_set_busy(slot, from, now);
        break;
    case LC_DRAINING:
        slot->leaving = reason;
        break;
    case LC_UNLOADING:
        slot->leaving = reason;
        slot->grow_to = 0;
        slot->stop_by = msec_after(now, st->lc->settings.stop_grace);
        break;
    }
}

void slot_enter(struct lc_step *st, int i, enum lc_state to, enum lc_reason reason) {
    struct lc_slot *slot = &st->lc->slots[i];
    enum lc_state from = slot->state;
    int by = reason == LC_BECAUSE_EVICTED ? slot->evicted_by : LC_NO_SLOT;
    msec due = reason == LC_BECAUSE_TTL ? slot_expires(slot) : 0;
    enum lc_origin origin = slot->origin;

    assert(lc_edge_legal(from, to));
    slot->state = to;
    if (reason != LC_BECAUSE_EVICTED && slot_is_leaving(slot)) slot->evicted_by = LC_NO_SLOT;
    slot_set_implied(st, i, from, reason);
    struct lc_action *report = action_add(st, LC_DO_REPORT, i);
    report->from = from;
    report->to = to;
    report->origin = origin;
    report->reason = reason;
    report->by = by;
    report->at = due;
}

void slot_leave(struct lc_step *st, int i, enum lc_reason reason) {
    slot_enter(st, i, LC_UNLOADING, reason);
    (void)action_add(st, LC_DO_STOP, i);
}

void slot_evict(struct lc_step *st, int i, int by) {
    struct lc_slot *slot = &st->lc->slots[i];

    if (!slot_is_loaded(slot)) return;
    slot->evicted_by = by;
    if (slot->state == LC_IDLE) {
        slot_leave(st, i, LC_BECAUSE_EVICTED);
        return;
    }
    const struct lc_request *waiter = waiter_first(st->lc, by);
    requests_requeue(st->lc, i, waiter != NULL ? waiter->arrived : st->lc->now);
    slot_enter(st, i, LC_DRAINING, LC_BECAUSE_EVICTED);
}

bool slot_suits(const struct lc_slot *slot, const struct lc_plan *plan) {
    if (slot->plan.settings == plan->settings) return true;
    return slot->plan.lasting == plan->lasting && plan->parallel <= slot->places;
}

/* Answers that run beyond them are not cut. */
static void slot_set_places(struct lifecycle *lc, int i, const struct lc_plan *plan) {
    struct lc_slot *slot = &lc->slots[i];
    struct lc_tally n = requests_tally(lc, i);

    if (slot->plan.settings == plan->settings) return;
    slot->next = *plan;
    slot->plan.settings = plan->settings;
    slot->plan.parallel = plan->parallel;
    for (uint32_t k = 0; n.infer > plan->parallel + n.extra; k++) {
        struct lc_request *r = &lc->requests[k];
        if (r->slot != i || !request_has_place(r) || r->place == LC_PLACE_EXTRA) continue;
        r->place = LC_PLACE_EXTRA;
        n.extra++;
    }
}

void slot_promote(struct lifecycle *lc, int i, const struct lc_plan *plan, msec ttl) {
    struct lc_slot *slot = &lc->slots[i];

    slot_set_places(lc, i, plan);
    slot->origin = LC_ORIGIN_EXPLICIT;
    slot->ttl = ttl == LC_TTL_NOT_GIVEN ? lc->settings.explicit_ttl : ttl;
    slot->leaving = LC_BECAUSE_NONE;
    slot->evicted_by = LC_NO_SLOT;
}

/* Everything but the generation, which must never come back. */
static void slot_clear(struct lc_slot *slot) {
    *slot = (struct lc_slot){
        .model = LC_NO_MODEL,
        .evicted_by = LC_NO_SLOT,
        .generation = slot->generation,
        .ttl = LC_TTL_NOT_GIVEN,
    };
}

void slot_free(struct lc_step *st, int i) {
    (void)action_add(st, LC_DO_FREE, i);
    slot_clear(&st->lc->slots[i]);
}

/* True if all the slot is there for is to remember failed loads. */
static bool slot_is_backoff_record(const struct lifecycle *lc, int i) {
    return lc->slots[i].failures > 0 && !slot_is_instance(lc, i);
}

int slot_find_failed(const struct lifecycle *lc, uint32_t model) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (lc->slots[i].model == model && slot_is_backoff_record(lc, i)) return i;
    return LC_NO_SLOT;
}

static int slot_find_unused(const struct lifecycle *lc) {
    int oldest = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (lc->slots[i].model == LC_NO_MODEL) return i;
        if (!slot_is_backoff_record(lc, i)) continue;
        if (oldest == LC_NO_SLOT || lc->slots[i].retry_at < lc->slots[oldest].retry_at)
            oldest = i;
    }
    return oldest;
}

/* A remembered failure gives up its slot, and with it the identifier, for the new instance;
 * what it remembers about the same model stays. */
int slot_take(struct lc_step *st, uint32_t model) {
    struct lifecycle *lc = st->lc;
    int i = slot_find_failed(lc, model);
    struct lc_slot old = { 0 };

    if (i == LC_NO_SLOT)
        i = slot_find_unused(lc);
    else
        old = lc->slots[i];
    if (i == LC_NO_SLOT) return i;
    if (lc->slots[i].model != LC_NO_MODEL) slot_free(st, i);
    lc->slots[i].model = model;
    lc->slots[i].failures = old.failures;
    lc->slots[i].retry_at = old.retry_at;
    (void)action_add(st, LC_DO_ASSIGN, i);
    return i;
}

/* What counts once is taken from the request, so that it cannot count again after an UPDATE. */
void slot_adopt_ttl(struct lifecycle *lc, int i, struct lc_request *r) {
    struct lc_slot *slot = &lc->slots[i];
    bool may = r->kind == LC_KIND_INFER || r->kind == LC_KIND_LIGHT;

    if (may && slot->origin == LC_ORIGIN_JIT && lc->settings.ttl_update == LC_TTL_SET &&
        r->ttl != LC_TTL_NOT_GIVEN)
        slot->ttl = r->ttl;
    r->ttl = LC_TTL_NOT_GIVEN;
}

/* The ttl of a jit instance whose request brings none. */
static msec ttl_default(const struct lifecycle *lc, const struct lc_slot *slot) {
    return slot->next.ttl == LC_TTL_NOT_GIVEN ? lc->settings.default_ttl : slot->next.ttl;
}

void slot_count_ttl(struct lifecycle *lc, int i, const struct lc_request *r) {
    struct lc_slot *slot = &lc->slots[i];
    msec ttl = r->asked_ttl == LC_TTL_NOT_GIVEN ? ttl_default(lc, slot) : r->asked_ttl;
    msec end = msec_after(lc->now, ttl);

    if (end > slot->lives_until) slot->lives_until = end;
}

/* The first waiter causes the load, so its ttl counts; later ones may replace it. */
static void slot_settle_ttl(struct lifecycle *lc, int i) {
    struct lc_slot *slot = &lc->slots[i];

    for (uint32_t k = 0; k < lc->request_count; k++) {
        struct lc_request *r = &lc->requests[k];
        if (r->slot != i) continue;
        if (slot->ttl == LC_TTL_NOT_GIVEN)
            slot->ttl = r->ttl == LC_TTL_NOT_GIVEN ? ttl_default(lc, slot) : r->ttl;
        slot_adopt_ttl(lc, i, r);
    }
}

void slot_admit_waiters(struct lc_step *st, int i, bool fresh) {
    struct lifecycle *lc = st->lc;
    bool leased = false, admitted = false;

    for (uint32_t k = 0; k < lc->request_count;) {
        struct lc_request *r = &lc->requests[k];
        if (r->slot != i || r->state != LC_WAITING) {
            k++;
        } else if (r->kind == LC_KIND_LOAD || r->kind == LC_KIND_GET_OR_LOAD) {
            struct lc_action *answer = action_add(st, LC_DO_LOADED, i);
            answer->request = r->id;
            answer->fresh = fresh;
            leased = leased || r->kind == LC_KIND_GET_OR_LOAD;
            request_remove(lc, k);
        } else {
            r->state = LC_ADMITTED;
            r->owed = fresh;
            admitted = true;
            k++;
        }
    }
    if (fresh && leased && !admitted)
        lc->slots[i].lease_until = msec_after(lc->now, lc->settings.lease);
}

void slot_spawn(struct lc_step *st, int i) {
    struct lifecycle *lc = st->lc;
    struct lc_slot *slot = &lc->slots[i];
    const struct lc_request *load = waiter_load(lc, i);
    enum lc_kind cause = waiter_first(lc, i)->kind;
    bool inference = cause == LC_KIND_INFER || cause == LC_KIND_LIGHT;

    if (load != NULL) {
        slot->origin = LC_ORIGIN_EXPLICIT;
        slot->ttl = load->ttl == LC_TTL_NOT_GIVEN ? lc->settings.explicit_ttl : load->ttl;
        /* An explicit load ignores the back-off, and later requests may join it; but not its
         * second attempt after the worker died. */
        if (load->lost == 0) slot->retry_at = 0;
    }
    slot_settle_ttl(lc, i);
    slot_enter(st, i, LC_LOADING, inference ? LC_BECAUSE_REQUEST : LC_BECAUSE_LOAD);
    (void)action_add(st, LC_DO_SPAWN, i);
}

void slot_count_failure(struct lifecycle *lc, int i) {
    struct lc_slot *slot = &lc->slots[i];
    msec pause = BACK_OFF_FIRST;

    if (slot->failures < UINT8_MAX) slot->failures++;
    slot->failed_file = slot->state == LC_ABSENT ? slot->next.file : slot->plan.file;
    for (int n = 1; n < slot->failures && pause < BACK_OFF_MAX; n++) pause *= 2;
    slot->retry_at = msec_after(lc->now, pause < BACK_OFF_MAX ? pause : BACK_OFF_MAX);
}

static bool settle_loading(struct lc_step *st, int i) {
    struct lifecycle *lc = st->lc;
    struct lc_slot *slot = &lc->slots[i];

    if (waiter_first(lc, i) != NULL)
        slot->unwanted_since = MSEC_NEVER;
    else if (slot->unwanted_since == MSEC_NEVER)
        slot->unwanted_since = lc->now;
    if (lc->now >= load_gives_up_at(lc, slot)) {
        slot_leave(st, i, LC_BECAUSE_LOAD_CANCELLED);
        return true;
    }
    if (lc->now < msec_after(slot->heard, lc->settings.load_stall)) return false;
    requests_fail(st, i, LC_SET_ALL, &(struct lc_refusal){ .fail = LC_FAIL_LOAD_STALLED });
    slot_count_failure(lc, i);
    slot_enter(st, i, LC_UNLOADING, LC_BECAUSE_LOAD_FAILED);
    slot->stop_by = MSEC_NEVER;
    (void)action_add(st, LC_DO_KILL, i);
    return true;
}

/* The index of the admitted request that takes the next place, the lowest turn, then the
 * oldest; -1. */
static int next_in_turn(const struct lifecycle *lc, int i) {
    int next = -1;

    for (uint32_t k = 0; k < lc->request_count; k++) {
        const struct lc_request *r = &lc->requests[k];
        if (r->slot != i || r->state != LC_ADMITTED || r->kind != LC_KIND_INFER) continue;
        if (next < 0 || r->turn < lc->requests[next].turn) next = (int)k;
    }
    return next;
}

msec place_is_given_at(const struct lifecycle *lc, int i) {
    int k = request_find_stuck(lc, i);

    if (k < 0 || next_in_turn(lc, i) < 0) return MSEC_NEVER;
    return msec_after(lc->requests[k].stuck_since, lc->settings.reader_patience);
}

/* Is there a place for one more? An answer whose client does not read gives up its own. */
static bool slot_has_place(struct lifecycle *lc, int i) {
    while (requests_tally(lc, i).infer >= lc->slots[i].plan.parallel) {
        if (lc->now < place_is_given_at(lc, i)) return false;
        lc->requests[request_find_stuck(lc, i)].place = LC_PLACE_GIVEN;
    }
    return true;
}

static void request_start(struct lc_step *st, struct lc_request *r) {
    r->state = LC_RUNNING;
    r->place = LC_PLACE_OWN;
    r->stuck_since = MSEC_NEVER;
    st->lc->slots[r->slot].last_used = st->lc->now;
    action_add(st, LC_DO_START, r->slot)->request = r->id;
}

/* Hands over what was admitted: light work at once, the rest while there are places. */
static void slot_start(struct lc_step *st, int i) {
    struct lifecycle *lc = st->lc;
    struct lc_slot *slot = &lc->slots[i];

    for (uint32_t k = 0; k < lc->request_count; k++) {
        struct lc_request *r = &lc->requests[k];
        if (r->slot == i && r->state == LC_ADMITTED && r->kind == LC_KIND_LIGHT)
            request_start(st, r);
    }
    for (int k; (k = next_in_turn(lc, i)) >= 0 && slot_has_place(lc, i);) {
        struct lc_request *next = &lc->requests[k];
        if (next->turn > slot->turn) slot->turn = next->turn;
        request_start(st, next);
    }
}

static bool settle_idle(struct lc_step *st, int i) {
    struct lc_slot *slot = &st->lc->slots[i];

    if (requests_tally(st->lc, i).admitted > 0) {
        slot_enter(st, i, LC_BUSY, LC_BECAUSE_REQUEST);
        slot_start(st, i); /* before a closed gate can send it back */
        return true;
    }
    if (slot->leaving == LC_BECAUSE_EVICTED && st->lc->now >= slot->lease_until) {
        slot_evict(st, i, slot->evicted_by);
        return true;
    }
    if (st->lc->now < slot_expires(slot)) return false;
    slot_leave(st, i, LC_BECAUSE_TTL);
    return true;
}

static void slot_kill_silent(struct lc_step *st, int i) {
    struct lc_slot *slot = &st->lc->slots[i];

    if (slot->heard == MSEC_NEVER) return;
    if (st->lc->now < msec_after(slot->heard, st->lc->settings.hang)) return;
    slot->heard = MSEC_NEVER;
    (void)action_add(st, LC_DO_KILL, i);
}

/* The last one that waited for the slot's place is gone, so leaving would gain nothing. */
static bool eviction_is_off(const struct lifecycle *lc, const struct lc_slot *slot) {
    if (slot->state != LC_DRAINING || slot->leaving != LC_BECAUSE_EVICTED) return false;
    if (lc->shutting_down) return false;
    return lc->slots[slot->evicted_by].state == LC_ABSENT &&
           waiter_first(lc, slot->evicted_by) == NULL;
}

/* Does a load wait for it that asks for other settings than it has (Auto-evict, rule 7)? */
static bool reload_waits(const struct lifecycle *lc, int i) {
    const struct lc_slot *slot = &lc->slots[i];
    return waiter_load(lc, i) != NULL && !slot_suits(slot, &slot->next);
}

/* Nobody waits for its place now, but it leaves to be loaded again. */
static void slot_leaves_for_itself(struct lc_slot *slot) {
    slot->leaving = LC_BECAUSE_USER;
    slot->evicted_by = LC_NO_SLOT;
}

/* The gate opens again (Auto-evict, rule 6). */
static void slot_recall(struct lc_step *st, int i) {
    struct lifecycle *lc = st->lc;
    const struct lc_request *load = waiter_load(lc, i);

    slot_enter(st, i, LC_BUSY, LC_BECAUSE_RECALLED);
    if (load != NULL) slot_promote(lc, i, &lc->slots[i].next, load->ttl);
    slot_settle_ttl(lc, i);
    slot_admit_waiters(st, i, false);
}

static bool settle_working(struct lc_step *st, int i) {
    struct lc_slot *slot = &st->lc->slots[i];

    if (eviction_is_off(st->lc, slot)) {
        if (reload_waits(st->lc, i))
            slot_leaves_for_itself(slot);
        else
            slot_recall(st, i);
    }
    slot_start(st, i);
    if (requests_tally(st->lc, i).running == 0) {
        if (slot->state == LC_BUSY)
            slot_enter(st, i, LC_IDLE, LC_BECAUSE_DONE);
        else
            slot_leave(st, i, slot->leaving);
        return true;
    }
    slot_kill_silent(st, i);
    if (slot->state != LC_BUSY || slot->leaving != LC_BECAUSE_EVICTED) return false;
    slot_evict(st, i, slot->evicted_by);
    return true;
}

/* Nobody waits for the worker; an intended instance leaves when its ttl is over. */
static bool settle_absent(struct lc_step *st, int i) {
    struct lc_slot *slot = &st->lc->slots[i];

    if (st->lc->now >= intent_ends(st->lc, i)) slot_drop_intent(slot);
    if (slot->prepared == LC_UNPREPARED || waiter_first(st->lc, i) != NULL) return false;
    slot->prepared = LC_UNPREPARED;
    (void)action_add(st, LC_DO_RELEASE, i);
    return true;
}

bool slot_settle(struct lc_step *st, int i) {
    struct lc_slot *slot = &st->lc->slots[i];

    switch (slot->state) {
    case LC_ABSENT:
        return settle_absent(st, i);
    case LC_LOADING:
        return settle_loading(st, i);
    case LC_IDLE:
        return settle_idle(st, i);
    case LC_BUSY:
    case LC_DRAINING:
        return settle_working(st, i);
    case LC_UNLOADING:
        if (st->lc->now < slot->stop_by || slot->stop_by == MSEC_NEVER) return false;
        slot->stop_by = MSEC_NEVER;
        (void)action_add(st, LC_DO_KILL, i);
        return false;
    }
    assert(false && "lc_state");
    return false;
}

bool slot_is_watched(const struct lc_slot *slot) {
    return slot->state != LC_ABSENT && slot->state != LC_IDLE;
}

void slot_refresh(struct lifecycle *lc, int i) {
    struct lc_slot *slot = &lc->slots[i];

    if (slot->state == LC_UNLOADING) {
        if (slot->stop_by != MSEC_NEVER)
            slot->stop_by = msec_after(lc->now, lc->settings.stop_grace);
    } else if (slot_is_watched(slot) && slot->heard != MSEC_NEVER) {
        slot->heard = lc->now;
    }
}
