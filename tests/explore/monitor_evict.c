/* SPDX-License-Identifier: MIT */
/* monitor_evict.c - who leaves for whom, when, and in which order the places go. */
#include <stddef.h>

#include "monitor_step.h"

/* Waited for a place until the gate closed? */
static bool waited_enough(const struct step *s, int by) {
    const struct lc_request *was = waiter_in(s->before, by), *now = waiter_in(s->after, by);
    msec a = s->before->settings.switch_window, b = s->after->settings.switch_window;
    const struct lc_request *first = was != NULL ? was : now;

    /* The death of a worker makes waiters of older ones, which it had let in. */
    if (now != NULL && now->arrived < first->arrived) first = now;
    return first != NULL && s->ev->now - first->arrived >= (a < b ? a : b);
}

bool unpinned(const struct step *s, int slot) {
    return s->ev->kind == LC_EV_UPDATE || s->before->slots[slot].leaving == LC_BECAUSE_EVICTED;
}

const char *eviction_is_fair(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_REPORT) continue;
        bool evicts = a->reason == LC_BECAUSE_EVICTED || a->reason == LC_BECAUSE_MEMORY;
        if (!evicts || a->from == LC_DRAINING) continue;
        if (s->after->slots[a->slot].origin != LC_ORIGIN_JIT)
            return "an explicit one was evicted";
        if (s->before->settings.auto_evict == LC_EVICT_OFF &&
            s->after->settings.auto_evict == LC_EVICT_OFF && !unpinned(s, a->slot))
            return "evicted with auto_evict off";
        if (a->by == a->slot) return "evicted by itself";
        if (a->to != LC_DRAINING || unpinned(s, a->slot)) continue;
        /* A worker that became ready after the window may find its gate closed at once; then
         * the waiter was there before. */
        if (!waited_enough(s, a->by)) return "a gate closed before its time";
    }
    return NULL;
}

bool is_for_growth(const struct step *s, const struct lc_action *a) {
    return a->by != LC_NO_SLOT && s->before->slots[a->by].state != LC_ABSENT;
}

/* JIT loading, rule 7: the worker that takes the place is there before the eviction. */
const char *workers_come_before_evictions(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_REPORT || a->reason != LC_BECAUSE_EVICTED) continue;
        if (a->from == LC_DRAINING || unpinned(s, a->slot) || is_for_growth(s, a)) continue;
        bool now = s->ev->kind == LC_EV_PREPARED && s->ev->slot == a->by;
        if (!now && s->before->slots[a->by].prepared != LC_PREPARED)
            return "evicted before the new worker was there";
    }
    return NULL;
}

/* After the window nobody new is let in before the waiter (with one place and memory to spare).
 */
const char *gates_are_closed(const struct step *s) {
    const struct lifecycle *b = s->before;

    if (b->settings.auto_evict != LC_EVICT_ON || b->budget != UINT64_MAX) return NULL;
    if (b->settings.jit_limit > 1) return NULL; /* another may be the victim */
    if (s->ev->kind != LC_EV_REQUEST || s->ev->request_kind == LC_KIND_GET_OR_LOAD) return NULL;
    const struct lc_request *r = request_in(s->after, s->ev->request);
    if (r == NULL || r->state == LC_WAITING) return NULL;
    if (s->after->slots[r->slot].origin != LC_ORIGIN_JIT) return NULL;
    if (b->slots[r->slot].lease_until > s->ev->now) return NULL;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (b->slots[i].origin != LC_ORIGIN_JIT || load_waits_in(b, i)) continue;
        if (b->slots[i].state != LC_ABSENT) continue;
        if (waited_enough(s, i)) return "let in through a closed gate";
    }
    return NULL;
}

/* on: no more jit instances than jit_limit; per_type: of each type. */
const char *jit_places_are_kept(const struct step *s) {
    const struct lc_settings *set = &s->after->settings;
    bool per_type = set->auto_evict == LC_EVICT_PER_TYPE;

    if (set->auto_evict != LC_EVICT_ON && !per_type) return NULL;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &s->after->slots[i];
        uint32_t others = 0;
        if (count_on(s, LC_DO_SPAWN, i) == 0 || slot->origin != LC_ORIGIN_JIT) continue;
        for (int k = 0; k < LC_MAX_SLOTS; k++) {
            const struct lc_slot *other = &s->after->slots[k];
            if (k == i || other->origin != LC_ORIGIN_JIT || other->state == LC_ABSENT) continue;
            others += !per_type || other->plan.type == slot->plan.type;
        }
        if (others >= set->jit_limit) return "a jit load beside too many jit instances";
    }
    return NULL;
}

/* An older waiter of another jit model is not overtaken by a jit load. */
const char *line_is_in_order(const struct step *s) {
    bool fit = s->before->settings.auto_evict == LC_EVICT_FIT ||
               s->after->settings.auto_evict == LC_EVICT_FIT;

    if (fit) return NULL; /* there a small load may pass */
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (count_on(s, LC_DO_SPAWN, i) == 0) continue;
        if (s->after->slots[i].origin != LC_ORIGIN_JIT) continue;
        const struct lc_request *mine = waiter_in(s->after, i);
        if (mine == NULL) return "a load nobody waits for";
        for (int k = 0; k < LC_MAX_SLOTS; k++) {
            const struct lc_request *other = waiter_in(s->after, k);
            if (k == i || other == NULL || s->after->slots[k].state != LC_ABSENT) continue;
            if (other < mine) return "a load overtook an older waiter";
        }
    }
    return NULL;
}

const char *leases_are_kept(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        bool evicted = a->reason == LC_BECAUSE_EVICTED || a->reason == LC_BECAUSE_MEMORY;
        if (a->kind != LC_DO_REPORT || !evicted) continue;
        if (a->from == LC_IDLE && s->before->slots[a->slot].lease_until > s->ev->now)
            return "a lease was broken";
    }
    return NULL;
}

/* A victim that has just become idle stays as long as its load took, within the window, but for
 * an explicit instance, which comes to stay. */
const char *idle_victims_have_grace(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_REPORT || a->reason != LC_BECAUSE_EVICTED) continue;
        if (a->from != LC_IDLE || unpinned(s, a->slot) || is_for_growth(s, a)) continue;
        const struct lc_slot *slot = &s->after->slots[a->slot];
        msec idle = s->ev->now - slot->idle_since;
        bool load = load_waits_in(s->after, a->by) || load_waits_in(s->before, a->by);
        bool explicit = s->after->slots[a->by].origin == LC_ORIGIN_EXPLICIT;
        bool pressing = load || explicit || waited_enough(s, a->by);
        if (idle < slot->ready_at - slot->loading_since && !pressing)
            return "an idle victim left within its grace";
    }
    return NULL;
}
