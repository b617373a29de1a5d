/* SPDX-License-Identifier: MIT */
/* monitor_memory.c - what a step does with memory, of the machine and of devices. */
#include <stddef.h>

#include "monitor_step.h"

static bool is_forced(const struct lifecycle *lc, int slot) {
    for (uint32_t k = 0; k < lc->request_count; k++)
        if (lc->requests[k].slot == slot && lc->requests[k].force) return true;
    return false;
}

/* A load that is not forced finds room beside all that are resident already. */
const char *memory_is_kept(const struct step *s) {
    bool checked = false;
    nbytes sum = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        bool spawned = count_on(s, LC_DO_SPAWN, i) > 0, forced = is_forced(s->after, i);
        checked = checked || (spawned && !forced);
        if (!(spawned && forced)) sum += s->after->slots[i].bytes;
    }
    return checked && sum > s->after->budget ? "a load without memory" : NULL;
}

/* May it go for a load, or does it go already? */
static bool gives_device(const struct lifecycle *lc, int i) {
    const struct lc_slot *slot = &lc->slots[i];

    if (slot->state == LC_UNLOADING || slot->state == LC_DRAINING) return true;
    return slot->state == LC_IDLE && slot->origin == LC_ORIGIN_JIT &&
           lc->settings.auto_evict != LC_EVICT_OFF;
}

/* Beside the others; `given`: those that gave it all the time do not count. */
static nbytes device_beside(const struct step *s, int slot, bool given) {
    nbytes sum = 0;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        bool gives = given && gives_device(s->before, i) && gives_device(s->after, i);
        if (i != slot && !gives) sum += s->after->slots[i].device;
    }
    return s->after->device_budget > sum ? s->after->device_budget - sum : 0;
}

/* A load that begins with less device memory than it wishes has waited for all that was to be
 * had. Of several in one step the earlier ones did not know of the later. */
const char *device_is_given(const struct step *s) {
    int load = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (count_on(s, LC_DO_SPAWN, i) == 0) continue;
        if (load != LC_NO_SLOT) return NULL;
        load = i;
    }
    if (load == LC_NO_SLOT || is_forced(s->after, load)) return NULL;
    nbytes wish = s->after->slots[load].plan.wish, most = device_beside(s, load, true);
    return (wish < most ? wish : most) > device_beside(s, load, false)
               ? "a load with less device memory than it could have"
               : NULL;
}

static bool any_unloads(const struct lifecycle *lc) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (lc->slots[i].state == LC_UNLOADING) return true;
    return false;
}

/* Idle for as long as its load took, and not leased. */
static bool may_yield(const struct step *s, int i) {
    const struct lc_slot *slot = &s->before->slots[i];

    return slot->state == LC_IDLE && slot->origin == LC_ORIGIN_JIT &&
           s->before->settings.auto_evict != LC_EVICT_OFF && slot->lease_until <= s->ev->now &&
           s->ev->now - slot->idle_since >= slot->ready_at - slot->loading_since;
}

/* Memory, rule 3: one at a time leaves, if one may. */
const char *pressure_takes_one(const struct step *s) {
    bool unloads = any_unloads(s->before), one_may = false;
    uint32_t left = 0;

    if (s->ev->kind != LC_EV_PRESSURE || s->before->budget != UINT64_MAX) return NULL;
    for (int i = 0; i < LC_MAX_SLOTS; i++) one_may = one_may || may_yield(s, i);
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        if (a->kind != LC_DO_REPORT || a->reason != LC_BECAUSE_MEMORY) continue;
        if (!may_yield(s, a->slot)) return "pressure unloaded what must stay";
        left++;
    }
    if (left > 1 || (left == 1 && unloads)) return "pressure unloaded more than one at a time";
    if (one_may && !any_unloads(s->after)) return "nothing yields to pressure";
    return NULL;
}

/* What the slot's worker asks for in this step: now or since before. grow_to 0: nothing. */
static struct lc_slot growth_of(const struct step *s, int slot) {
    struct lc_slot asks = s->before->slots[slot];
    bool now = s->ev->kind == LC_EV_GROW && s->ev->slot == slot &&
               s->ev->generation == asks.generation;

    if (!now) return asks;
    asks.grow_to = s->ev->bytes;
    asks.grow_least = s->ev->least < s->ev->bytes ? s->ev->least : s->ev->bytes;
    asks.grow_optional = s->ev->optional;
    return asks;
}

static bool another_unloads(const struct lifecycle *lc, int slot) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (i != slot && lc->slots[i].state == LC_UNLOADING) return true;
    return false;
}

static bool something_spawns(const struct step *s) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (count_on(s, LC_DO_SPAWN, i) > 0) return true;
    return false;
}

static const char *grant_broken(const struct step *s, const struct lc_action *a) {
    const struct lc_slot asks = growth_of(s, a->slot);
    nbytes sum = 0;

    if (asks.grow_to == 0) return "granted what nobody asked for";
    if (count_on(s, LC_DO_GRANT, a->slot) > 1) return "granted twice";
    if (a->need == 0)
        return a->free == 0 || a->free < asks.grow_least ? NULL : "refused with room";
    if (a->need < asks.grow_least) return "granted too little";
    if (a->need > asks.grow_to) return "granted more than was asked for";
    if (s->after->slots[a->slot].bytes != a->need && s->ev->kind != LC_EV_MEMORY)
        return "a grant that is not counted";
    for (int i = 0; i < LC_MAX_SLOTS; i++) sum += s->after->slots[i].bytes;
    return sum > s->after->budget && !something_spawns(s) ? "granted what is not there" : NULL;
}

/* Memory, rule 1: a worker that asks is answered, at once or when what leaves for it is gone;
 * together the grants keep within the budget; what is optional costs nobody a place. */
const char *growth_is_kept(const struct step *s) {
    for (uint32_t i = 0; i < s->actions->count; i++) {
        const struct lc_action *a = &s->actions->list[i];
        const char *broken = a->kind == LC_DO_GRANT ? grant_broken(s, a) : NULL;
        if (broken != NULL) return broken;
        if (a->kind != LC_DO_REPORT || a->reason != LC_BECAUSE_EVICTED) continue;
        if (a->from == LC_DRAINING || !is_for_growth(s, a)) continue;
        const struct lc_slot asks = growth_of(s, a->by);
        if (a->from != LC_IDLE && !unpinned(s, a->slot)) return "drained for growth";
        if (asks.grow_to > 0 && asks.grow_optional) return "evicted for what is optional";
    }
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (s->after->slots[i].grow_to == 0) continue;
        if (!another_unloads(s->after, i)) return "growth waits for nothing";
        if (s->after->slots[i].grow_optional) return "what is optional waits";
    }
    return NULL;
}
