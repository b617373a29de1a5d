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
    if (lc->settings.auto_evict == LC_EVICT_OFF) return false;
    return slot_needs_place(lc, load) || slot->state == LC_IDLE;
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

static bool is_idle_jit(const struct lifecycle *lc, const struct lc_slot *slot) {
    (void)lc;
    return slot->state == LC_IDLE && slot->origin == LC_ORIGIN_JIT;
}

/* Nor is its first request awaited (JIT loading, rule 8). */
static bool is_unleased(const struct lifecycle *lc, const struct lc_slot *slot) {
    return is_idle_jit(lc, slot) && lc->now >= slot->lease_until;
}

/* When an idle instance has been so for as long as its own load took. */
static msec idle_grace_ends(const struct lc_slot *slot) {
    return msec_after(slot->idle_since, slot->ready_at - slot->loading_since);
}

/* Not one that a client is about to use: its next load would need memory again. */
static bool yields(const struct lifecycle *lc, const struct lc_slot *slot) {
    return is_unleased(lc, slot) && lc->now >= idle_grace_ends(slot);
}

/* The least valuable of the instances that may be victims; LC_NO_SLOT: there is none. */
static int idle_victim(const struct lifecycle *lc,
                       bool (*may)(const struct lifecycle *, const struct lc_slot *)) {
    int best = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (!may(lc, &lc->slots[i])) continue;
        if (best == LC_NO_SLOT || goes_before(lc, i, best)) best = i;
    }
    return best;
}

/* Is x a better victim for memory than y? Idle ones first, the best by goes_before; of the
 * others the least recently used. */
static bool memory_victim_before(const struct lifecycle *lc, int a, int b) {
    const struct lc_slot *x = &lc->slots[a], *y = &lc->slots[b];

    if ((x->state == LC_IDLE) != (y->state == LC_IDLE)) return x->state == LC_IDLE;
    if (x->state == LC_IDLE) return goes_before(lc, a, b);
    return x->last_used < y->last_used;
}

/* ... for a place: idle ones first, the least recently used of each. */
static bool place_victim_before(const struct lifecycle *lc, int a, int b) {
    const struct lc_slot *x = &lc->slots[a], *y = &lc->slots[b];

    if ((x->state == LC_IDLE) != (y->state == LC_IDLE)) return x->state == LC_IDLE;
    return x->last_used < y->last_used;
}

typedef bool victim_order(const struct lifecycle *lc, int a, int b);

/* The next that may be evicted for the load and is not in the set; LC_NO_SLOT. */
static int next_victim(const struct lifecycle *lc, int load, const bool set[LC_MAX_SLOTS],
                       bool (*of_group)(const struct lifecycle *, int, int),
                       victim_order *before) {
    int best = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (set[i] || !may_evict(lc, load, i) || !of_group(lc, load, i)) continue;
        if (best == LC_NO_SLOT || before(lc, i, best)) best = i;
    }
    return best;
}

static bool any_group(const struct lifecycle *lc, int load, int i) {
    (void)lc, (void)load, (void)i;
    return true;
}

/* Do the two compete for the same places? */
static bool same_group(const struct lifecycle *lc, int load, int i) {
    return lc->settings.auto_evict != LC_EVICT_PER_TYPE ||
           lc->slots[load].next.type == lc->slots[i].plan.type;
}

static bool places_are_limited(const struct lifecycle *lc, int load) {
    bool limited = lc->settings.auto_evict == LC_EVICT_ON ||
                   lc->settings.auto_evict == LC_EVICT_PER_TYPE;
    return limited && slot_needs_place(lc, load);
}

static bool holds_device(const struct lifecycle *lc, int load, int i) {
    (void)load;
    return lc->slots[i].device > 0;
}

/* Jit workers that hold a place the load competes for; those that leave count only with `all`.
 */
static uint32_t places_taken(const struct lifecycle *lc, int load, bool all) {
    uint32_t n = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &lc->slots[i];
        if (i == load || slot->origin != LC_ORIGIN_JIT || !same_group(lc, load, i)) continue;
        n += all ? slot->state != LC_ABSENT : slot_is_up(slot);
    }
    return n;
}

/* Device memory beside the slots that are counted. */
static nbytes device_beside(const struct lifecycle *lc, const bool counted[LC_MAX_SLOTS]) {
    nbytes sum = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (counted[i]) sum = bytes_add(sum, lc->slots[i].device);
    return lc->device_budget > sum ? lc->device_budget - sum : 0;
}

/* ... beside all workers. */
static nbytes device_left(const struct lifecycle *lc) {
    bool counted[LC_MAX_SLOTS];

    for (int i = 0; i < LC_MAX_SLOTS; i++) counted[i] = true;
    return device_beside(lc, counted);
}

/* ... once all that leave are gone and these, too. */
static nbytes device_without(const struct lifecycle *lc, const bool leaves[LC_MAX_SLOTS]) {
    bool counted[LC_MAX_SLOTS];

    for (int i = 0; i < LC_MAX_SLOTS; i++)
        counted[i] = !leaves[i] && !slot_is_leaving(&lc->slots[i]);
    return device_beside(lc, counted);
}

/* What the load would get of it if all left that may be evicted. No load is refused for lack
 * of device memory, because the CPU does the rest. */
static nbytes load_wish(const struct lifecycle *lc, int load) {
    bool leaves[LC_MAX_SLOTS];
    nbytes wish = slot_forced(lc, load) ? 0 : lc->slots[load].next.wish;

    for (int i = 0; i < LC_MAX_SLOTS; i++) leaves[i] = may_evict(lc, load, i);
    nbytes most = device_without(lc, leaves);
    return wish < most ? wish : most;
}

/* Choose who has to leave before the load can start: as many as exceed the places, then as
 * many as hold memory that it needs or device memory that it wants. Returns how many. */
static uint32_t victims_plan(const struct lifecycle *lc, int load, nbytes need,
                             bool ret_leaves[LC_MAX_SLOTS]) {
    nbytes staying = bytes_staying(lc);
    uint32_t taken = places_are_limited(lc, load) ? places_taken(lc, load, false) : 0;
    uint32_t n = 0;
    int v;

    for (int i = 0; i < LC_MAX_SLOTS; i++) ret_leaves[i] = false;
    for (; taken >= lc->settings.jit_limit; taken--, n++) {
        v = next_victim(lc, load, ret_leaves, same_group, place_victim_before);
        if (v == LC_NO_SLOT) break;
        ret_leaves[v] = true;
        staying -= lc->slots[v].bytes;
    }
    for (; need > budget_less(lc, staying); n++) {
        v = next_victim(lc, load, ret_leaves, any_group, memory_victim_before);
        if (v == LC_NO_SLOT) break;
        ret_leaves[v] = true;
        staying -= lc->slots[v].bytes;
    }
    for (nbytes wish = load_wish(lc, load); wish > device_without(lc, ret_leaves); n++) {
        v = next_victim(lc, load, ret_leaves, holds_device, memory_victim_before);
        if (v == LC_NO_SLOT) break;
        ret_leaves[v] = true;
    }
    return n;
}

/* Fair hand-over (Auto-evict, rule 6): until then a busy victim still admits. */
static msec gate_closes(const struct lifecycle *lc, int load) {
    return msec_after(waiter_first(lc, load)->arrived, lc->settings.switch_window);
}

/* When the victim leaves for the load. An idle one stays for as long as its own load took, so
 * that two clients in closed loops cost fewer loads than answers, but not beyond the window;
 * explicit loads, which drain nobody, do not wait for that. A lease takes precedence (JIT
 * loading, rule 8). */
static msec victim_goes_at(const struct lifecycle *lc, int load, int v) {
    const struct lc_slot *slot = &lc->slots[v];
    msec at = slot_needs_place(lc, load) ? gate_closes(lc, load) : 0;

    if (slot->state == LC_IDLE && idle_grace_ends(slot) < at) at = idle_grace_ends(slot);
    return at > slot->lease_until ? at : slot->lease_until;
}

/* A load that nobody waits for and that is far from done has nothing to lose. */
static void victim_evict(struct lc_step *st, int load, int v) {
    if (load_gives_up_at(st->lc, &st->lc->slots[v]) != MSEC_NEVER)
        slot_leave(st, v, LC_BECAUSE_LOAD_CANCELLED);
    else
        slot_evict(st, v, load);
}

/* The load's worker is started before anybody has to leave for it (JIT loading, rule 7): if
 * that fails, nobody does. */
static bool worker_is_there(struct lc_step *st, int load) {
    struct lc_slot *slot = &st->lc->slots[load];

    if (slot->prepared == LC_UNPREPARED) {
        slot->prepared = LC_PREPARING;
        (void)action_add(st, LC_DO_PREPARE, load);
    }
    return slot->prepared == LC_PREPARED;
}

static nbytes load_need(const struct lifecycle *lc, int load) {
    return slot_forced(lc, load) ? 0 : lc->slots[load].next.need;
}

/* True if the slot has left the line: its load was started, or its waiters were refused. */
static bool place_try(struct lc_step *st, int load) {
    struct lifecycle *lc = st->lc;
    nbytes need = load_need(lc, load), obtainable = bytes_obtainable(lc, load);
    bool leaves[LC_MAX_SLOTS];

    if (need > obtainable) {
        requests_fail(st, load, LC_SET_ALL,
                      &(struct lc_refusal){
                          .fail = LC_FAIL_NO_MEMORY, .need = need, .free = obtainable });
        return true;
    }
    if (victims_plan(lc, load, need, leaves) > 0 && !worker_is_there(st, load)) return false;
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (leaves[i] && lc->now >= victim_goes_at(lc, load, i)) victim_evict(st, load, i);
    if (places_are_limited(lc, load) && places_taken(lc, load, true) >= lc->settings.jit_limit)
        return false;
    if (need > budget_less(lc, bytes_resident(lc))) return false;
    if (load_wish(lc, load) > device_left(lc)) return false;
    slot_spawn(st, load);
    return true;
}

/* May the load pass the first in line? Only in fit, where it fits beside what is there and
 * costs the first no victim more (Auto-evict, rule 4). */
static bool may_pass(const struct lifecycle *lc, int first, int load) {
    nbytes ahead = load_need(lc, first), need = load_need(lc, load);
    bool leaves[LC_MAX_SLOTS];

    if (lc->settings.auto_evict != LC_EVICT_FIT) return false;
    if (need > budget_less(lc, bytes_resident(lc))) return false;
    uint32_t alone = victims_plan(lc, first, ahead, leaves);
    nbytes wish = load_wish(lc, load), both = bytes_add(load_wish(lc, first), wish);
    if (wish > device_left(lc) || both > device_without(lc, leaves)) return false;
    return bytes_add(ahead, need) <= bytes_obtainable(lc, first) &&
           victims_plan(lc, first, bytes_add(ahead, need), leaves) == alone;
}

bool admission_serve(struct lc_step *st) {
    int line[LC_MAX_SLOTS];
    int n = admission_order(st->lc, line), first = LC_NO_SLOT;
    uint32_t before = st->out->count;

    for (int k = 0; k < n; k++) {
        bool queues = slot_needs_place(st->lc, line[k]);
        if (queues && first != LC_NO_SLOT && !may_pass(st->lc, first, line[k])) continue;
        if (!place_try(st, line[k]) && first == LC_NO_SLOT) first = line[k];
    }
    return st->out->count > before;
}

/* ---- growth of what is loaded (Memory, rule 1) ---- */

typedef bool going(const struct lifecycle *lc, int slot, int other);

/* Its memory is back soon. A busy one that drains may take as long as its answers. */
static bool goes_soon(const struct lifecycle *lc, int slot, int other) {
    (void)slot;
    return lc->slots[other].state == LC_UNLOADING;
}

static bool gives_way(const struct lifecycle *lc, int slot, int other) {
    const struct lc_slot *o = &lc->slots[other];

    if (other == slot || lc->settings.auto_evict == LC_EVICT_OFF) return false;
    return is_unleased(lc, o);
}

static bool goes_or_gives_way(const struct lifecycle *lc, int slot, int other) {
    return goes_soon(lc, slot, other) || gives_way(lc, slot, other);
}

/* What the slot may take in all, once those that leave are gone (NULL: none leaves). */
static nbytes room_beside(const struct lifecycle *lc, int slot, going *goes) {
    nbytes kept = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (i != slot && !(goes != NULL && goes(lc, slot, i)))
            kept = bytes_add(kept, lc->slots[i].bytes);
    return budget_less(lc, kept);
}

/* bytes: 0 refuses. */
static void growth_answer(struct lc_step *st, int i, nbytes bytes, nbytes most) {
    struct lc_action *answer = action_add(st, LC_DO_GRANT, i);

    answer->need = bytes;
    answer->free = most;
    if (bytes > 0) st->lc->slots[i].bytes = bytes;
    st->lc->slots[i].grow_to = 0;
}

/* Just enough of those that are idle, the least valuable first. */
static bool growth_evicts(struct lc_step *st, int i) {
    struct lifecycle *lc = st->lc;
    uint32_t before = st->out->count;

    while (lc->slots[i].grow_least > room_beside(lc, i, goes_soon)) {
        int victim = LC_NO_SLOT;
        for (int v = 0; v < LC_MAX_SLOTS; v++)
            if (gives_way(lc, i, v) && (victim == LC_NO_SLOT || goes_before(lc, v, victim)))
                victim = v;
        assert(victim != LC_NO_SLOT);
        slot_evict(st, victim, i);
    }
    return st->out->count > before;
}

/* Optional memory is not worth waiting or evicting for. */
static bool growth_try(struct lc_step *st, int i) {
    struct lifecycle *lc = st->lc;
    const struct lc_slot *slot = &lc->slots[i];
    nbytes room = room_beside(lc, i, NULL);
    nbytes most = slot->grow_optional ? room : room_beside(lc, i, goes_or_gives_way);

    if (slot->grow_to == 0) return false;
    if (room > 0 && slot->grow_least <= room)
        growth_answer(st, i, slot->grow_to < room ? slot->grow_to : room, room);
    else if (most == 0 || slot->grow_least > most)
        growth_answer(st, i, 0, most);
    else
        return growth_evicts(st, i);
    return true;
}

bool admission_grow(struct lc_step *st) {
    bool moved = false;

    for (int i = 0; i < LC_MAX_SLOTS; i++) moved = growth_try(st, i) || moved;
    return moved;
}

bool admission_relieve(struct lc_step *st) {
    struct lifecycle *lc = st->lc;
    uint32_t before = st->out->count;

    if (lc->settings.auto_evict == LC_EVICT_OFF) return false;
    while (bytes_staying(lc) > lc->budget) {
        int victim = idle_victim(lc, is_unleased);
        if (victim == LC_NO_SLOT) break;
        slot_leave(st, victim, LC_BECAUSE_MEMORY);
    }
    return st->out->count > before;
}

/* Memory, rule 3. One at a time: what is unloading gives memory back first. */
void admission_yield(struct lc_step *st) {
    struct lifecycle *lc = st->lc;

    if (lc->settings.auto_evict == LC_EVICT_OFF) return;
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (lc->slots[i].state == LC_UNLOADING) return;
    int victim = idle_victim(lc, yields);
    if (victim != LC_NO_SLOT) slot_leave(st, victim, LC_BECAUSE_MEMORY);
}

/* When a victim that the load plans with goes next, or MSEC_NEVER. */
static msec next_victim_at(const struct lifecycle *lc, int load) {
    bool leaves[LC_MAX_SLOTS];
    msec next = MSEC_NEVER;

    (void)victims_plan(lc, load, load_need(lc, load), leaves);
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (!leaves[i]) continue;
        msec at = victim_goes_at(lc, load, i);
        if (at > lc->now && at < next) next = at;
    }
    return next;
}

/* A jit load closes gates only if it is first in line. */
msec admission_next_gate(const struct lifecycle *lc) {
    int line[LC_MAX_SLOTS];
    int n = admission_order(lc, line);
    msec next = MSEC_NEVER;

    for (int k = 0; k < n; k++) {
        if (k > 0 && slot_needs_place(lc, line[k])) continue;
        msec at = next_victim_at(lc, line[k]);
        if (at < next) next = at;
    }
    return next;
}

msec admission_victims(const struct lifecycle *lc, int load, bool ret_leaves[LC_MAX_SLOTS]) {
    msec last = lc->now;

    (void)victims_plan(lc, load, load_need(lc, load), ret_leaves);
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &lc->slots[i];
        if (ret_leaves[i] && victim_goes_at(lc, load, i) > last)
            last = victim_goes_at(lc, load, i);
        if (slot_is_leaving(slot) && slot->evicted_by == load) ret_leaves[i] = true;
    }
    return last;
}
