/* SPDX-License-Identifier: MIT */
/*
 * walk.c - a random walk of the full-size core: many models, all modes, all events, with the
 * monitor's properties after every step. Reaches crowds that the explorer's small worlds cannot
 * hold. The same seed gives the same walk.
 *
 * usage: walk [steps [seed]]
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"

#define STEPS_DEFAULT 200000
#define MODELS 90 /* more than there are slots */

static struct {
    uint64_t random;
    uint64_t steps, step;
    uint64_t request; /* last number given */
    struct lifecycle lc;
    struct lc_event ev;
} walk;

/* xorshift64* */
static uint32_t pick(uint32_t below) {
    walk.random ^= walk.random >> 12;
    walk.random ^= walk.random << 25;
    walk.random ^= walk.random >> 27;
    return (uint32_t)((walk.random * 0x2545f4914f6cdd1du) >> 32) % below;
}

/* Few models most of the time, so that they meet; sometimes any. */
static uint32_t pick_model(void) {
    return pick(pick(4) == 0 ? MODELS : 5);
}

static msec pick_ttl(void) {
    static const msec ttls[] = {
        LC_TTL_NOT_GIVEN, LC_TTL_NOT_GIVEN, LC_TTL_NOT_GIVEN, 0, 500, 30000,
        LC_TTL_MAX,       MSEC_NEVER
    };

    return ttls[pick(sizeof ttls / sizeof *ttls)];
}

/* A slot in the state, or any if none is. */
static int pick_slot(enum lc_state state) {
    int from = (int)pick(LC_MAX_SLOTS);

    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        int slot = (from + i) % LC_MAX_SLOTS;
        if (walk.lc.slots[slot].state == state) return slot;
    }
    return from;
}

static uint64_t pick_request(void) {
    if (walk.lc.request_count == 0) return pick(10);
    return walk.lc.requests[pick(walk.lc.request_count)].id;
}

static void become_new(struct lc_event *ev, enum lc_event_kind kind) {
    static const enum lc_kind kinds[] = { LC_KIND_INFER, LC_KIND_INFER, LC_KIND_INFER,
                                          LC_KIND_LIGHT, LC_KIND_GET_OR_LOAD };

    ev->kind = kind;
    ev->request = ++walk.request;
    ev->request_kind = kinds[pick(5)];
    ev->client = pick(5);
    ev->model = pick_model();
    ev->slot = pick(4) == 0 ? (int)pick(LC_MAX_SLOTS) : LC_NO_SLOT;
    ev->ttl = pick_ttl();
    ev->force = pick(8) == 0;
    ev->own_slot = pick(4) == 0;
    ev->plan = (struct lc_plan){
        .lasting = pick(5) == 0,
        .need = (nbytes)1000 * (1 + ev->model % 7),
        .wish = ev->model % 2 ? (nbytes)1000 * (1 + ev->model % 5) : 0,
        .reload = 1 + (msec)pick(60000),
        .parallel = 1 + pick(4),
        .file = pick(8) == 0,
        .ttl = pick(3) == 0 ? (msec)pick(20000) : LC_TTL_NOT_GIVEN,
        .type = ev->model % 3 == 0 ? LC_TYPE_EMBEDDING : LC_TYPE_LANGUAGE,
    };
    ev->plan.settings = 8 * ev->plan.lasting + ev->plan.parallel;
}

/* A slot in this state and its worker's generation, now and then the one before. */
static void name_worker(struct lc_event *ev, enum lc_state state) {
    ev->slot = pick_slot(state);
    ev->generation = walk.lc.slots[ev->slot].generation - (pick(20) == 0);
}

static void become_report(struct lc_event *ev, enum lc_event_kind kind, enum lc_state state) {
    ev->kind = kind;
    name_worker(ev, state);
    ev->permille = pick(1001);
    ev->bytes = 500 + pick(9000);
    ev->device = pick(2) ? pick(5000) : 0;
    ev->least = pick(9000);
    ev->optional = pick(3) == 0;
    ev->parallel = pick(5);
    if (kind != LC_EV_DONE || walk.lc.request_count == 0) return;
    const struct lc_request *r = &walk.lc.requests[pick(walk.lc.request_count)];
    ev->request = r->id;
    ev->slot = r->slot;
    ev->generation = walk.lc.slots[r->slot].generation;
}

static void become_settings(struct lc_event *ev) {
    ev->kind = LC_EV_SETTINGS;
    ev->settings = walk.lc.settings;
    ev->settings.auto_evict = (enum lc_auto_evict)pick(4);
    ev->settings.jit = pick(5) != 0;
    ev->settings.jit_limit = 1 + pick(3);
    ev->settings.ttl_update = (enum lc_ttl_update)pick(3);
    ev->settings.switch_window = (msec)pick(3) * 700;
    ev->settings.default_ttl = pick(3) == 0 ? MSEC_NEVER : (msec)pick(20000);
    ev->settings.max_waiting = 1 + pick(60);
}

static void become_order(struct lc_event *ev) {
    switch (pick(9)) {
    case 8:
        ev->kind = LC_EV_PRESSURE;
        break;
    case 0:
    case 1:
        become_settings(ev);
        break;
    case 2:
        ev->kind = LC_EV_BUDGET;
        ev->bytes = pick(3) == 0 ? UINT64_MAX : (nbytes)pick(40000);
        ev->device = pick(3) == 0 ? UINT64_MAX : (nbytes)pick(20000);
        break;
    case 3:
    case 4:
        ev->kind = LC_EV_UNLOAD;
        name_worker(ev, pick(2) ? LC_BUSY : LC_IDLE);
        break;
    default:
        ev->kind = LC_EV_UPDATE;
        name_worker(ev, pick(2) ? LC_BUSY : LC_IDLE);
        ev->origin = pick(2) ? LC_ORIGIN_JIT : LC_ORIGIN_EXPLICIT;
        ev->ttl = pick_ttl();
    }
}

/* Now, a little later, or just when something is due. */
static msec pick_time(void) {
    msec deadline = lifecycle_deadline(&walk.lc);

    switch (pick(8)) {
    case 0:
        return deadline == MSEC_NEVER || deadline > walk.lc.now + 100000 ? walk.lc.now
                                                                         : deadline;
    case 1:
        return walk.lc.now + pick(1500);
    case 2:
        return walk.lc.now + pick(30);
    default:
        return walk.lc.now;
    }
}

/* The answer to a PREPARE, which is the next event; false if none is awaited. */
static bool pick_answer(struct lc_event *ret) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (walk.lc.slots[i].prepared != LC_PREPARING) continue;
        *ret = (struct lc_event){ .kind = pick(30) ? LC_EV_PREPARED : LC_EV_PREPARE_FAILED,
                                  .now = walk.lc.now,
                                  .slot = i,
                                  .generation = walk.lc.slots[i].generation };
        return true;
    }
    return false;
}

static struct lc_event pick_event(void) {
    struct lc_event ev = {
        .kind = LC_EV_TICK, .now = pick_time(), .slot = LC_NO_SLOT, .ttl = LC_TTL_NOT_GIVEN
    };
    uint32_t dice = pick(1000);

    if (dice < 300)
        become_new(&ev, LC_EV_REQUEST);
    else if (dice < 340)
        become_new(&ev, LC_EV_LOAD);
    else if (dice < 400) {
        ev.kind = LC_EV_CANCEL;
        ev.request = pick_request();
    } else if (dice < 420) {
        ev.kind = LC_EV_READER;
        ev.request = pick_request();
        ev.stuck = pick(3) > 0;
    } else if (dice < 620)
        become_report(&ev, LC_EV_DONE, LC_BUSY);
    else if (dice < 720)
        become_report(&ev, LC_EV_READY, LC_LOADING);
    else if (dice < 850)
        become_report(&ev, LC_EV_EXITED, LC_UNLOADING);
    else if (dice < 870)
        become_report(&ev, LC_EV_PROGRESS, LC_LOADING);
    else if (dice < 900)
        become_report(&ev, LC_EV_HEARD, LC_BUSY);
    else if (dice < 915)
        become_report(&ev, LC_EV_LOAD_FAILED, LC_LOADING);
    else if (dice < 917)
        become_report(&ev, LC_EV_GROW, (enum lc_state)pick(LC_STATE_COUNT));
    else if (dice < 920)
        become_report(&ev, LC_EV_MEMORY, (enum lc_state)pick(LC_STATE_COUNT));
    else if (dice < 925)
        become_report(&ev, LC_EV_EXITED, (enum lc_state)pick(LC_STATE_COUNT));
    else if (dice < 950)
        become_order(&ev);
    return ev;
}

static void complain(const char *broken) {
    printf("step %" PRIu64 ", event %d at %lld: %s\n", walk.step, (int)walk.ev.kind,
           (long long)walk.ev.now, broken);
    fflush(stdout);
}

static void on_abort(int signal) {
    (void)signal;
    complain("an assertion failed");
    _exit(1);
}

static void begin(void) {
    struct lc_settings settings = lc_settings_default();

    settings.default_ttl = 20000;
    lifecycle_init(&walk.lc, &settings);
}

/* A world ends by a shutdown now and then, and a new one begins. */
static bool over(void) {
    return walk.lc.finished && pick(20) == 0;
}

static bool take_step(void) {
    static struct lifecycle before;
    static struct lc_actions actions;

    bool answers = pick_answer(&walk.ev);

    if (!answers) walk.ev = pick_event();
    if (!answers && (walk.lc.shutting_down ? pick(300) == 0 : pick(20000) == 0))
        walk.ev.kind = LC_EV_SHUTDOWN;
    before = walk.lc;
    lifecycle_step(&walk.lc, &walk.ev, &actions);
    const char *broken = monitor_step(&before, &walk.ev, &walk.lc, &actions, NULL);
    if (broken != NULL) complain(broken);
    return broken == NULL;
}

int main(int argc, char **argv) {
    uint32_t crowd = 0;

    walk.steps = argc > 1 ? strtoull(argv[1], NULL, 10) : STEPS_DEFAULT;
    walk.random = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (argc > 3 || walk.steps == 0 || walk.random == 0) {
        fprintf(stderr, "usage: walk [steps [seed]], both above 0\n");
        return 2;
    }
    (void)sigaction(SIGABRT, &(struct sigaction){ .sa_handler = on_abort }, NULL);
    begin();
    for (; walk.step < walk.steps; walk.step++) {
        if (!take_step()) return 1;
        if (walk.lc.request_count > crowd) crowd = walk.lc.request_count;
        if (over()) begin();
    }
    printf("%" PRIu64 " steps, %" PRIu64 " requests, up to %u at a time\n", walk.steps,
           walk.request, crowd);
    return 0;
}
