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
}
