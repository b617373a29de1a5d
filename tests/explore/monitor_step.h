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

/* monitor_memory.c */
property memory_is_kept, device_is_given, pressure_takes_one;

#endif
