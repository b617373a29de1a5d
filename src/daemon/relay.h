/* SPDX-License-Identifier: MIT */
/*
 * relay.h - a client's request that the node answers where the answer comes soonest.
 *
 *   choosing --this node--> on_here, and the exchange is the caller's again
 *   choosing --another node--> sent --its answer begins--> answering --its end--> on_end
 *   sent --no answer, or one that another node might better--> choosing, without that node
 *   choosing --this node, which lacks the file--> fetching --it has come--> on_here
 *   choosing --nobody is left, but a node that failed still has its lease--> waiting
 *   waiting --after a moment--> choosing
 *
 * Once a byte of an answer is out no other node is asked: the stream ends with an error event
 * of its dialect, or the connection is cut. An answer of known length, and no more than a
 * megabyte, is only begun when it is complete.
 */
#ifndef DOZE_DAEMON_RELAY_H
#define DOZE_DAEMON_RELAY_H

#include <uv.h>

#include "api/dialect.h"

struct downloads;
struct exchange;
struct fleet_node;
struct prefix_marks;
struct relay;

struct relay_request {
    struct exchange *x;
    const struct dialect *dialect;
    enum service_op op;
    const char *id;        /* of an answer that this node makes; borrowed until the end */
    struct parsed *parsed; /* borrowed until the end; its bodies go when an answer has begun */
    const struct prefix_marks *marks; /* of the prompt; borrowed until the end */
    const char *key;                  /* of the model here; NULL: it has none. Copied */
    bool forwarded;              /* by another node: this one answers, once it has the file */
    struct downloads *downloads; /* get the files; NULL: they may not */
    const char *loader; /* a node that loads the model, to be asked first; NULL. Copied */
    uint64_t client;
    const char *owner;                    /* FLEET_OWNER_HEADER; NULL. Copied */
    const struct allowed_models *allowed; /* copied */
};

/* One of them is called, as the last. */
struct relay_sink {
    void (*on_here)(void *ctx); /* the exchange is untouched */
    void (*on_end)(void *ctx);  /* the exchange is over */
    void *ctx;
};

/* False: this node answers, and no sink is called. True: the exchange is the relay's until it
 * calls one, maybe before this returns. */
bool relay_begin(uv_loop_t *loop, struct fleet_node *node, const struct relay_request *request,
                 struct relay_sink sink) __attribute__((warn_unused_result));

/* Answer the exchange, whatever it asks for, by that node and no other. Takes the exchange;
 * copies the texts. owner: as in relay_request. */
void relay_pass(uv_loop_t *loop, struct fleet_node *node, struct exchange *x, const char *to,
                const char *owner);

#endif
