/* SPDX-License-Identifier: MIT */
/*
 * rules.h - docs/lifecycle.md written down a second time, for the tests.
 *
 * The core is judged by this page, not by its own tables: nothing here calls lc_edge_legal() or
 * lifecycle_valid(). Who changes a rule changes it in both places, and the explorer says where
 * the two disagree.
 */
#ifndef DOZE_TESTS_RULES_H
#define DOZE_TESTS_RULES_H

#include "lifecycle/lifecycle.h"

/* A transition and one of the reasons that may cause it. */
struct transition {
    enum lc_state from, to;
    enum lc_reason reason;
};

enum { RULES_TRANSITIONS = 28 };
extern const struct transition rules_transitions[RULES_TRANSITIONS];

/* The index of the transition in the table above, or -1 if the rules do not have it. */
int rules_find(enum lc_state from, enum lc_state to, enum lc_reason reason);

/* NULL if the state keeps every rule that one state can show, else a sentence that names the
 * broken one. */
const char *rules_broken(const struct lifecycle *lc);

#endif
