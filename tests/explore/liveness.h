/* SPDX-License-Identifier: MIT */
/*
 * liveness.h - does everybody get served in the end? From a state, workers that answer as they
 * should must bring every request to its end; and a waiter must be served however steadily
 * others ask for the model that is in its way.
 */
#ifndef DOZE_TESTS_LIVENESS_H
#define DOZE_TESTS_LIVENESS_H

#include "keyset.h"
#include "lifecycle/lifecycle.h"

/* Steps; far more than any state of the domains needs. Each is up to two events. */
#define LIVENESS_STEPS_MAX 200
#define LIVENESS_EVENTS_MAX (2 * LIVENESS_STEPS_MAX)

/* What was played: the events from the state on, and what the last one caused. */
struct play {
    uint32_t count;
    struct lc_event events[LIVENESS_EVENTS_MAX];
    struct lc_actions actions;
};

/* NULL if the requests drain, else what went wrong. `drained` remembers keys of states that
 * do. */
const char *liveness_drains(const struct lifecycle *from, struct keyset *drained,
                            struct play *ret_play);

/* NULL if all who wait in the state are served although each step brings another request for a
 * busy instance. */
const char *liveness_fair(const struct lifecycle *from, struct play *ret_play);

#endif
