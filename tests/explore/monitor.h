/* SPDX-License-Identifier: MIT */
/*
 * monitor.h - says what a step of the lifecycle core broke, judging by the state before, the
 * event, the actions and the state after. It remembers nothing, so scenarios, the explorer and
 * the random walk share it. Compiled with the capacities of the core it watches.
 */
#ifndef DOZE_TESTS_MONITOR_H
#define DOZE_TESTS_MONITOR_H

#include "lifecycle/lifecycle.h"
#include "rules.h"

/* NULL if every property holds, else a sentence that names the broken one. Counts transitions
 * in `taken`, as rules.h numbers them, unless that is NULL. */
const char *monitor_step(const struct lifecycle *before, const struct lc_event *ev,
                         const struct lifecycle *after, const struct lc_actions *actions,
                         uint64_t taken[RULES_TRANSITIONS]);

/* True if the two differ in nothing but `now`. */
bool monitor_same(const struct lifecycle *a, const struct lifecycle *b);

#endif
