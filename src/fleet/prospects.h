/* SPDX-License-Identifier: MIT */
/*
 * prospects.h - what each node could do with a request if no other node could answer it.
 *
 * Pure. For people who ask why a request goes where it goes: placement_choose, once for each
 * node that has the model.
 */
#ifndef DOZE_FLEET_PROSPECTS_H
#define DOZE_FLEET_PROSPECTS_H

#include "fleet/fleet_view.h"

enum { PROSPECTS_MAX = 32 };

struct prospect {
    uint32_t node; /* of the view */
    struct placement placement;
};

/* Of nodes that have the file or the model in memory, in the order of the rules, and the
 * soonest first; those that would refuse it come last. Returns how many. */
uint32_t prospects_make(const struct fleet_view *view, msec now,
                        struct prospect ret[PROSPECTS_MAX]);

#endif
