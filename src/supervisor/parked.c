/* SPDX-License-Identifier: MIT */
#include "supervisor/parked.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "supervisor/log_budget.h"

struct parked {
    struct parked_owner owner;
    struct parked_facts places[PARKED_MAX];
    struct worker *workers[PARKED_MAX];
    char *keys[PARKED_MAX];
    call_id unloading[PARKED_MAX];
    struct log_budget log_budget;
    bool closing; /* its owner is gone */
    int open;     /* the owner, and the workers */
};

static void drop_hold(struct parked *p) {
    if (--p->open == 0) free(p);
}

static int place_of(const struct parked *p, const struct worker *worker) {
    int place = 0;
    while (place < PARKED_MAX && p->workers[place] != worker) place++;
    assert(place < PARKED_MAX);
    return place;
}

static void clear_place(struct parked *p, int place) {
    free(p->keys[place]);
    p->keys[place] = NULL;
    p->workers[place] = NULL;
    p->unloading[place] = 0;
    p->places[place] = (struct parked_facts){ 0 };
}

/* ---- the worker ---- */

/* Parked workers send nothing that matters. */
static void parked_on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    (void)ctx;
    (void)frame;
    worker_kill(worker);
}

static void parked_on_line(void *ctx, struct worker *worker, const char *line) {
    struct parked *p = ctx;
    if (log_budget_take(&p->log_budget, clock_boottime()) == LOG_LINE)
        log_warn("the parked worker of %s: %s", p->keys[place_of(p, worker)], line);
}

static void parked_on_gone(void *ctx, struct worker *worker, const char *how) {
    struct parked *p = ctx;
    int place = place_of(p, worker);
    call_id unloading = p->unloading[place];
    if (!p->places[place].leaves && !p->closing) {
        log_warn("the parked worker of %s %s", p->keys[place], how);
        p->owner.on_end(p->owner.ctx, place, PARKED_DIED);
    }
    clear_place(p, place);
    if (!p->closing) p->owner.on_gone(p->owner.ctx, unloading);
    drop_hold(p);
}

/* ---- for the supervisor ---- */

struct parked *parked_new(const struct parked_owner *owner) {
    struct parked *p = xcalloc(1, sizeof *p);
    p->owner = *owner;
    p->open = 1;
    return p;
}

void parked_free(struct parked *parked) {
    if (!parked) return;
    parked->closing = true;
    for (int i = 0; i < PARKED_MAX; i++) {
        if (parked->workers[i]) worker_kill(parked->workers[i]);
    }
    drop_hold(parked);
}

const struct parked_facts *parked_places(const struct parked *parked) {
    return parked->places;
}

int parked_pid(const struct parked *parked, int place) {
    return worker_pid(parked->workers[place]);
}

nbytes parked_private_bytes(const struct parked *parked) {
    nbytes sum = 0;
    for (int i = 0; i < PARKED_MAX; i++) {
        if (parked->workers[i]) sum += worker_private_bytes(parked->workers[i]);
    }
    return sum;
}

bool parked_unloads(const struct parked *parked, call_id unloading) {
    for (int i = 0; i < PARKED_MAX; i++) {
        if (parked->unloading[i] == unloading) return true;
    }
    return false;
}

void parked_add(struct parked *parked, int place, struct worker *worker,
                const struct parked_facts *facts) {
    const struct worker_owner owner = { .on_frame = parked_on_frame,
                                        .on_gone = parked_on_gone,
                                        .on_line = parked_on_line,
                                        .ctx = parked };
    assert(!parked->places[place].taken);
    parked->workers[place] = worker;
    parked->keys[place] = xstrdup(facts->model_key);
    parked->places[place] = *facts;
    parked->places[place].taken = true;
    parked->places[place].model_key = parked->keys[place];
    worker_adopt(worker, -1, 0, &owner);
    parked->open++;
}

struct worker *parked_take(struct parked *parked, int place, int slot, uint32_t generation,
                           const struct worker_owner *owner) {
    struct worker *worker = parked->workers[place];
    clear_place(parked, place);
    worker_adopt(worker, slot, generation, owner);
    drop_hold(parked);
    return worker;
}

void parked_give_up(struct parked *parked, int place, enum parked_reason reason,
                    call_id unloading) {
    parked->owner.on_end(parked->owner.ctx, place, reason);
    parked->places[place].leaves = true;
    parked->unloading[place] = unloading;
    worker_kill(parked->workers[place]);
}
