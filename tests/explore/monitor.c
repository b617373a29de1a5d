/* SPDX-License-Identifier: MIT */
#include "monitor.h"

#include <stddef.h>
#include <string.h>

#include "monitor_step.h"

/* Looks first near the index `near`, where it is as a rule: one step moves few requests. */
static const struct lc_request *request_near(const struct lifecycle *lc, uint64_t id,
                                             uint32_t near) {
    const struct lc_request *r = lc->requests;

    if (near < lc->request_count && r[near].id == id) return &r[near];
    if (near > 0 && near <= lc->request_count && r[near - 1].id == id) return &r[near - 1];
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (r[i].id == id) return &r[i];
    return NULL;
}

const struct lc_request *request_in(const struct lifecycle *lc, uint64_t id) {
    return request_near(lc, id, 0);
}

const struct lc_request *waiter_in(const struct lifecycle *lc, int slot) {
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (lc->requests[i].slot == slot && lc->requests[i].state == LC_WAITING)
            return &lc->requests[i];
    return NULL;
}

bool load_waits_in(const struct lifecycle *lc, int slot) {
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (lc->requests[i].slot == slot && lc->requests[i].kind == LC_KIND_LOAD) return true;
    return false;
}

static uint32_t count_for(const struct step *s, enum lc_action_kind kind, uint64_t request) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->actions->count; i++)
        n += s->actions->list[i].kind == kind && s->actions->list[i].request == request;
    return n;
}

uint32_t count_on(const struct step *s, enum lc_action_kind kind, int slot) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->actions->count; i++)
        n += s->actions->list[i].kind == kind && s->actions->list[i].slot == slot;
    return n;
}

static bool is_new_request(const struct lc_event *ev) {
    return ev->kind == LC_EV_REQUEST || ev->kind == LC_EV_LOAD;
}

/* How often the step ended the request by an answer. */
static uint32_t answers(const struct step *s, uint64_t id) {
    return count_for(s, LC_DO_FAIL, id) + count_for(s, LC_DO_LOADED, id);
}

/* The event itself ends a request: held and cancelled, or reported done by its worker. */
static bool ended_by_event(const struct step *s, const struct lc_request *r) {
    if (s->ev->request != r->id) return false;
    if (s->ev->kind == LC_EV_CANCEL) return r->state != LC_RUNNING;
    return s->ev->kind == LC_EV_DONE && r->state == LC_RUNNING && s->ev->slot == r->slot &&
           s->ev->generation == s->before->slots[r->slot].generation;
}

static const char *valid(const struct step *s) {
    return rules_broken(s->after);
}

static const char *conserved(const struct step *s) {
    for (uint32_t i = 0; i < s->before->request_count; i++) {
        const struct lc_request *r = &s->before->requests[i];
        uint32_t ends = answers(s, r->id) + ended_by_event(s, r);
        if (ends > 1) return "a request was answered twice";
        if (ends == 0 && !request_near(s->after, r->id, i)) return "a request was lost";
        if (ends == 1 && request_near(s->after, r->id, i))
            return "an answered request is still there";
    }
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < s->after->request_count; i++)
        fresh += !request_near(s->before, s->after->requests[i].id, i);
    if (!is_new_request(s->ev)) return fresh == 0 ? NULL : "a request came from nowhere";
    if (fresh + answers(s, s->ev->request) != 1) return "a new request was not taken once";
    return NULL;
}

static const char *answers_are_owed(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_FAIL && a->kind != LC_DO_LOADED) continue;
        bool owed = request_in(s->before, a->request) != NULL ||
                    (is_new_request(s->ev) && s->ev->request == a->request);
        if (!owed) return "an answer for a request that is not there";
        if (a->kind == LC_DO_FAIL && a->fail == LC_FAIL_NONE)
            return "a failure without a cause";
    }
    return NULL;
}

static const char *starts_are_right(const struct step *s) {
    for (uint32_t i = 0; i < s->after->request_count; i++) {
        const struct lc_request *now = &s->after->requests[i];
        const struct lc_request *was = request_near(s->before, now->id, i);
        bool begins = now->state == LC_RUNNING && (was == NULL || was->state != LC_RUNNING);
        if (count_for(s, LC_DO_START, now->id) != (begins ? 1u : 0u))
            return "a request runs without START, or START without running";
        if (was != NULL && was->state == LC_RUNNING && now->state != LC_RUNNING)
            return "a running request was taken back";
    }
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_START) continue;
        const struct lc_request *r = request_in(s->after, a->request);
        if (r == NULL || r->slot != a->slot) return "START of a request that is not there";
        if (a->generation != s->after->slots[a->slot].generation)
            return "START on an old worker";
    }
    return NULL;
}

static bool waited_for_place(const struct step *s, int slot) {
    for (uint32_t i = 0; i < s->before->request_count; i++) {
        const struct lc_request *r = &s->before->requests[i];
        if (r->slot == slot && r->state != LC_RUNNING && r->kind == LC_KIND_INFER) return true;
    }
    return s->ev->kind == LC_EV_REQUEST;
}

/* A load asked for fewer of them (Auto-evict, rule 7). */
static bool loses_places(const struct step *s, int slot) {
    return s->after->slots[slot].plan.parallel < s->before->slots[slot].plan.parallel;
}

/* Order, rule 3. */
static const char *places_are_given_rightly(const struct step *s) {
    for (uint32_t i = 0; i < s->after->request_count; i++) {
        const struct lc_request *now = &s->after->requests[i];
        const struct lc_request *was = request_near(s->before, now->id, i);
        if (was == NULL || was->state != LC_RUNNING || was->place == now->place) continue;
        bool reads = s->ev->kind == LC_EV_READER && s->ev->request == now->id && !s->ev->stuck;
        if (now->place == LC_PLACE_OWN) return "a place came back";
        bool again = reads && was->place == LC_PLACE_GIVEN;
        if (now->place == LC_PLACE_EXTRA && !again && !loses_places(s, now->slot))
            return "a place more for one that does not need it";
        if (now->place != LC_PLACE_GIVEN) continue;
        if (was->stuck_since == MSEC_NEVER ||
            s->after->now - was->stuck_since < s->after->settings.reader_patience)
            return "a place was taken from one whose client reads";
        if (!waited_for_place(s, now->slot)) return "a place was given to nobody";
    }
    return NULL;
}

/* Reports of one slot lead from the state before to the state after, by transitions that the
 * rules have. */
static const char *reports_chain(const struct step *s) {
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        enum lc_state at = s->before->slots[slot].state;
        for (uint32_t i = 0; i < s->actions->count; i++) {
            const struct lc_action *a = &s->actions->list[i];
            if (a->kind != LC_DO_REPORT || a->slot != slot) continue;
            if (a->from != at) return "a report does not follow the one before";
            if (rules_find(a->from, a->to, a->reason) < 0)
                return "an illegal transition was taken";
            if ((a->reason == LC_BECAUSE_EVICTED) != (a->by != LC_NO_SLOT))
                return "evicted by nobody, or by somebody without eviction";
            at = a->to;
        }
        if (at != s->after->slots[slot].state) return "a state changed without a report";
    }
    return NULL;
}

static uint32_t entered(const struct step *s, int slot, enum lc_state to) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        n += a->kind == LC_DO_REPORT && a->slot == slot && a->to == to;
    }
    return n;
}

static const char *workers_are_told(const struct step *s) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *was = &s->before->slots[i], *now = &s->after->slots[i];
        uint32_t spawned = count_on(s, LC_DO_SPAWN, i), stopped = count_on(s, LC_DO_STOP, i);
        uint32_t killed = count_on(s, LC_DO_KILL, i), left = entered(s, i, LC_UNLOADING);
        if (spawned != entered(s, i, LC_LOADING)) return "SPAWN and LOADING do not agree";
        if (now->generation != was->generation + spawned)
            return "generation and SPAWN disagree";
        if (stopped > left || stopped + killed < left) return "a worker leaves untold";
        if (killed > 1 || spawned > 1) return "told twice";
        if (killed == 1 && was->state == LC_ABSENT) return "KILL without a worker";
        if (now->model == LC_NO_MODEL && now->state != LC_ABSENT)
            return "a free slot is in use";
    }
    return NULL;
}

/* PREPARE, RELEASE and SPAWN agree with what the slot says. */
static const char *workers_are_kept(const struct step *s) {
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        enum lc_prepared was = s->before->slots[slot].prepared;
        bool failed = s->ev->kind == LC_EV_PREPARE_FAILED && s->ev->slot == slot;
        bool kept = was == LC_PREPARED || (was == LC_PREPARING && !failed);
        for (uint32_t i = 0; i < s->actions->count; i++) {
            const struct lc_action *a = &s->actions->list[i];
            if (a->slot != slot) continue;
            if (a->kind == LC_DO_PREPARE && kept) return "a worker was prepared twice";
            if (a->kind == LC_DO_RELEASE && !kept) return "a worker was released twice";
            if (a->kind == LC_DO_PREPARE) kept = true;
            if (a->kind == LC_DO_RELEASE || a->kind == LC_DO_SPAWN) kept = false;
        }
        if (kept != (s->after->slots[slot].prepared != LC_UNPREPARED))
            return "PREPARE and RELEASE do not agree with the slot";
    }
    return NULL;
}

static const char *slots_are_assigned(const struct step *s) {
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        bool mine = s->before->slots[slot].model != LC_NO_MODEL;
        for (uint32_t i = 0; i < s->actions->count; i++) {
            const struct lc_action *a = &s->actions->list[i];
            if (a->slot != slot) continue;
            if (a->kind == LC_DO_ASSIGN && mine) return "ASSIGN of a slot that is taken";
            if (a->kind == LC_DO_ASSIGN)
                mine = true;
            else if (!mine)
                return "an action for a slot that is free";
            if (a->kind == LC_DO_FREE) mine = false;
        }
        if (mine != (s->after->slots[slot].model != LC_NO_MODEL))
            return "ASSIGN and FREE do not agree with the slot";
    }
    return NULL;
}

/* The worker that exited had not served yet: it counts as a failed load. */
static bool load_crashed(const struct step *s) {
    const struct lc_slot *slot = &s->before->slots[s->ev->slot];
    return slot->state == LC_LOADING || !slot->served;
}

/* Each cause of a failure belongs to one kind of event, or to time. */
static bool cause_fits(const struct step *s, const struct lc_action *a) {
    enum lc_event_kind kind = s->ev->kind;
    bool mine = is_new_request(s->ev) && s->ev->request == a->request;

    switch (a->fail) {
    case LC_FAIL_NONE:
        return false;
    case LC_FAIL_JIT_OFF:
        return mine && !s->before->settings.jit && s->ev->kind == LC_EV_REQUEST;
    case LC_FAIL_QUEUE_FULL:
    case LC_FAIL_TOO_MANY:
        return mine;
    case LC_FAIL_BACK_OFF:
        return mine && kind == LC_EV_REQUEST && a->at > s->ev->now;
    case LC_FAIL_LOAD_FAILED:
        return (kind == LC_EV_LOAD_FAILED || kind == LC_EV_PREPARE_FAILED ||
                (kind == LC_EV_EXITED && load_crashed(s))) &&
               a->slot == s->ev->slot;
    case LC_FAIL_LOAD_STALLED:
        return s->ev->now - s->before->slots[a->slot].heard >= s->before->settings.load_stall;
    case LC_FAIL_NO_MEMORY:
        return a->need > a->free;
    case LC_FAIL_UNLOADED:
        return kind == LC_EV_UNLOAD && a->slot == s->ev->slot;
    case LC_FAIL_DIED:
        return kind == LC_EV_EXITED && a->slot == s->ev->slot &&
               s->before->slots[a->slot].state != LC_LOADING;
    case LC_FAIL_SHUTDOWN:
        return s->after->shutting_down;
    }
    return false;
}

/* No answer is cut by ttl or eviction: a request fails for its own reasons only. */
static const char *failures_have_causes(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind == LC_DO_FAIL && !cause_fits(s, a)) return "a request failed without cause";
    }
    return NULL;
}

static bool had_work(const struct lifecycle *lc, int slot) {
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (lc->requests[i].slot == slot && lc->requests[i].state != LC_WAITING) return true;
    return false;
}

/* The slot's gate closed in this step. */
static bool drains_for_another(const struct step *s, int slot) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind == LC_DO_REPORT && a->slot == slot && a->to == LC_DRAINING &&
            (a->reason == LC_BECAUSE_EVICTED || a->reason == LC_BECAUSE_USER))
            return true;
    }
    return false;
}

/* What was admitted stays so until it runs or ends, unless its worker is gone or its gate
 * closes; then it goes behind the waiter. */
static const char *promises_are_kept(const struct step *s) {
    for (uint32_t i = 0; i < s->after->request_count; i++) {
        const struct lc_request *now = &s->after->requests[i];
        const struct lc_request *was = request_near(s->before, now->id, i);
        if (was == NULL || was->state != LC_ADMITTED || now->state != LC_WAITING) continue;
        if (was->owed && drains_for_another(s, now->slot)) {
            const struct lc_slot *slot = &s->after->slots[now->slot];
            const struct lc_request *waiter = slot->evicted_by != LC_NO_SLOT
                                                  ? waiter_in(s->after, slot->evicted_by)
                                                  : NULL;
            if (slot->leaving == LC_BECAUSE_EVICTED && waiter != NULL &&
                waiter->arrived <= slot->ready_at)
                return "an older waiter took the turn of a load";
        }
        if (drains_for_another(s, now->slot)) {
            if (now->arrived != s->ev->now) return "what was queued keeps its place in line";
            continue;
        }
        if (s->ev->kind != LC_EV_EXITED || s->ev->slot != now->slot)
            return "a request that was let in waits again";
    }
    return NULL;
}

static const char *ttl_is_kept(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_REPORT || a->reason != LC_BECAUSE_TTL) continue;
        const struct lc_slot *slot = &s->after->slots[a->slot];
        if (slot->ttl == MSEC_NEVER) return "unloaded by a ttl it does not have";
        if (s->ev->now - slot->idle_since < slot->ttl) return "unloaded before its ttl";
        if (a->at != slot->idle_since + slot->ttl) return "the report says another time";
    }
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *was = &s->before->slots[i], *now = &s->after->slots[i];
        bool entered_idle = entered(s, i, LC_IDLE) > 0;
        if (entered_idle && now->model != LC_NO_MODEL && now->idle_since != s->ev->now)
            return "the idle clock did not start with the idleness";
        if (!entered_idle && was->state == LC_IDLE && now->state == LC_IDLE &&
            was->idle_since != now->idle_since)
            return "the idle clock was moved";
    }
    return NULL;
}

/* A jit instance's ttl is set by its load, by requests that may, and by UPDATE; an explicit
 * one's by UPDATE and LOAD. */
static const char *ttl_changes_are_owed(const struct step *s) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *was = &s->before->slots[i], *now = &s->after->slots[i];
        if (was->state == LC_ABSENT || now->state == LC_ABSENT) continue;
        if (was->generation != now->generation || was->ttl == now->ttl) continue;
        if (s->ev->kind == LC_EV_UPDATE || s->ev->kind == LC_EV_LOAD) continue;
        if (was->state == LC_DRAINING && entered(s, i, LC_BUSY) > 0) continue; /* recalled */
        bool may = s->ev->kind == LC_EV_REQUEST && s->ev->request_kind != LC_KIND_GET_OR_LOAD &&
                   s->before->settings.ttl_update == LC_TTL_SET &&
                   was->origin == LC_ORIGIN_JIT &&
                   (s->ev->ttl == now->ttl || s->before->settings.max_ttl == now->ttl);
        may = may || (s->after->settings.ttl_update == LC_TTL_LONGEST &&
                      now->origin == LC_ORIGIN_JIT && entered(s, i, LC_IDLE) > 0);
        if (!may) return "a ttl changed that must not";
    }
    return NULL;
}

static const char *back_off_is_kept(const struct step *s) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *was = &s->before->slots[i];
        if (count_on(s, LC_DO_SPAWN, i) == 0 || was->retry_at <= s->ev->now) continue;
        if (was->model != s->after->slots[i].model) continue;
        bool other_file = s->ev->kind == LC_EV_REQUEST && s->ev->model == was->model &&
                          s->ev->plan.file != was->failed_file;
        if (other_file) continue;
        const struct lc_request *first = waiter_in(s->after, i);
        /* Who waited already gets a new worker; a request that comes now does not. */
        bool came_now = first == NULL || request_in(s->before, first->id) == NULL;
        if (came_now && !load_waits_in(s->after, i)) return "a load within its back-off";
    }
    return NULL;
}

/* Did a jit load whose gate is closed wait for a place? */
static bool gate_is_closed(const struct step *s, const struct lifecycle *lc, int but) {
    for (uint32_t k = 0; k < lc->request_count; k++) {
        const struct lc_request *r = &lc->requests[k];
        if (r->slot == but || lc->slots[r->slot].state != LC_ABSENT) continue;
        if (s->ev->now - r->arrived >= lc->settings.switch_window) return true;
    }
    return false;
}

/* A load is cancelled by hand, or only before half of it is done, while nobody waits for it and
 * after its grace, or because another model waits for its place. */
static const char *loads_survive(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_REPORT || a->reason != LC_BECAUSE_LOAD_CANCELLED) continue;
        if (s->ev->kind == LC_EV_UNLOAD && s->ev->slot == a->slot) continue;
        const struct lc_slot *slot = &s->after->slots[a->slot];
        msec alone = s->ev->now - slot->unwanted_since;
        msec taken = slot->unwanted_since - slot->loading_since;
        if (slot->permille >= 500) return "a load was cancelled too late";
        if (slot->unwanted_since == MSEC_NEVER) return "a load was cancelled with waiters";
        bool grace_is_over = alone >= s->after->settings.load_grace && alone >= taken;
        /* The gate closes by the clock, before the event cancels who waited at it. */
        if (!grace_is_over && !gate_is_closed(s, s->before, a->slot) &&
            !gate_is_closed(s, s->after, a->slot))
            return "a load was cancelled within its grace";
    }
    return NULL;
}

static const char *work_is_not_unloaded(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_REPORT || a->to != LC_UNLOADING) continue;
        if (had_work(s->after, a->slot)) return "unloaded with work";
    }
    return NULL;
}

static const char *aborts_are_single(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_ABORT) continue;
        const struct lc_request *was = request_in(s->before, a->request);
        if (was == NULL || was->aborted || s->ev->kind != LC_EV_CANCEL)
            return "an ABORT that nobody asked for";
    }
    return NULL;
}

static const char *deadline_is_ahead(const struct step *s) {
    return lifecycle_deadline(s->after) > s->ev->now ? NULL
                                                     : "the deadline is not in the future";
}

static const char *finish_is_right(const struct step *s) {
    bool now = s->after->finished && !s->before->finished;

    if (count_on(s, LC_DO_FINISHED, LC_NO_SLOT) != (now ? 1u : 0u)) return "FINISHED is wrong";
    if (!s->after->shutting_down || s->after->finished) return NULL;
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (s->after->slots[i].state != LC_ABSENT) return NULL;
    return "a shutdown without end";
}

static bool is_intended(const struct lc_slot *was, const struct lc_slot *now) {
    return now->intended && now->model == was->model && now->origin == LC_ORIGIN_EXPLICIT &&
           now->ttl == was->ttl && now->next.settings == was->next.settings;
}

/* The step may end an intent: by hand, by time, by a load that says otherwise. */
static bool may_end_intent(const struct step *s, int slot) {
    const struct lc_slot *was = &s->before->slots[slot];
    bool mine = s->ev->slot == slot;

    if (s->after->shutting_down) return true;
    if (s->ev->kind == LC_EV_LOAD && s->ev->model == was->model) return true;
    if (mine && (s->ev->kind == LC_EV_UNLOAD || s->ev->kind == LC_EV_UPDATE)) return true;
    if (mine && s->ev->kind == LC_EV_READY) return true;
    if (was->leaving == LC_BECAUSE_USER || load_waits_in(s->before, slot)) return true;
    return was->ttl != MSEC_NEVER && s->ev->now >= was->idle_since + was->ttl;
}

/* Failure: origin, ttl, identifier (the slot) and settings of an explicit instance survive the
 * death of its worker. */
static const char *intent_is_kept(const struct step *s) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *was = &s->before->slots[i], *now = &s->after->slots[i];
        bool loaded = was->state == LC_IDLE || was->state == LC_BUSY;
        bool died = loaded && s->ev->kind == LC_EV_EXITED && s->ev->slot == i &&
                    s->ev->generation == was->generation;
        bool wanted = died && was->origin == LC_ORIGIN_EXPLICIT;
        bool due = wanted && was->ttl > 0;
        if ((due || was->intended) && !may_end_intent(s, i) && !is_intended(was, now))
            return "an explicit instance was forgotten";
        if (now->intended && !was->intended && !wanted) return "an intent from nowhere";
        if (was->intended && now->state == LC_ABSENT && count_on(s, LC_DO_FREE, i) > 0 &&
            !may_end_intent(s, i))
            return "an intent was freed";
    }
    return NULL;
}

static bool is_loaded(const struct lc_slot *slot) {
    return slot->state == LC_IDLE || slot->state == LC_BUSY;
}

/* Auto-evict, rule 7: a load gets what it asked for, and nothing else changes what a worker
 * does. */
static const char *loads_get_their_settings(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_LOADED) continue;
        const struct lc_request *r = request_in(s->before, a->request);
        if (r != NULL ? r->kind != LC_KIND_LOAD : s->ev->kind != LC_EV_LOAD) continue;
        uint64_t asked = r != NULL ? s->before->slots[a->slot].next.settings
                                   : s->ev->plan.settings;
        if (s->after->slots[a->slot].plan.settings != asked) return "a load has other settings";
    }
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *was = &s->before->slots[i], *now = &s->after->slots[i];
        if (!is_loaded(was) || !is_loaded(now) || was->generation != now->generation) continue;
        if (now->places != was->places || now->plan.lasting != was->plan.lasting)
            return "a worker became another";
        bool changed = now->plan.parallel != was->plan.parallel;
        if (changed && s->ev->kind != LC_EV_LOAD) return "the places changed by themselves";
        if (now->plan.parallel > now->places) return "more places than the worker has";
    }
    return NULL;
}

static property *const properties[] = {
    reports_chain,
    valid,
    conserved,
    answers_are_owed,
    starts_are_right,
    places_are_given_rightly,
    loads_get_their_settings,
    workers_are_told,
    workers_are_kept,
    slots_are_assigned,
    failures_have_causes,
    promises_are_kept,
    ttl_is_kept,
    ttl_changes_are_owed,
    eviction_is_fair,
    workers_come_before_evictions,
    gates_are_closed,
    jit_places_are_kept,
    leases_are_kept,
    idle_victims_have_grace,
    pressure_takes_one,
    growth_is_kept,
    line_is_in_order,
    memory_is_kept,
    device_is_given,
    back_off_is_kept,
    loads_survive,
    intent_is_kept,
    work_is_not_unloaded,
    aborts_are_single,
    deadline_is_ahead,
    finish_is_right,
};

const char *monitor_step(const struct lifecycle *before, const struct lc_event *ev,
                         const struct lifecycle *after, const struct lc_actions *actions,
                         uint64_t taken[RULES_TRANSITIONS]) {
    struct step s = { before, after, ev, actions };

    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        const char *broken = properties[i](&s);
        if (broken != NULL) return broken;
    }
    if (taken == NULL) return NULL;
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct lc_action *a = &actions->list[i];
        if (a->kind == LC_DO_REPORT) taken[rules_find(a->from, a->to, a->reason)]++;
    }
    return NULL;
}

/* States are zeroed and changed field by field, so bytes beyond the last request may differ. */
bool monitor_same(const struct lifecycle *a, const struct lifecycle *b) {
    if (a->request_count != b->request_count || a->shutdown_by != b->shutdown_by) return false;
    if (a->shutting_down != b->shutting_down || a->finished != b->finished) return false;
    if (a->budget != b->budget || a->device_budget != b->device_budget) return false;
    if (memcmp(a->slots, b->slots, sizeof a->slots) != 0) return false;
    return memcmp(a->requests, b->requests, a->request_count * sizeof *a->requests) == 0;
}
