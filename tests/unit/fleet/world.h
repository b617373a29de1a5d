/* SPDX-License-Identifier: MIT */
/*
 * world.h - nodes of a fleet and an etcd made of a few lists, on a virtual clock.
 *
 * This etcd does what 3.4.23 was seen to do: a keepalive of a dead lease is answered without a
 * ttl, a put under one fails as not found, a watch above the store's revision waits in silence.
 */
#ifndef TESTS_UNIT_FLEET_WORLD_H
#define TESTS_UNIT_FLEET_WORLD_H

#include "fleet/membership.h"

enum { WORLD_NODES = 4, WORLD_LIST = 512, WORLD_TEXT = 256 };

struct world_pair {
    char key[WORLD_TEXT], value[WORLD_TEXT];
    bool removed; /* of a change */
    int64_t lease, revision;
};

struct world_lease {
    int64_t id;
    msec expires;
};

struct world_call {
    msec at;
    int node;
    struct etcd_request request; /* without its texts */
    char key[WORLD_TEXT];
};

struct world_node {
    struct membership *m;
    bool cut;                 /* its calls fail */
    bool deaf;                /* its watch tells nothing, and stays open */
    int64_t watch;            /* the next revision that it is told; 0: no watch */
    int joined, alone, taken; /* how often that was said */
};

struct world {
    msec now;
    bool down;
    uint64_t cluster;
    int64_t revision, next_lease;
    struct world_pair pairs[WORLD_LIST], changes[WORLD_LIST];
    size_t pair_count, change_count;
    struct world_lease leases[WORLD_LIST];
    size_t lease_count;
    struct world_node nodes[WORLD_NODES];
    struct world_call calls[WORLD_LIST];
    size_t call_count;
};

struct world *world_new(void);
void world_free(struct world *w);

/* A node that publishes nodes/<name> with the url, and models/<name>. */
void world_start(struct world *w, int node, const char *name, const char *url);
/* As by SIGKILL. */
void world_kill(struct world *w, int node);

/* Let time pass, with everything that is due. */
void world_run(struct world *w, msec span);

/* An etcd without data in the place of the other. */
void world_wipe(struct world *w);
void world_revoke(struct world *w, int node); /* the node's lease */
/* Somebody writes or (NULL) removes a key of etcd. */
void world_put(struct world *w, const char *key, const char *value);
/* End the node's watch as if its next change had been compacted. */
void world_compact(struct world *w, int node);

/* Does the node know of this key? */
bool world_knows(const struct world *w, int node, const char *key);
/* Does etcd have it? */
bool world_has(const struct world *w, const char *key);
/* Calls of this kind since the time; key: "" for any. */
int world_calls(const struct world *w, int node, enum etcd_call call, const char *key,
                msec since);

#endif
