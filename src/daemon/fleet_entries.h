/* SPDX-License-Identifier: MIT */
/*
 * fleet_entries.h - this node's entries (fleet/published.h), put into the fleet or, where there
 * is none, into a table. For fleet_node.c.
 */
#ifndef DOZE_DAEMON_FLEET_ENTRIES_H
#define DOZE_DAEMON_FLEET_ENTRIES_H

#include "daemon/fleet_node.h"
#include "fleet/fleet.h"

/* Bytes; nothing is published of a model whose key is longer. */
enum { FLEET_MODEL_KEY_MAX = ETCD_KEY_MAX - FLEET_NODE_SIZE - 32 };

/* All borrowed. */
struct fleet_entries {
    const struct fleet_node_config *config;
    const char *node; /* its name */
    struct fleet *fleet;
    struct fleet_table *table; /* NULL: they go to the fleet */
    nbytes *memory_free;       /* as it was published last; changes */
    struct held_prompts *held; /* loses those whose instances have gone */
};

/* Put what the node has now; what the fleet has of it beside that is withdrawn. models: those
 * on the disk, too, which change seldom. */
void fleet_entries_put(const struct fleet_entries *entries, bool models);

#endif
