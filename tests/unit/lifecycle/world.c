/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <string.h>

#include "monitor.h"

#define REQUESTS_MAX 20000

struct lifecycle lc;
struct lc_actions acts;
struct lc_plan plan;
bool workers_start;

static struct {
    msec now;
    uint64_t requests;
    enum fate fates[REQUESTS_MAX];
    struct lc_action answers[REQUESTS_MAX];
    struct lc_action reports[LC_MAX_SLOTS];
    unsigned totals[LC_DO_FINISHED + 1];
} world;

int world_reset(void **state) {
    struct lc_settings settings = lc_settings_default();

    (void)state;
    memset(&world, 0, sizeof world);
    workers_start = true;
    plan = (struct lc_plan){ .settings = 1,
                             .lasting = 1,
                             .need = 100,
                             .reload = 1000,
                             .parallel = 4,
                             .ttl = LC_TTL_NOT_GIVEN };
    lifecycle_init(&lc, &settings);
    return 0;
}

static void note(const struct lc_action *a) {
    world.totals[a->kind]++;
    if (a->kind == LC_DO_START) world.fates[a->request] = STARTED;
    if (a->kind == LC_DO_LOADED) world.fates[a->request] = LOADED;
    if (a->kind == LC_DO_FAIL) world.fates[a->request] = FAILED;
    if (a->kind == LC_DO_LOADED || a->kind == LC_DO_FAIL) world.answers[a->request] = *a;
    if (a->kind == LC_DO_REPORT) world.reports[a->slot] = *a;
}

static void send_one(struct lc_event ev) {
    static struct lifecycle before;

    ev.now = world.now;
    before = lc;
    lifecycle_step(&lc, &ev, &acts);
    const char *broken = monitor_step(&before, &ev, &lc, &acts, NULL);
    if (broken != NULL) fail_msg("event %d at %lld: %s", ev.kind, (long long)ev.now, broken);
    for (uint32_t i = 0; i < acts.count; i++) note(&acts.list[i]);
}

static int slot_to_prepare(void) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (lc.slots[i].prepared == LC_PREPARING) return i;
    return LC_NO_SLOT;
}

/* As the daemon does it: PREPARE is answered before anything else happens. */
static void send(struct lc_event ev) {
    send_one(ev);
    for (int slot = slot_to_prepare(); slot != LC_NO_SLOT; slot = slot_to_prepare())
        send_one((struct lc_event){
            .kind = workers_start ? LC_EV_PREPARED : LC_EV_PREPARE_FAILED,
            .slot = slot,
            .generation = lc.slots[slot].generation,
        });
}

void clock_to(msec t) {
    assert_true(t >= world.now);
    world.now = t;
}

void pass(msec span) {
    msec end = world.now + span;

    while (lifecycle_deadline(&lc) < end) {
        clock_to(lifecycle_deadline(&lc));
        send((struct lc_event){ .kind = LC_EV_TICK });
    }
    clock_to(end);
    send((struct lc_event){ .kind = LC_EV_TICK });
}

static struct lc_event request_event(enum lc_event_kind kind, uint32_t model) {
    assert_true(world.requests + 1 < REQUESTS_MAX);
    return (struct lc_event){
        .kind = kind,
        .request = ++world.requests,
        .model = model,
        .slot = LC_NO_SLOT,
        .ttl = LC_TTL_NOT_GIVEN,
        .plan = plan,
    };
}

uint64_t ask_kind(uint32_t model, enum lc_kind kind, msec ttl) {
    struct lc_event ev = request_event(LC_EV_REQUEST, model);

    ev.request_kind = kind;
    ev.ttl = ttl;
    send(ev);
    return ev.request;
}

uint64_t ask(uint32_t model) {
    return ask_kind(model, LC_KIND_INFER, LC_TTL_NOT_GIVEN);
}

uint64_t ask_ttl(uint32_t model, msec ttl) {
    return ask_kind(model, LC_KIND_INFER, ttl);
}

uint64_t ask_client(uint32_t model, uint64_t client) {
    struct lc_event ev = request_event(LC_EV_REQUEST, model);

    ev.client = client;
    send(ev);
    return ev.request;
}

uint64_t ask_slot(uint32_t model, int slot) {
    struct lc_event ev = request_event(LC_EV_REQUEST, model);

    ev.slot = slot;
    send(ev);
    return ev.request;
}

uint64_t load_ttl(uint32_t model, msec ttl) {
    struct lc_event ev = request_event(LC_EV_LOAD, model);

    ev.ttl = ttl;
    send(ev);
    return ev.request;
}

uint64_t load(uint32_t model) {
    return load_ttl(model, LC_TTL_NOT_GIVEN);
}

uint64_t load_own(uint32_t model) {
    struct lc_event ev = request_event(LC_EV_LOAD, model);

    ev.own_slot = true;
    send(ev);
    return ev.request;
}

uint64_t load_forced(uint32_t model) {
    struct lc_event ev = request_event(LC_EV_LOAD, model);

    ev.force = true;
    send(ev);
    return ev.request;
}

void cancel(uint64_t request) {
    send((struct lc_event){ .kind = LC_EV_CANCEL, .request = request });
}

void stops_reading(uint64_t request) {
    send((struct lc_event){ .kind = LC_EV_READER, .request = request, .stuck = true });
}

void reads_again(uint64_t request) {
    send((struct lc_event){ .kind = LC_EV_READER, .request = request });
}

/* About the slot's current worker. */
static struct lc_event slot_event(enum lc_event_kind kind, int slot) {
    return (
        struct lc_event){ .kind = kind, .slot = slot, .generation = lc.slots[slot].generation };
}

void unload(int slot) {
    send(slot_event(LC_EV_UNLOAD, slot));
}

void update(int slot, enum lc_origin origin, msec ttl) {
    struct lc_event ev = slot_event(LC_EV_UPDATE, slot);

    ev.origin = origin;
    ev.ttl = ttl;
    send(ev);
}

void configure(struct lc_settings settings) {
    send((struct lc_event){ .kind = LC_EV_SETTINGS, .settings = settings });
}

void set_mode(enum lc_auto_evict mode) {
    struct lc_settings settings = lc.settings;

    settings.auto_evict = mode;
    configure(settings);
}

void set_budget(nbytes bytes) {
    send((struct lc_event){ .kind = LC_EV_BUDGET, .bytes = bytes });
}

void set_device(nbytes bytes) {
    send((struct lc_event){ .kind = LC_EV_BUDGET, .bytes = UINT64_MAX, .device = bytes });
}

void press(void) {
    send((struct lc_event){ .kind = LC_EV_PRESSURE });
}

void shut_down(void) {
    send((struct lc_event){ .kind = LC_EV_SHUTDOWN });
}

void progress(int slot, uint32_t permille) {
    struct lc_event ev = slot_event(LC_EV_PROGRESS, slot);

    ev.permille = permille;
    send(ev);
}

void ready_with(int slot, nbytes bytes, uint32_t parallel) {
    struct lc_event ev = slot_event(LC_EV_READY, slot);

    ev.bytes = bytes;
    ev.device = lc.slots[slot].plan.wish;
    ev.parallel = parallel;
    send(ev);
}

void ready(int slot) {
    ready_with(slot, lc.slots[slot].plan.need, lc.slots[slot].plan.parallel);
}

void load_failed(int slot) {
    send(slot_event(LC_EV_LOAD_FAILED, slot));
}

void heard(int slot) {
    send(slot_event(LC_EV_HEARD, slot));
}

void takes(int slot, nbytes bytes) {
    struct lc_event ev = slot_event(LC_EV_MEMORY, slot);

    ev.bytes = bytes;
    ev.device = lc.slots[slot].device;
    send(ev);
}

static void send_growth(int slot, nbytes bytes, nbytes least, bool optional) {
    struct lc_event ev = slot_event(LC_EV_GROW, slot);

    ev.bytes = bytes;
    ev.least = least;
    ev.optional = optional;
    send(ev);
}

void grows(int slot, nbytes bytes, nbytes least) {
    send_growth(slot, bytes, least, false);
}

void grows_optionally(int slot, nbytes bytes) {
    send_growth(slot, bytes, bytes, true);
}

void exited(int slot) {
    send(slot_event(LC_EV_EXITED, slot));
}

void report(enum lc_event_kind kind, int slot, uint32_t generation, uint64_t request) {
    struct lc_event ev = slot_event(kind, slot);

    ev.generation = generation;
    ev.request = request;
    send(ev);
}

void done(uint64_t request) {
    for (uint32_t i = 0; i < lc.request_count; i++) {
        const struct lc_request *r = &lc.requests[i];
        if (r->id != request) continue;
        report(LC_EV_DONE, r->slot, lc.slots[r->slot].generation, request);
        return;
    }
    fail_msg("request %llu is not there", (unsigned long long)request);
}

enum fate fate(uint64_t request) {
    return world.fates[request];
}

enum lc_fail failure(uint64_t request) {
    return fate(request) == FAILED ? world.answers[request].fail : LC_FAIL_NONE;
}

const struct lc_action *answer(uint64_t request) {
    bool any = fate(request) == LOADED || fate(request) == FAILED;

    return any ? &world.answers[request] : NULL;
}

unsigned count(enum lc_action_kind kind) {
    unsigned n = 0;

    for (uint32_t i = 0; i < acts.count; i++) n += acts.list[i].kind == kind;
    return n;
}

unsigned total(enum lc_action_kind kind) {
    return world.totals[kind];
}

enum lc_state state_of(int slot) {
    return lc.slots[slot].state;
}

enum lc_reason last_reason(int slot) {
    return world.reports[slot].reason;
}

int last_by(int slot) {
    return world.reports[slot].by;
}

msec last_due(int slot) {
    return world.reports[slot].at;
}

enum lc_origin last_origin(int slot) {
    return world.reports[slot].origin;
}

uint64_t make_busy(uint32_t model, int *ret_slot) {
    uint64_t r = ask(model);
    int slot = lifecycle_find(&lc, model);

    assert_int_equal(state_of(slot), LC_LOADING);
    ready(slot);
    assert_int_equal(state_of(slot), LC_BUSY);
    *ret_slot = slot;
    return r;
}

int make_idle(uint32_t model) {
    int slot;

    done(make_busy(model, &slot));
    assert_int_equal(state_of(slot), LC_IDLE);
    return slot;
}

int make_explicit(uint32_t model) {
    uint64_t r = load(model);
    int slot = lifecycle_find(&lc, model);

    ready(slot);
    assert_int_equal(fate(r), LOADED);
    return slot;
}
