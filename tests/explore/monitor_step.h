/* SPDX-License-Identifier: MIT */
/* monitor_step.h - one step of the core, and the properties of it that are not in monitor.c. */
#ifndef DOZE_TESTS_MONITOR_STEP_H
#define DOZE_TESTS_MONITOR_STEP_H

#include "lifecycle/lifecycle.h"

struct step {
    const struct lifecycle *before, *after;
    const struct lc_event *ev;
    const struct lc_actions *actions;
};

typedef const char *property(const struct step *s);

/* How many actions of the kind the step has for the slot. */
uint32_t count_on(const struct step *s, enum lc_action_kind kind, int slot);

/* The request with this id; NULL: none. */
const struct lc_request *request_in(const struct lifecycle *lc, uint64_t id);

/* The first request that waits for the slot; NULL: none. */
const struct lc_request *waiter_in(const struct lifecycle *lc, int slot);

/* Does an explicit load wait for the slot? */
bool load_waits_in(const struct lifecycle *lc, int slot);

/* monitor_evict.c */
property eviction_is_fair, workers_come_before_evictions, gates_are_closed, jit_places_are_kept,
    line_is_in_order, leases_are_kept, idle_victims_have_grace;

/* Another became jit by hand, now or while this one was loading or leased. */
bool unpinned(const struct step *s, int slot);

/* Is it for an instance that is loaded and grows, not for a load? */
bool is_for_growth(const struct step *s, const struct lc_action *a);

/* monitor_memory.c */
property memory_is_kept, device_is_given, pressure_takes_one, growth_is_kept;

#endif
