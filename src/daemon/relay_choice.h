/* SPDX-License-Identifier: MIT */
/*
 * relay_choice.h - which node a request of a relay goes to next, by what the nodes have
 * published and by those that have failed it. For relay.c.
 *
 * It decides, and notes where requests go (fleet_node.h); relay.c sends, fetches and waits.
 * Each other node is asked once, and RELAY_TRIES of them at most: then only this node is left.
 */
#ifndef DOZE_DAEMON_RELAY_CHOICE_H
#define DOZE_DAEMON_RELAY_CHOICE_H

#include "daemon/relay.h"
#include "fleet/fleet_table.h"
#include "hub/peer_fetch.h"

enum { RELAY_TRIES = 8 };

struct forwarder;

struct relay_choice {
    struct fleet_node *node;
    const struct relay_request *q; /* borrowed, but for these two */
    char *key;                     /* of the model here; NULL: it has none */
    struct allowed_models allowed;
    char only[FLEET_NODE_SIZE];   /* no other node can answer; "": others can */
    char loader[FLEET_NODE_SIZE]; /* to be asked next; "": placement decides */
    char *tried[RELAY_TRIES];
    size_t tried_count;
    int referrals;
    uint32_t prompt; /* tokens, about */
    uint64_t lot;    /* placement_request.key */
};

enum relay_step {
    RELAY_HERE,   /* this node answers */
    RELAY_FETCH,  /* likewise, once it has the files of `model` */
    RELAY_SEND,   /* `node` is to be asked */
    RELAY_WAIT,   /* for a load on a node that has failed: choose again in a moment */
    RELAY_NOBODY, /* is left */
    RELAY_FAIL,   /* as *ret_err says */
};

struct relay_next {
    struct forwarder *forwarder; /* SEND; borrowed, as is the url, until the loop goes on */
    const char *url;             /* of the node, maybe with slashes at its end */
    char node[FLEET_NODE_SIZE];
    struct peer_model model; /* FETCH; the caller's */
};

/* Borrows the request until it is cleared. only: "" if any node may answer; copied. */
void relay_choice_init(struct relay_choice *choice, struct fleet_node *node,
                       const struct relay_request *request, const char *only);
void relay_choice_clear(struct relay_choice *choice);

/* ret, ret_err: as the step says. */
enum relay_step relay_choose(struct relay_choice *choice, struct relay_next *ret,
                             struct error *ret_err);

/* The node did not answer, or another one may have a better answer. */
void relay_choice_failed(struct relay_choice *choice, const char *node);
/* The node says that this one loads the model. False: it was referred often enough. */
bool relay_choice_refer(struct relay_choice *choice, const char *loader);

#endif
