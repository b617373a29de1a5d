/* SPDX-License-Identifier: MIT */
/*
 * membership.h - how a node stays in the fleet: its lease, its keys, and what it knows of the
 * other nodes.
 *
 * Pure: the time is an argument, calls to etcd are asked for with membership_next and their
 * answers are told. No socket, clock or log.
 *
 *   no lease --grant--> lease --keepalive every 3 s--> lease
 *   lease --the answer says that it is gone--> no lease, and all keys are written again
 *   lease --10 s without an answer--> no lease, alone: the table has only this node's entries
 *
 * With a lease: the node's own key first (created, so that two daemons with one name are
 * noticed), then the other keys; the table by a range and the watch that follows it. Whatever
 * breaks the watch leads to another range, so no change is missed. A lane that failed waits
 * longer each time, up to 5 s.
 */
#ifndef DOZE_FLEET_MEMBERSHIP_H
#define DOZE_FLEET_MEMBERSHIP_H

#include "base/msec.h"
#include "fleet/etcd.h"
#include "fleet/fleet_table.h"

enum {
    MEMBERSHIP_LEASE = 10000, /* ms, as all of these */
    MEMBERSHIP_KEEPALIVE = 3000,
    MEMBERSHIP_NODE_STEP = 1000, /* between two writes of nodes/<node>, of prefixes/<node> */
    MEMBERSHIP_OTHER_STEP = 200, /* ... of another key */
    MEMBERSHIP_BEHIND = 30000,   /* the watch has not told what others know: read again */
    MEMBERSHIP_NAME_STEP = 3000, /* between two looks whether a taken name is free */
    MEMBERSHIP_DELAY_MIN = 100,
    MEMBERSHIP_DELAY_MAX = 5000,
};

/* What the owner of the machine should read, as bits. */
enum {
    MEMBERSHIP_JOINED = 1,     /* it has a lease and knows the others */
    MEMBERSHIP_ALONE = 2,      /* it knows of no other node until etcd answers */
    MEMBERSHIP_NAME_TAKEN = 4, /* another daemon has the node's name */
};

struct membership;

/* node: fleet_node_is_name. seed: of the spread of waits, not the same on all nodes. */
struct membership *membership_new(const char *node, uint64_t seed, msec now);
void membership_free(struct membership *m);

/* Publish a JSON object under a key of this node, or withdraw it (NULL). Key and value have at
 * most ETCD_KEY_MAX - 16 and ETCD_VALUE_MAX bytes. "nodes/<node>" is needed before anything is
 * written, and stays. */
void membership_set(struct membership *m, const char *key, const char *value);

/* The next call that is due; then its lane is busy until it is told what became of it. False:
 * none before membership_deadline. What the request names is borrowed until the next call of a
 * function here. */
bool membership_next(struct membership *m, msec now, enum etcd_lane *ret_lane,
                     struct etcd_request *ret) __attribute__((warn_unused_result));
msec membership_deadline(const struct membership *m);

void membership_answer(struct membership *m, enum etcd_lane lane,
                       const struct etcd_answer *answer, msec now);
void membership_failure(struct membership *m, enum etcd_lane lane, const struct error *err,
                        msec now);

/* What has happened since it was last asked. */
unsigned membership_take_news(struct membership *m);

struct membership_status {
    bool reached;     /* etcd answered the last call about the lease */
    msec since;       /* when that became so */
    msec valid_until; /* of the table; 0: it has this node only */
    const char *why;  /* what failed last; "" if nothing did since etcd was reached. Borrowed */
    const char *rival; /* the url of the daemon that has the name; "": none. Borrowed */
    int64_t lease;     /* 0: none */
};
struct membership_status membership_status(const struct membership *m);

/* The entries of all nodes, this one's as they were set. */
const struct fleet_table *membership_table(const struct membership *m);

/* Another number after each change of the table, and of the status but for `valid_until` being
 * put off, `why` and `lease`. */
uint64_t membership_changes(const struct membership *m);

#endif
