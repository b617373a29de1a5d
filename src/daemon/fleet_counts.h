/* SPDX-License-Identifier: MIT */
/*
 * fleet_counts.h - counters of what this node does with others, and their Prometheus text.
 * Pure.
 *
 * What other nodes do is in their own metrics: if each told it of all, a thousand nodes would
 * make a million series.
 */
#ifndef DOZE_DAEMON_FLEET_COUNTS_H
#define DOZE_DAEMON_FLEET_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "fleet/fleet_table.h"

enum fleet_event {
    FLEET_FORWARDED, /* a request was sent to the node */
    FLEET_RETRIED,   /* it did not answer or refused, and another one was looked for */
    FLEET_LOST,      /* it was lost within its answer */
    FLEET_RECEIVED,  /* another node's request; no node is named, as in those below */
    FLEET_CLAIM_WON, /* a cold load is this node's */
    FLEET_CLAIM_LOST,
};
enum { FLEET_PEER_EVENTS = FLEET_LOST + 1, FLEET_EVENTS = FLEET_CLAIM_LOST + 1 };

/* Nodes that are counted one by one; those that come later are counted together, and their
 * label is empty. */
enum { FLEET_COUNTED = 64 };

struct fleet_peer_counts {
    char node[FLEET_NODE_SIZE];
    uint64_t events[FLEET_PEER_EVENTS];
};

/* Zeroed: nothing has happened. */
struct fleet_counts {
    struct fleet_peer_counts peers[FLEET_COUNTED + 1];
    size_t peer_count;
    uint64_t events[FLEET_EVENTS];
};

void fleet_counts_add(struct fleet_counts *counts, enum fleet_event event, const char *peer);

/* Append them. nodes: how many are known; reached: does etcd answer? */
void fleet_counts_format(const struct fleet_counts *counts, size_t nodes, bool reached,
                         struct buf *out);

#endif
