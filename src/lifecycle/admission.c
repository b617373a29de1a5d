/* SPDX-License-Identifier: MIT */
/*
 * Who gets the next place. The line is derived: slots that are ABSENT with waiters, in order of
 * arrival of their first. A jit load waits for those ahead of it and, by auto_evict, for
 * victims to be gone; an explicit load waits for memory only. Nothing here is remembered
 * between steps, so a waiter that goes away or a setting that changes needs no undoing.
 */
#include "lifecycle/core.h"

#include <assert.h>
#include <stddef.h>

bool slot_needs_place(const struct lifecycle *lc, int i) {
    return lc->slots[i].origin == LC_ORIGIN_JIT && waiter_load(lc, i) == NULL;
}

static int admission_order(const struct lifecycle *lc, int line[LC_MAX_SLOTS]) {
    bool seen[LC_MAX_SLOTS] = { false };
    int n = 0;

    for (uint32_t k = 0; k < lc->request_count; k++) {
        int i = lc->requests[k].slot;
        if (lc->slots[i].state != LC_ABSENT || seen[i]) continue;
        seen[i] = true;
        line[n++] = i;
    }
    return n;
}

/* May v be unloaded to make room for the load? (Auto-evict, rules 1 to 4) */
static bool may_evict(const struct lifecycle *lc, int load, int v) {
    const struct lc_slot *slot = &lc->slots[v];

    if (v == load || slot->origin != LC_ORIGIN_JIT || !slot_is_up(slot)) return false;
    switch (lc->settings.auto_evict) {
    case LC_EVICT_ON:
        return slot_needs_place(lc, load);
    case LC_EVICT_OFF:
        return false;
    case LC_EVICT_FIT:
        return slot_needs_place(lc, load) || slot->state == LC_IDLE;
    }
    assert(false && "lc_auto_evict");
    return false;
}

static nbytes bytes_add(nbytes a, nbytes b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static nbytes budget_less(const struct lifecycle *lc, nbytes used) {
    return lc->budget > used ? lc->budget - used : 0;
}

/* Bytes of all workers, or of those that are to stay. */
static nbytes bytes_resident(const struct lifecycle *lc) {
    nbytes sum = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++) sum = bytes_add(sum, lc->slots[i].bytes);
    return sum;
}

static nbytes bytes_staying(const struct lifecycle *lc) {
    nbytes sum = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (!slot_is_leaving(&lc->slots[i])) sum = bytes_add(sum, lc->slots[i].bytes);
    return sum;
}

/* What the load can have at most: once all that leave are gone and all that may be evicted too.
 */
static nbytes bytes_obtainable(const struct lifecycle *lc, int load) {
    nbytes kept = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (!slot_is_leaving(&lc->slots[i]) && !may_evict(lc, load, i))
            kept = bytes_add(kept, lc->slots[i].bytes);
    return budget_less(lc, kept);
}

static bool slot_forced(const struct lifecycle *lc, int slot) {
    for (uint32_t k = 0; k < lc->request_count; k++) {
        const struct lc_request *r = &lc->requests[k];
        if (r->slot == slot && r->state == LC_WAITING && r->force) return true;
    }
    return false;
}

/* idle a / reload a > idle b / reload b; the longer idle one, then the lower slot, breaks a
 * tie. */
static bool goes_before(const struct lifecycle *lc, int a, int b) {
    const struct lc_slot *x = &lc->slots[a], *y = &lc->slots[b];
    uint64_t idle_x = (uint64_t)(lc->now - x->idle_since);
    uint64_t idle_y = (uint64_t)(lc->now - y->idle_since);
    unsigned __int128 left = (unsigned __int128)idle_x * (uint64_t)y->plan.reload;
    unsigned __int128 right = (unsigned __int128)idle_y * (uint64_t)x->plan.reload;

    if (left != right) return left > right;
    return idle_x != idle_y ? idle_x > idle_y : a < b;
}

/* The idle jit instance that fit lets go first, or LC_NO_SLOT. */
static int fit_idle_victim(const struct lifecycle *lc) {
    int best = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &lc->slots[i];
        if (slot->state != LC_IDLE || slot->origin != LC_ORIGIN_JIT) continue;
        if (best == LC_NO_SLOT || goes_before(lc, i, best)) best = i;
    }
    return best;
}

/* A busy one, least recently used first. */
static int busy_victim(const struct lifecycle *lc, int load) {
    int best = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (lc->slots[i].state != LC_BUSY || !may_evict(lc, load, i)) continue;
        if (best == LC_NO_SLOT || lc->slots[i].last_used < lc->slots[best].last_used) best = i;
    }
    return best;
}

/* Fair hand-over (Auto-evict, rule 6): until then a busy victim still lets in. */
static msec gate_closes(const struct lifecycle *lc, int load) {
    return msec_after(waiter_first(lc, load)->arrived, lc->settings.switch_window);
}

/* on: the place is free when every other jit worker is gone. */
static bool clear_place(struct lc_step *st, int load) {
    struct lifecycle *lc = st->lc;
    bool closed = lc->now >= gate_closes(lc, load);
    bool clear = true;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &lc->slots[i];
        if (may_evict(lc, load, i) && (slot->state == LC_IDLE || closed))
            slot_evict(st, i, load);
        clear = clear && (slot->origin != LC_ORIGIN_JIT || slot->state == LC_ABSENT);
    }
    return clear;
}

/* fit: as many victims as are needed, counting the bytes that are already on their way. */
static void make_room(struct lc_step *st, int load, nbytes need) {
    struct lifecycle *lc = st->lc;

    while (need > budget_less(lc, bytes_staying(lc))) {
        int victim = fit_idle_victim(lc);
        if (victim == LC_NO_SLOT && lc->now >= gate_closes(lc, load))
            victim = busy_victim(lc, load);
        if (victim == LC_NO_SLOT) return;
        slot_evict(st, victim, load);
    }
}

/* True if the slot has left the line: its load was started, or its waiters were refused. */
static bool place_try(struct lc_step *st, int load) {
    struct lifecycle *lc = st->lc;
    nbytes need = slot_forced(lc, load) ? 0 : lc->slots[load].next.need;
    nbytes obtainable = bytes_obtainable(lc, load);

    if (need > obtainable) {
        requests_fail(st, load, LC_SET_ALL,
                      &(struct lc_refusal){
                          .fail = LC_FAIL_NO_MEMORY, .need = need, .free = obtainable });
        return true;
    }
    if (lc->settings.auto_evict == LC_EVICT_ON && slot_needs_place(lc, load) &&
        !clear_place(st, load))
        return false;
    if (lc->settings.auto_evict == LC_EVICT_FIT) make_room(st, load, need);
    if (need > budget_less(lc, bytes_resident(lc))) return false;
    slot_spawn(st, load);
    return true;
}

bool admission_serve(struct lc_step *st) {
    int line[LC_MAX_SLOTS];
    int n = admission_order(st->lc, line);
    uint32_t before = st->out->count;
    bool blocked = false;

    for (int k = 0; k < n; k++) {
        if (blocked && slot_needs_place(st->lc, line[k])) continue;
        blocked = !place_try(st, line[k]) || blocked;
    }
    return st->out->count > before;
}

bool admission_relieve(struct lc_step *st) {
    struct lifecycle *lc = st->lc;
    uint32_t before = st->out->count;

    if (lc->settings.auto_evict != LC_EVICT_FIT) return false;
    while (bytes_staying(lc) > lc->budget) {
        int victim = fit_idle_victim(lc);
        if (victim == LC_NO_SLOT) break;
        slot_leave(st, victim, LC_BECAUSE_MEMORY);
    }
    return st->out->count > before;
}

/* Only the first in line closes gates: the others are behind it or need no place. */
msec admission_next_gate(const struct lifecycle *lc) {
    int line[LC_MAX_SLOTS];
    int n = admission_order(lc, line);

    if (n == 0 || !slot_needs_place(lc, line[0])) return MSEC_NEVER;
    if (busy_victim(lc, line[0]) == LC_NO_SLOT) return MSEC_NEVER;
    if (lc->settings.auto_evict == LC_EVICT_FIT &&
        lc->slots[line[0]].next.need <= budget_less(lc, bytes_staying(lc)))
        return MSEC_NEVER;
    return gate_closes(lc, line[0]);
}
