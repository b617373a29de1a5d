/* SPDX-License-Identifier: MIT */
/*
 * placement_estimate.h - what a node would need for a request; for placement only.
 *
 * Integers throughout: nodes of different machines have to come to the same figures. Whatever
 * peers have published, no figure overflows and none is longer than PLACEMENT_LONGEST.
 */
#ifndef DOZE_FLEET_PLACEMENT_ESTIMATE_H
#define DOZE_FLEET_PLACEMENT_ESTIMATE_H

#include "fleet/placement.h"

/* A request of which nothing is known but that it is there. */
#define PLACEMENT_TYPICAL_PROMPT 512
#define PLACEMENT_TYPICAL_ANSWER 256

/* Until a node has measured its own: megabytes per second from disk and from a peer, and
 * megabytes of weights that a core, or a graphics card, gets through per second for tokens of a
 * prompt and of an answer. */
#define PLACEMENT_LOAD_RATE 500
#define PLACEMENT_FETCH_RATE 100
#define PLACEMENT_PROMPT_RATE 50000
#define PLACEMENT_ANSWER_RATE 5000
#define PLACEMENT_GPU_PROMPT_RATE 8000000
#define PLACEMENT_GPU_ANSWER_RATE 400000

/* Milliseconds until a parked worker has the model loaded again. */
#define PLACEMENT_WAKE_TIME 10

enum placement_room {
    PLACEMENT_ROOM_NONE,
    PLACEMENT_ROOM_DRAIN, /* answers have to end first */
    PLACEMENT_ROOM_EVICT, /* idle instances leave */
    PLACEMENT_ROOM_FREE,
};

/* The least busy instance of the model that is in the state; NULL. */
const struct placement_instance *placement_find(const struct placement_node *node,
                                                uint64_t model, enum placement_state state);

/* Can the node make room for the model? *ret_drain: how long the answers take that have to end
 * first. */
enum placement_room placement_room(const struct placement_node *node,
                                   const struct placement_request *request, msec *ret_drain);

/* Of the model's file from the node's disk, or of its parked worker; and of the file from a
 * peer's disk to the node's. */
msec placement_load_time(const struct placement_node *node,
                         const struct placement_request *request);
msec placement_fetch_time(const struct placement_request *request);

/* Until a request that came now would have its place, behind those that are there; `instance`
 * NULL: none is loaded yet. */
msec placement_queue_time(const struct placement_node *node,
                          const struct placement_instance *instance,
                          const struct placement_request *request);

/* Of the tokens that the node does not hold, beside the prompts of others. */
msec placement_prompt_time(const struct placement_node *node,
                           const struct placement_instance *instance,
                           const struct placement_request *request, uint32_t held);

/* The two nodes that lend most; of equal ones the same in every table. The second one lends to
 * the first. */
struct placement_lenders {
    uint32_t best, next; /* PLACEMENT_NO_NODE: there is none */
};
struct placement_lenders placement_lenders_of(const struct placement_table *table, msec now);

/* placement_loan, by them. */
bool placement_loan_by(const struct placement_lenders *lenders,
                       const struct placement_table *table, uint32_t borrower, nbytes need,
                       nbytes own, struct placement_loan *ret);

#endif
