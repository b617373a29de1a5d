/* SPDX-License-Identifier: MIT */
#include "domain.h"

#include <assert.h>

struct list {
    const struct domain *d;
    const struct lifecycle *lc;
    struct lc_event *events;
    uint32_t count;
};

static struct lc_plan plan_of(const struct domain *d, uint32_t model) {
    return (struct lc_plan){
        .settings = 1,
        .lasting = 1,
        .need = model + 1,
        .wish = d->device ? model + 1 : 0,
        .reload = UNIT,
        .parallel = 1 + model % 2,
        .ttl = LC_TTL_NOT_GIVEN,
        .type = model == 2 ? LC_TYPE_EMBEDDING : LC_TYPE_LANGUAGE,
    };
}

void domain_init(const struct domain *d, struct lifecycle *lc) {
    struct lc_settings settings = {
        .jit = true,
        .ttl_update = d->ttl_update,
        .auto_evict = d->mode,
        .default_ttl = 2 * UNIT,
        .explicit_ttl = MSEC_NEVER,
        .max_ttl = 2 * UNIT,
        .jit_limit = d->jit_limit,
        .switch_window = UNIT,
        .lease = 2 * UNIT,
        .load_grace = UNIT,
        .load_stall = 4 * UNIT,
        .reader_patience = 2 * UNIT,
        .hang = 4 * UNIT,
        .stop_grace = 3 * UNIT,
        .shutdown_grace = 2 * UNIT,
        .max_waiting = 3,
    };

    lifecycle_init(lc, &settings);
    lc->budget = d->budget;
    lc->device_budget = d->device;
    lc->now = 100 * UNIT;
}

static struct lc_event *add(struct list *l, enum lc_event_kind kind) {
    assert(l->count < DOMAIN_EVENTS_MAX);
    struct lc_event *ev = &l->events[l->count++];

    *ev = (struct lc_event){
        .kind = kind, .now = l->lc->now, .slot = LC_NO_SLOT, .ttl = LC_TTL_NOT_GIVEN
    };
    return ev;
}

static struct lc_event *add_new(struct list *l, enum lc_event_kind kind, uint32_t model) {
    struct lc_event *ev = add(l, kind);

    for (uint32_t i = 0; i < l->lc->request_count; i++)
        if (l->lc->requests[i].id > ev->request) ev->request = l->lc->requests[i].id;
    ev->request++;
    ev->model = model;
    ev->plan = plan_of(l->d, model);
    return ev;
}

static void add_requests(struct list *l, uint32_t model) {
    msec deadline = lifecycle_deadline(l->lc);

    (void)add_new(l, LC_EV_REQUEST, model);
    if (l->d->may & MAY_ZERO_TTL) add_new(l, LC_EV_REQUEST, model)->ttl = 0;
    if ((l->d->may & MAY_BE_LATE) && deadline != MSEC_NEVER)
        add_new(l, LC_EV_REQUEST, model)->now = deadline + UNIT;
    if (l->d->may & MAY_KINDS) {
        add_new(l, LC_EV_REQUEST, model)->request_kind = LC_KIND_LIGHT;
        add_new(l, LC_EV_REQUEST, model)->request_kind = LC_KIND_GET_OR_LOAD;
    }
    if (!(l->d->may & MAY_LOAD)) return;
    (void)add_new(l, LC_EV_LOAD, model);
    add_new(l, LC_EV_LOAD, model)->own_slot = true;
    struct lc_event *other = add_new(l, LC_EV_LOAD, model);
    other->plan.settings = other->plan.lasting = 2;
    if (other->plan.parallel > 1) {
        struct lc_event *fewer = add_new(l, LC_EV_LOAD, model);
        fewer->plan.settings = 3;
        fewer->plan.parallel = 1;
    }
    if (l->d->budget != UINT64_MAX) add_new(l, LC_EV_LOAD, model)->force = true;
}

static struct lc_event *add_worker(struct list *l, enum lc_event_kind kind, int slot) {
    struct lc_event *ev = add(l, kind);

    ev->slot = slot;
    ev->generation = l->lc->slots[slot].generation;
    return ev;
}

static void add_ready(struct list *l, int slot) {
    struct lc_event *ev = add_worker(l, LC_EV_READY, slot);

    ev->bytes = l->lc->slots[slot].plan.need;
    ev->device = l->lc->slots[slot].plan.wish;
    if (ev->device > l->lc->device_budget) ev->device = l->lc->device_budget;
    ev->parallel = l->lc->slots[slot].places;
}

static void add_done(struct list *l, int slot) {
    for (uint32_t i = 0; i < l->lc->request_count; i++) {
        const struct lc_request *r = &l->lc->requests[i];
        if (r->slot == slot && r->state == LC_RUNNING)
            add_worker(l, LC_EV_DONE, slot)->request = r->id;
    }
}

static void add_readers(struct list *l) {
    for (uint32_t i = 0; i < l->lc->request_count; i++) {
        const struct lc_request *r = &l->lc->requests[i];
        if (r->state != LC_RUNNING || r->kind != LC_KIND_INFER) continue;
        struct lc_event *ev = add(l, LC_EV_READER);
        ev->request = r->id;
        ev->stuck = r->stuck_since == MSEC_NEVER;
    }
}

static void add_loading(struct list *l, int slot) {
    add_ready(l, slot);
    if ((l->d->may & MAY_PROGRESS) && l->lc->slots[slot].permille < 500)
        add_worker(l, LC_EV_PROGRESS, slot)->permille = 500;
    if (l->d->may & MAY_FAIL) (void)add_worker(l, LC_EV_LOAD_FAILED, slot);
}

static void add_memory(struct list *l, int slot) {
    const struct lc_slot *s = &l->lc->slots[slot];

    if (!(l->d->may & MAY_GROW)) return;
    bool more = s->bytes == s->plan.need;
    struct lc_event *memory = add_worker(l, LC_EV_MEMORY, slot);
    memory->bytes = s->plan.need + more;
    memory->device = s->plan.wish + (more && s->plan.wish > 0);
    if (s->state == LC_LOADING || s->grow_to > 0 || !more) return;
    for (int optional = 0; optional < 2; optional++) {
        struct lc_event *ev = add_worker(l, LC_EV_GROW, slot);
        ev->bytes = s->bytes + 2;
        ev->least = s->bytes + 1;
        ev->optional = optional;
    }
}

static void add_reports(struct list *l, int slot) {
    enum lc_state state = l->lc->slots[slot].state;

    switch (state) {
    case LC_ABSENT:
        return;
    case LC_LOADING:
        add_loading(l, slot);
        break;
    case LC_BUSY:
    case LC_DRAINING:
        add_done(l, slot);
        if (l->d->may & MAY_PROGRESS) (void)add_worker(l, LC_EV_HEARD, slot);
        break;
    case LC_IDLE:
        break;
    case LC_UNLOADING:
        (void)add_worker(l, LC_EV_EXITED, slot);
        return;
    }
    add_memory(l, slot);
    if (l->d->may & MAY_DIE) (void)add_worker(l, LC_EV_EXITED, slot);
}

static void add_orders(struct list *l, int slot) {
    const struct lc_slot *s = &l->lc->slots[slot];

    if (s->state == LC_ABSENT && s->intended && (l->d->may & MAY_UNLOAD))
        (void)add_worker(l, LC_EV_UNLOAD, slot);
    if (s->state == LC_ABSENT) return;
    if (l->d->may & MAY_UNLOAD) (void)add_worker(l, LC_EV_UNLOAD, slot);
    if (!(l->d->may & MAY_UPDATE)) return;
    struct lc_event *ev = add_worker(l, LC_EV_UPDATE, slot);
    ev->origin = s->origin == LC_ORIGIN_JIT ? LC_ORIGIN_EXPLICIT : LC_ORIGIN_JIT;
    ev->ttl = s->origin == LC_ORIGIN_JIT ? MSEC_NEVER : UNIT;
}

static void add_settings(struct list *l) {
    for (int mode = LC_EVICT_ON; mode <= LC_EVICT_PER_TYPE; mode++) {
        if (l->lc->settings.auto_evict == (enum lc_auto_evict)mode) continue;
        struct lc_event *ev = add(l, LC_EV_SETTINGS);
        ev->settings = l->lc->settings;
        ev->settings.auto_evict = (enum lc_auto_evict)mode;
    }
    struct lc_event *ev = add(l, LC_EV_SETTINGS);
    ev->settings = l->lc->settings;
    ev->settings.jit = !ev->settings.jit;
    ev->settings.ttl_update = (enum lc_ttl_update)((l->lc->settings.ttl_update + 1) % 3);
}

static void add_time(struct list *l) {
    msec deadline = lifecycle_deadline(l->lc);

    if (deadline != MSEC_NEVER) add(l, LC_EV_TICK)->now = deadline;
    if (deadline != l->lc->now + UNIT) add(l, LC_EV_TICK)->now = l->lc->now + UNIT;
}

/* The daemon answers PREPARE before anything else happens. */
static bool add_prepared(struct list *l) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (l->lc->slots[i].prepared != LC_PREPARING) continue;
        (void)add_worker(l, LC_EV_PREPARED, i);
        if (l->d->may & MAY_FAIL) (void)add_worker(l, LC_EV_PREPARE_FAILED, i);
        return true;
    }
    return false;
}

uint32_t domain_events(const struct domain *d, const struct lifecycle *lc,
                       struct lc_event events[DOMAIN_EVENTS_MAX]) {
    struct list l = { d, lc, events, 0 };

    if (add_prepared(&l)) return l.count;
    for (int i = 0; i < LC_MAX_SLOTS; i++) add_reports(&l, i);
    if (lc->request_count < d->requests)
        for (uint32_t m = 0; m < d->models; m++) add_requests(&l, m);
    for (uint32_t i = 0; i < lc->request_count && (d->may & MAY_CANCEL); i++)
        if (!lc->requests[i].aborted) add(&l, LC_EV_CANCEL)->request = lc->requests[i].id;
    if (d->may & MAY_READ) add_readers(&l);
    for (int i = 0; i < LC_MAX_SLOTS; i++) add_orders(&l, i);
    if (d->may & MAY_MODE) add_settings(&l);
    if (d->may & MAY_BUDGET) add(&l, LC_EV_BUDGET)->bytes = lc->budget == 2 ? d->budget : 2;
    if (d->may & MAY_PRESS) (void)add(&l, LC_EV_PRESSURE);
    if (d->may & MAY_SHUTDOWN) (void)add(&l, LC_EV_SHUTDOWN);
    add_time(&l);
    return l.count;
}

bool domain_fair_event(const struct lifecycle *lc, int first, struct lc_event *ret) {
    struct lc_event events[DOMAIN_EVENTS_MAX];
    struct domain plain = { .name = "fair" };
    struct list l = { &plain, lc, events, 0 };

    (void)add_prepared(&l);
    for (int i = 0; i < LC_MAX_SLOTS && l.count == 0; i++)
        add_reports(&l, (first + i) % LC_MAX_SLOTS);
    if (l.count > 0) *ret = events[0];
    return l.count > 0;
}

static void mix(uint64_t *key, uint64_t value) {
    uint64_t h = (*key ^ value) + 0x9e3779b97f4a7c15u;

    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    *key = h ^ (h >> 31);
}

/* Time from t to now, as far as it matters. */
static uint64_t age(const struct lifecycle *lc, msec t, msec cap) {
    if (t == MSEC_NEVER) return UINT64_MAX;
    msec span = lc->now - t;
    return (uint64_t)(span < cap ? span : cap);
}

static uint64_t left(const struct lifecycle *lc, msec t) {
    if (t == MSEC_NEVER) return UINT64_MAX;
    return t > lc->now ? (uint64_t)(t - lc->now) : 0;
}

/* How long the load took, as far as it matters: beyond the window it does not. */
static uint64_t span_of_load(const struct lc_slot *s) {
    msec span = s->ready_at - s->loading_since;
    return (uint64_t)(span < 2 * UNIT ? span : 2 * UNIT);
}

static void mix_slot(uint64_t *key, const struct lifecycle *lc, const struct lc_slot *s) {
    bool working = s->state == LC_BUSY || s->state == LC_DRAINING;

    mix(key, s->model);
    mix(key, (uint64_t)s->state | (uint64_t)s->origin << 8 | (uint64_t)s->leaving << 16);
    mix(key, (uint64_t)s->evicted_by);
    mix(key, (uint64_t)s->prepared | (uint64_t)s->intended << 8);
    mix(key, (uint64_t)s->ttl);
    mix(key, s->bytes);
    mix(key, s->device);
    mix(key, s->grow_to << 32 | s->grow_least << 1 | (uint64_t)s->grow_optional);
    mix(key, s->plan.settings | s->next.settings << 8 | (uint64_t)s->served << 16);
    mix(key, s->plan.parallel | (uint64_t)s->places << 32);
    mix(key, s->failures < 3 ? s->failures : 3);
    mix(key, left(lc, s->retry_at));
    mix(key, s->state == LC_IDLE || s->intended ? age(lc, s->idle_since, 4 * UNIT) : 0);
    mix(key, s->state == LC_LOADING || working ? age(lc, s->heard, 9 * UNIT) : 0);
    mix(key, s->state == LC_UNLOADING ? left(lc, s->stop_by) : 0);
    mix(key, s->state == LC_LOADING && s->permille >= 500);
    mix(key, s->state == LC_LOADING ? age(lc, s->unwanted_since, 4 * UNIT) : 0);
    mix(key, s->state == LC_LOADING ? age(lc, s->loading_since, 4 * UNIT) : 0);
    mix(key, s->state == LC_IDLE ? span_of_load(s) : 0);
    mix(key, lc->settings.ttl_update == LC_TTL_LONGEST ? left(lc, s->lives_until) : 0);
    mix(key, s->lease_until != 0 ? left(lc, s->lease_until) : 0);
    mix(key, working ? age(lc, s->last_used, 3 * UNIT) : 0);
    mix(key, s->state == LC_BUSY ? age(lc, s->ready_at, 3 * UNIT) : 0);
}

static void mix_request(uint64_t *key, const struct lifecycle *lc, const struct lc_request *r) {
    mix(key, (uint64_t)r->slot | (uint64_t)r->kind << 8 | (uint64_t)r->state << 16);
    mix(key, (uint64_t)r->lost | (uint64_t)r->aborted << 8 | (uint64_t)r->force << 16);
    mix(key, (uint64_t)r->ttl | (uint64_t)r->owed << 62);
    mix(key, (uint64_t)r->asked_ttl);
    mix(key, age(lc, r->arrived, lc->settings.switch_window));
    mix(key, (uint64_t)r->place);
    mix(key, age(lc, r->stuck_since, lc->settings.reader_patience));
}

uint64_t domain_key(const struct lifecycle *lc) {
    uint64_t key = 1;

    mix(&key, (uint64_t)lc->settings.auto_evict | (uint64_t)lc->settings.jit << 8 |
                  (uint64_t)lc->settings.ttl_update << 16);
    mix(&key, lc->budget);
    mix(&key, (uint64_t)lc->shutting_down | (uint64_t)lc->finished << 8);
    mix(&key, left(lc, lc->shutdown_by));
    for (int i = 0; i < LC_MAX_SLOTS; i++) mix_slot(&key, lc, &lc->slots[i]);
    mix(&key, lc->request_count);
    for (uint32_t i = 0; i < lc->request_count; i++) mix_request(&key, lc, &lc->requests[i]);
    return key != 0 ? key : 1;
}
