/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <assert.h>
#include <stddef.h>

const struct transition rules_transitions[] = {
    /* request / load */
    { LC_ABSENT, LC_LOADING, LC_BECAUSE_REQUEST },
    { LC_ABSENT, LC_LOADING, LC_BECAUSE_LOAD },
    /* worker ready, with and without somebody who waits */
    { LC_LOADING, LC_BUSY, LC_BECAUSE_REQUEST },
    { LC_LOADING, LC_IDLE, LC_BECAUSE_READY },
    /* load failed / cancelled, by hand, shutdown */
    { LC_LOADING, LC_UNLOADING, LC_BECAUSE_LOAD_FAILED },
    { LC_LOADING, LC_UNLOADING, LC_BECAUSE_LOAD_CANCELLED },
    { LC_LOADING, LC_UNLOADING, LC_BECAUSE_USER }, /* to be loaded again with other settings */
    { LC_LOADING, LC_UNLOADING, LC_BECAUSE_SHUTDOWN },
    /* the first request begins, the last one ends */
    { LC_IDLE, LC_BUSY, LC_BECAUSE_REQUEST },
    { LC_BUSY, LC_IDLE, LC_BECAUSE_DONE },
    /* what is idle leaves at once */
    { LC_IDLE, LC_UNLOADING, LC_BECAUSE_TTL },
    { LC_IDLE, LC_UNLOADING, LC_BECAUSE_EVICTED },
    { LC_IDLE, LC_UNLOADING, LC_BECAUSE_MEMORY },
    { LC_IDLE, LC_UNLOADING, LC_BECAUSE_USER },
    { LC_IDLE, LC_UNLOADING, LC_BECAUSE_SHUTDOWN },
    /* what is busy finishes its answers first, except by hand */
    { LC_BUSY, LC_DRAINING, LC_BECAUSE_EVICTED },
    { LC_BUSY, LC_DRAINING, LC_BECAUSE_SHUTDOWN },
    { LC_BUSY, LC_DRAINING, LC_BECAUSE_USER }, /* to be loaded again with other settings */
    { LC_BUSY, LC_UNLOADING, LC_BECAUSE_USER },
    { LC_DRAINING, LC_UNLOADING, LC_BECAUSE_EVICTED },
    { LC_DRAINING, LC_UNLOADING, LC_BECAUSE_SHUTDOWN },
    { LC_DRAINING, LC_UNLOADING, LC_BECAUSE_USER },
    /* the last that waited for its place left */
    { LC_DRAINING, LC_BUSY, LC_BECAUSE_RECALLED },
    /* worker exited, memory back */
    { LC_UNLOADING, LC_ABSENT, LC_BECAUSE_EXITED },
    /* a worker that dies in any other state takes its instance along */
    { LC_LOADING, LC_ABSENT, LC_BECAUSE_DIED },
    { LC_IDLE, LC_ABSENT, LC_BECAUSE_DIED },
    { LC_BUSY, LC_ABSENT, LC_BECAUSE_DIED },
    { LC_DRAINING, LC_ABSENT, LC_BECAUSE_DIED },
};
static_assert(sizeof rules_transitions / sizeof *rules_transitions == RULES_TRANSITIONS,
              "the count in rules.h");

int rules_find(enum lc_state from, enum lc_state to, enum lc_reason reason) {
    for (int i = 0; i < RULES_TRANSITIONS; i++) {
        const struct transition *t = &rules_transitions[i];
        if (t->from == from && t->to == to && t->reason == reason) return i;
    }
    return -1;
}

/* The requests of one slot, by state; `places` are the running ones that take a place. */
struct crowd {
    uint32_t waiting, admitted, running, places, extra;
    uint32_t stuck; /* of those with places: their clients have not read for too long */
};

/* Most numbers rise with the place: only one that does not is looked for among those before. */
static bool is_there_twice(const struct lifecycle *lc, uint32_t k, uint64_t *highest) {
    uint64_t id = lc->requests[k].id;
    bool rises = k == 0 || id > *highest;

    if (rises) *highest = id;
    for (uint32_t i = 0; i < k && !rises; i++)
        if (lc->requests[i].id == id) return true;
    return false;
}

static const char *request_broken(const struct lifecycle *lc, uint32_t k) {
    const struct lc_request *r = &lc->requests[k];
    bool waits_for_a_load = r->kind == LC_KIND_LOAD || r->kind == LC_KIND_GET_OR_LOAD;

    if (r->slot < 0 || r->slot >= LC_MAX_SLOTS || lc->slots[r->slot].model == LC_NO_MODEL)
        return "a request belongs to no model";
    if (k > 0 && (r - 1)->arrived > r->arrived) return "requests are not in order of arrival";
    if (r->lost > 1) return "a request waits for its third worker";
    if (r->aborted && r->state != LC_RUNNING) return "an ended request still waits";
    if (waits_for_a_load && r->state != LC_WAITING) return "a load is served like an inference";
    if (lc->shutting_down && r->state != LC_RUNNING) return "a request waits in a shutdown";
    return NULL;
}

static const char *busy_broken(const struct lc_slot *slot, const struct crowd *n) {
    if (n->running == 0) return "busy without a running request";
    if (n->places > slot->plan.parallel + n->extra) return "more requests run than have places";
    if (n->admitted > 0 && n->places < slot->plan.parallel) return "a place stays empty";
    if (n->admitted > 0 && n->stuck > 0) return "who does not read keeps a place";
    return NULL;
}

static const char *idle_broken(const struct lifecycle *lc, const struct lc_slot *slot,
                               const struct crowd *n) {
    if (n->waiting + n->admitted + n->running > 0) return "idle with a request";
    if (slot->idle_since > lc->now) return "the idle clock starts in the future";
    if (slot->ttl != MSEC_NEVER && lc->now - slot->idle_since >= slot->ttl)
        return "idle beyond its ttl";
    return NULL;
}

/* Which requests each state may have. */
static const char *work_broken(const struct lifecycle *lc, const struct lc_slot *slot,
                               const struct crowd *n) {
    bool works = slot->state == LC_BUSY || slot->state == LC_DRAINING;

    if (!works && n->admitted + n->running > 0) return "work without a loaded worker";
    switch (slot->state) {
    case LC_ABSENT:
        return slot->bytes + slot->device + slot->grow_to > 0 ? "memory without a worker"
                                                              : NULL;
    case LC_LOADING:
        return n->waiting == 0 && slot->unwanted_since == MSEC_NEVER
                   ? "nobody waits for a load, and its grace does not run"
                   : NULL;
    case LC_IDLE:
        return idle_broken(lc, slot, n);
    case LC_BUSY:
        return n->waiting > 0 ? "a request waits beside a loaded worker" : busy_broken(slot, n);
    case LC_DRAINING:
        return busy_broken(slot, n);
    case LC_UNLOADING:
        return NULL;
    }
    return "an unknown state";
}

/* Why it leaves, and for whom. A loading one may be marked, it serves its waiters first; a
 * leased one, until its lease ends. */
static const char *leaving_broken(const struct lc_slot *slot, msec now) {
    bool leaves = slot->state == LC_DRAINING || slot->state == LC_UNLOADING;
    bool evicted = slot->leaving == LC_BECAUSE_EVICTED;

    if (evicted != (slot->evicted_by != LC_NO_SLOT)) return "evicted by nobody";
    if (slot->state == LC_LOADING && evicted) return NULL;
    if (slot->state == LC_IDLE && evicted && slot->lease_until > now) return NULL;
    if (leaves != (slot->leaving != LC_BECAUSE_NONE)) return "leaving without a reason";
    if (leaves && slot->state == LC_DRAINING && slot->leaving == LC_BECAUSE_TTL)
        return "a ttl ended while there was work";
    return NULL;
}

/* An explicit instance whose worker died, and that nobody has taken back. */
static const char *intent_broken(const struct lifecycle *lc, const struct lc_slot *slot,
                                 bool empty) {
    if (!slot->intended) return NULL;
    if (slot->model == LC_NO_MODEL) return "an intent without a model";
    if (slot->origin != LC_ORIGIN_EXPLICIT) return "an intent that is not explicit";
    if (slot->state == LC_IDLE || slot->state == LC_BUSY) return "an intent beside its worker";
    if (lc->shutting_down) return "an intent outlives the shutdown";
    bool over = slot->ttl != MSEC_NEVER && lc->now - slot->idle_since >= slot->ttl;
    if (slot->state == LC_ABSENT && empty && over) return "an intent beyond its ttl";
    return slot->ttl < 0 ? "an intent without a ttl" : NULL;
}

static const char *slot_broken(const struct lifecycle *lc, const struct lc_slot *slot,
                               const struct crowd *n) {
    bool empty = n->waiting + n->admitted + n->running == 0;
    bool up = slot->state == LC_LOADING || slot->state == LC_IDLE || slot->state == LC_BUSY;

    if (slot->model == LC_NO_MODEL && (slot->state != LC_ABSENT || slot->failures > 0))
        return "a free slot is in use";
    if (slot->model != LC_NO_MODEL && slot->state == LC_ABSENT && empty &&
        slot->failures == 0 && !slot->intended)
        return "an empty slot is not free";
    if (up && lc->shutting_down) return "an instance outlives the shutdown";
    if (up && slot->ttl < 0) return "an instance without a ttl";
    if (lc->finished && slot->state != LC_ABSENT) return "a worker outlives the shutdown";
    if (slot->prepared != LC_UNPREPARED && (slot->state != LC_ABSENT || n->waiting == 0))
        return "a worker is kept for nobody";
    const char *broken = intent_broken(lc, slot, empty);
    if (broken == NULL) broken = work_broken(lc, slot, n);
    return broken != NULL ? broken : leaving_broken(slot, lc->now);
}

const char *rules_broken(const struct lifecycle *lc) {
    struct crowd crowds[LC_MAX_SLOTS] = { { 0 } };
    uint64_t highest = 0;

    if (lc->request_count > LC_MAX_REQUESTS) return "more requests than there is room for";
    if (lc->finished && !lc->shutting_down) return "finished without a shutdown";
    for (uint32_t k = 0; k < lc->request_count; k++) {
        const struct lc_request *r = &lc->requests[k];
        const char *broken = request_broken(lc, k);
        if (broken != NULL) return broken;
        if (is_there_twice(lc, k, &highest)) return "a request is there twice";
        struct crowd *n = &crowds[r->slot];
        n->waiting += r->state == LC_WAITING;
        n->admitted += r->state == LC_ADMITTED;
        n->running += r->state == LC_RUNNING;
        bool places = r->state == LC_RUNNING && r->kind == LC_KIND_INFER;
        n->places += places && r->place != LC_PLACE_GIVEN;
        n->extra += places && r->place == LC_PLACE_EXTRA;
        n->stuck += places && r->place != LC_PLACE_GIVEN && r->stuck_since != MSEC_NEVER &&
                    lc->now - r->stuck_since >= lc->settings.reader_patience;
    }
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const char *broken = slot_broken(lc, &lc->slots[i], &crowds[i]);
        if (broken != NULL) return broken;
    }
    return NULL;
}
