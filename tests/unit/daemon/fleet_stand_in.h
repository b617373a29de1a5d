/* SPDX-License-Identifier: MIT */
/* fleet_stand_in.h - a node "a" of a fleet for tests of what asks it: a table, no etcd and no
 * sockets. Its functions are in place of the daemon's. */
#ifndef DOZE_TESTS_FLEET_STAND_IN_H
#define DOZE_TESTS_FLEET_STAND_IN_H

#include "fleet/fleet_table.h"

/* Zeroed: it is on, and knows nobody. */
struct fleet_node {
    struct fleet_table table;
    bool off;
    int relays; /* that go on */
};

#endif
