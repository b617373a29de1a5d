/* SPDX-License-Identifier: MIT */
/*
 * seeded.c - linked between the explorer and the core (ld's --wrap): forges what the core says,
 * so that the explorer has something to report. DOZE_SEED names the bug; seeded.sh runs each.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lifecycle/lifecycle.h"

typedef void step(struct lifecycle *lc, const struct lc_event *ev, struct lc_actions *actions);
step __real_lifecycle_step, __wrap_lifecycle_step;

static bool seed_is(const char *name) {
    const char *seed = getenv("DOZE_SEED");

    return seed != NULL && strcmp(seed, name) == 0;
}

/* The worker's exit, EXITED being the last kind of event, is reported to nobody. */
static void forge_silence(struct lc_actions *actions, const struct lc_event *ev) {
    if (ev->kind == LC_EV_EXITED) actions->count = 0;
}

/* What is idle and has to leave drains first: the diagram has no such way. */
static void forge_state(struct lifecycle *lc, struct lc_actions *actions) {
    for (uint32_t i = 0; i < actions->count; i++) {
        struct lc_action *a = &actions->list[i];
        if (a->kind != LC_DO_REPORT || a->from != LC_IDLE || a->to != LC_UNLOADING) continue;
        a->to = LC_DRAINING;
        lc->slots[a->slot].state = LC_DRAINING;
    }
}

/* A transition that exists, for a reason that is not one of it. */
static void forge_reason(struct lc_actions *actions) {
    for (uint32_t i = 0; i < actions->count; i++)
        if (actions->list[i].kind == LC_DO_REPORT && actions->list[i].to == LC_ABSENT)
            actions->list[i].reason = LC_BECAUSE_TTL;
}

/* An assertion that fails far from the start: a cancel beside a second worker. */
static void check_cancel(const struct lifecycle *lc, const struct lc_event *ev) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        assert(ev->kind != LC_EV_CANCEL || lc->slots[i].generation < 2);
}

void __wrap_lifecycle_step(struct lifecycle *lc, const struct lc_event *ev,
                           struct lc_actions *actions) {
    if (seed_is("assertion")) check_cancel(lc, ev);
    __real_lifecycle_step(lc, ev, actions);
    if (seed_is("silence")) forge_silence(actions, ev);
    if (seed_is("state")) forge_state(lc, actions);
    if (seed_is("reason")) forge_reason(actions);
}
