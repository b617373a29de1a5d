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

/* NULL if the requests drain, else what went wrong. `drained` remembers keys of states that do.
 */
const char *liveness_drains(const struct lifecycle *from, struct keyset *drained);

/* NULL if all who wait in the state are served although each step brings another request for a
 * busy instance. */
const char *liveness_fair(const struct lifecycle *from);

#endif
