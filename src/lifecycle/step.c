/* SPDX-License-Identifier: MIT */
#include "lifecycle/core.h"

#include <assert.h>
#include <string.h>

static lc_handler on_tick;
static void on_tick(struct lc_step *st, const struct lc_event *ev) {
    (void)st, (void)ev; /* settling does what is due */
}

static lc_handler *const handlers[] = {
    [LC_EV_REQUEST] = on_request,
    [LC_EV_LOAD] = on_load,
    [LC_EV_CANCEL] = on_cancel,
    [LC_EV_READER] = on_reader,
    [LC_EV_UNLOAD] = on_unload,
    [LC_EV_UPDATE] = on_update,
    [LC_EV_SETTINGS] = on_settings,
    [LC_EV_BUDGET] = on_budget,
    [LC_EV_PRESSURE] = on_pressure,
    [LC_EV_SHUTDOWN] = on_shutdown,
    [LC_EV_TICK] = on_tick,
    [LC_EV_PREPARED] = on_prepared,
    [LC_EV_PREPARE_FAILED] = on_prepare_failed,
    [LC_EV_PROGRESS] = on_progress,
    [LC_EV_READY] = on_ready,
    [LC_EV_LOAD_FAILED] = on_load_failed,
    [LC_EV_DONE] = on_done,
    [LC_EV_HEARD] = on_heard,
    [LC_EV_MEMORY] = on_memory,
    [LC_EV_GROW] = on_grow,
    [LC_EV_EXITED] = on_exited,
};
static_assert(sizeof handlers / sizeof *handlers == LC_EVENT_COUNT, "a handler per event");

struct lc_settings lc_settings_default(void) {
    return (struct lc_settings){
        .jit = true,
        .ttl_update = LC_TTL_SET,
        .auto_evict = LC_EVICT_ON,
        .jit_limit = 1,
        .default_ttl = (msec)3600 * 1000,
        .explicit_ttl = MSEC_NEVER,
        .max_ttl = MSEC_NEVER,
        .switch_window = 1000,
        .lease = (msec)5 * 1000,
        .load_grace = (msec)10 * 1000,
        .load_stall = (msec)120 * 1000,
        .reader_patience = (msec)5 * 1000,
        .hang = (msec)60 * 1000,
        .stop_grace = (msec)10 * 1000,
        .shutdown_grace = (msec)10 * 1000,
        .max_waiting = 128,
    };
}

void lifecycle_init(struct lifecycle *lc, const struct lc_settings *settings) {
    memset(lc, 0, sizeof *lc);
    lc->settings = *settings;
    lc->budget = lc->device_budget = UINT64_MAX;
    lc->shutdown_by = MSEC_NEVER;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        lc->slots[i].model = LC_NO_MODEL;
        lc->slots[i].evicted_by = LC_NO_SLOT;
        lc->slots[i].ttl = LC_TTL_NOT_GIVEN;
    }
}

/* Reports of workers, and orders of clients for a worker that they have seen. */
static bool is_about_worker(const struct lc_event *ev) {
    return ev->kind >= LC_EV_PROGRESS || ev->kind == LC_EV_UNLOAD || ev->kind == LC_EV_UPDATE;
}

/* About an older worker, or one whose exit was already seen. */
static bool is_stale(const struct lifecycle *lc, const struct lc_event *ev) {
    if (!is_about_worker(ev)) return false;
    const struct lc_slot *slot = &lc->slots[ev->slot];
    bool there = slot->state != LC_ABSENT || (ev->kind == LC_EV_UNLOAD && slot->intended);
    return ev->generation != slot->generation || !there;
}

/* The daemon names slots by what the core told it. */
static bool slot_named_well(const struct lc_event *ev) {
    bool none = ev->slot == LC_NO_SLOT && ev->kind == LC_EV_REQUEST;
    bool needed = ev->kind >= LC_EV_PREPARED || is_about_worker(ev) ||
                  ev->kind == LC_EV_REQUEST;

    return !needed || none || (ev->slot >= 0 && ev->slot < LC_MAX_SLOTS);
}

static void free_unused(struct lc_step *st) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &st->lc->slots[i];
        if (slot->model == LC_NO_MODEL || slot->failures > 0) continue;
        if (!slot_is_instance(st->lc, i)) slot_free(st, i);
    }
}

static void finish_shutdown(struct lc_step *st) {
    struct lifecycle *lc = st->lc;

    if (!lc->shutting_down || lc->finished) return;
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (lc->slots[i].state != LC_ABSENT) return;
    lc->finished = true;
    lc->shutdown_by = MSEC_NEVER;
    (void)action_add(st, LC_DO_FINISHED, LC_NO_SLOT);
}

/* Lets every slot and the line do what is due until nothing changes. This ends: each change
 * goes towards UNLOADING or starts a load, and only an event leads back. */
static void settle(struct lc_step *st) {
    struct lifecycle *lc = st->lc;
    bool moved;

    if (lc->now >= lc->shutdown_by) shutdown_force(st);
    do {
        moved = false;
        for (int i = 0; i < LC_MAX_SLOTS; i++) moved = slot_settle(st, i) || moved;
        moved = admission_grow(st) || moved;
        moved = admission_serve(st) || moved;
        moved = admission_relieve(st) || moved;
    } while (moved);
    free_unused(st);
    finish_shutdown(st);
}

static bool something_is_watched(const struct lifecycle *lc) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (slot_is_watched(&lc->slots[i])) return true;
    return false;
}

static void refresh_watchdogs(struct lifecycle *lc) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) slot_refresh(lc, i);
    requests_refresh(lc);
    if (lc->shutdown_by != MSEC_NEVER && lc->shutting_down)
        lc->shutdown_by = msec_after(lc->now, lc->settings.shutdown_grace);
}

void lifecycle_step(struct lifecycle *lc, const struct lc_event *ev,
                    struct lc_actions *ret_actions) {
    struct lc_step st = { lc, ret_actions };

    assert(ev->now >= lc->now);
    assert(slot_named_well(ev));
    ret_actions->count = 0;
    bool gap = something_is_watched(lc) && ev->now - lc->now > LC_GAP;
    lc->now = ev->now;
    if (gap) refresh_watchdogs(lc);
    if (!is_stale(lc, ev)) {
        (void)admission_serve(&st); /* Gates close by the clock, also if the tick comes late. */
        handlers[ev->kind](&st, ev);
    }
    settle(&st);
    assert(lifecycle_valid(lc));
}

static msec sooner(msec a, msec b) {
    return a < b ? a : b;
}

/* What it has kept from leaving may leave then. */
static msec lease_ends(const struct lifecycle *lc, const struct lc_slot *slot) {
    return slot->lease_until > lc->now ? slot->lease_until : MSEC_NEVER;
}

static msec slot_deadline(const struct lifecycle *lc, int i) {
    const struct lc_slot *slot = &lc->slots[i];

    switch (slot->state) {
    case LC_ABSENT:
        return intent_ends(lc, i);
    case LC_LOADING:
        return sooner(msec_after(slot->heard, lc->settings.load_stall),
                      load_gives_up_at(lc, slot));
    case LC_IDLE:
        return sooner(slot_expires(slot), lease_ends(lc, slot));
    case LC_BUSY:
    case LC_DRAINING:
        return sooner(msec_after(slot->heard, lc->settings.hang), place_is_given_at(lc, i));
    case LC_UNLOADING:
        return slot->stop_by;
    }
    assert(false && "lc_state");
    return MSEC_NEVER;
}

msec lifecycle_deadline(const struct lifecycle *lc) {
    msec first = sooner(lc->shutdown_by, admission_next_gate(lc));

    if (something_is_watched(lc)) first = sooner(first, msec_after(lc->now, LC_PULSE));

    for (int i = 0; i < LC_MAX_SLOTS; i++) first = sooner(first, slot_deadline(lc, i));
    return first;
}

msec lifecycle_reload_at(const struct lifecycle *lc, int slot) {
    const struct lc_slot *s = &lc->slots[slot];

    if (!slot_is_intended_only(lc, slot)) return MSEC_NEVER; /* in a shutdown none is */
    msec again = s->served ? s->idle_since : msec_after(s->ready_at, LC_RELOAD_PAUSE);
    return again > s->retry_at ? again : s->retry_at;
}

struct lc_view lifecycle_view(const struct lifecycle *lc, int slot) {
    struct lc_tally n = requests_tally(lc, slot);

    return (struct lc_view){
        .running = n.running,
        .waiting = n.waiting + n.admitted,
        .expires = slot_expires(&lc->slots[slot]),
    };
}

/* True if a serves a new request better than b (LC_NO_SLOT: nothing yet). */
static bool serves_better(const struct lifecycle *lc, int a, int b) {
    if (b == LC_NO_SLOT) return true;
    bool up_a = slot_is_up(&lc->slots[a]), up_b = slot_is_up(&lc->slots[b]);
    struct lc_tally x = requests_tally(lc, a), y = requests_tally(lc, b);
    uint32_t load_a = x.waiting + x.admitted + x.running;
    uint32_t load_b = y.waiting + y.admitted + y.running;

    if (up_a != up_b) return up_a;
    if (!up_a) return x.waiting > 0 && y.waiting == 0; /* one fresh load is enough */
    if (load_a != load_b) return load_a < load_b;
    return slot_is_loaded(&lc->slots[a]) && !slot_is_loaded(&lc->slots[b]);
}

int lifecycle_find(const struct lifecycle *lc, uint32_t model) {
    int best = LC_NO_SLOT;

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (lc->slots[i].model != model || !slot_is_instance(lc, i)) continue;
        if (serves_better(lc, i, best)) best = i;
    }
    return best;
}
