/* SPDX-License-Identifier: MIT */
/*
 * fleet_node_own.h - a node of the fleet, for its own files: fleet_node.c (what it publishes
 * and receives, its start and end), fleet_peers.c (requests between nodes), fleet_prompts.c
 * (which prompts it has) and fleet_describe.c (what it says of the fleet).
 */
#ifndef DOZE_DAEMON_FLEET_NODE_OWN_H
#define DOZE_DAEMON_FLEET_NODE_OWN_H

#include "daemon/fleet_node.h"
#include "daemon/settings_store.h"
#include "fleet/fleet.h"
#include "fleet/fleet_view.h"

struct fleet_node {
    struct fleet_node_config config;
    struct fleet_settings settings; /* in force */
    char name[FLEET_NODE_SIZE];
    struct fleet *fleet;   /* NULL: no fleet */
    struct claims *claims; /* likewise */
    uv_timer_t gather, look;
    nbytes memory_free; /* as published */
    bool models_changed, warned, left;
    struct forwarder *forwarder; /* NULL: not needed yet */
    struct fleet_sent sent[FLEET_SENT_MAX];
    size_t sent_next; /* in a ring */
    struct fleet_counts counts;
    int relays;
    struct held_prompts held;
    bool held_changed; /* since they were saved */
};

/* Publish what has changed, now. */
void fleet_node_publish(struct fleet_node *node);
/* Put into the table what it would publish if there were a fleet. */
void fleet_node_fill(struct fleet_node *node, struct fleet_table *table);
/* How many nodes are known. */
size_t fleet_node_count(const struct fleet_node *node);
/* The prompts that its last run had, and those for the next one. last: it ends now. */
void fleet_node_read_prompts(struct fleet_node *node);
void fleet_node_save_prompts(struct fleet_node *node, bool last);

#endif
