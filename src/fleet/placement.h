/* SPDX-License-Identifier: MIT */
/*
 * placement.h - which node of the fleet answers a request.
 *
 * Pure: no I/O, clock, allocation, log or global. In: the request, the table of nodes as this
 * node sees it, and the time; out: a node, a load to wait for, or a refusal, with the rule that
 * decided and the estimate behind it. The caller performs it: it makes the claim, forwards,
 * fetches.
 *
 * The rules, in order; nodes whose lease has ended do not exist for any of them:
 *
 *   PREFIX    the node that holds the longest prefix of this conversation, live or stored
 *   RESIDENT  where the model is loaded, least expected wait
 *   PARKED    where a worker is parked with it, and nobody's answer has to end for the room
 *   ROOM      the node has the file, and room without evicting
 *   EVICT     ... and may evict; idle instances before those whose answers have to end
 *   FETCH     the node can fetch the file from a peer's disk
 *   BORROW    the node has the file but never the room, and another one lends what it lacks
 *   LOADING   wait for the load in progress
 *
 * PREFIX gives way to a later rule that is faster; RESIDENT, where requests queue, to a load
 * that takes less than four times as long, because it serves those who come after, too. Neither
 * gives way to what waits itself: for answers that have to end, or for the load of another
 * request. (All who wait for one load would come to the new instance at once. The figures are
 * in docs/benchmarks/README.md.)
 *
 * One cold load in the whole fleet: while one is in progress no rule starts another.
 *
 * The same table gives the same answer on every node, but for two things: what a node has sent
 * itself (`sent`), and that of residents that are about as fast it takes itself, which saves
 * the way. All nodes agree where a cold load belongs. What is published is up to a second old,
 * so the fastest node by the table is not the fastest for long if everybody takes it: of more
 * than eight residents the request's key draws eight, and it decides among about equal ones.
 */
#ifndef DOZE_FLEET_PLACEMENT_H
#define DOZE_FLEET_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/msec.h"

#define PLACEMENT_NO_NODE UINT32_MAX
/* Longer than any estimate: what a peer publishes may be anything. */
#define PLACEMENT_LONGEST ((msec)24 * 3600 * 1000)

enum placement_state { PLACEMENT_LOADING, PLACEMENT_LOADED, PLACEMENT_LEAVING };
enum placement_type { PLACEMENT_LANGUAGE, PLACEMENT_EMBEDDING };

/* The node's setting auto_evict (docs/lifecycle.md). */
enum placement_evict {
    PLACEMENT_EVICT_ON,
    PLACEMENT_EVICT_OFF,
    PLACEMENT_EVICT_FIT,
    PLACEMENT_EVICT_PER_TYPE,
};

/* An instance on a node. Speeds and times are 0 where nothing was measured yet. */
struct placement_instance {
    uint64_t model;
    enum placement_state state;
    enum placement_type type;
    bool pinned; /* explicit: nothing evicts it */
    nbytes bytes;
    uint32_t slots, running, waiting;
    uint32_t prompt_speed, answer_speed; /* tokens per second, of one request */
    msec load;                           /* how long its load took */
    msec expires;                        /* idle: when its ttl ends; MSEC_NEVER */
};

struct placement_node {
    const char *name; /* borrowed */
    uint64_t id;      /* hash of the name, the same on every node */
    msec alive_until; /* the end of its lease; of this node itself: MSEC_NEVER */
    nbytes memory_limit, memory_free;
    nbytes disk_free;
    nbytes lend_free; /* of its memory, what others may borrow now */
    uint32_t cores;
    nbytes gpu_memory;
    enum placement_evict evict;
    uint32_t jit_limit;                         /* for evict on, per_type */
    const struct placement_instance *instances; /* borrowed */
    uint32_t instance_count;
    /* For the model and the prompt of this request. */
    bool has_file;
    bool parked;   /* a worker keeps the model's weights for its next load */
    bool tried;    /* this request was sent there, and nothing came back */
    msec claimed;  /* it loads the model since then; MSEC_NEVER: it has no claim */
    uint32_t held; /* tokens of the prompt's prefix (prefix_list_match) */
    uint32_t sent; /* requests that this node has sent there since it published `waiting` */
};

struct placement_table {
    const struct placement_node *nodes; /* borrowed */
    uint32_t count;
    uint32_t here; /* PLACEMENT_NO_NODE: it is not among them */
};

struct placement_request {
    uint64_t model;
    enum placement_type type;
    nbytes file;     /* bytes of the model's file */
    nbytes need;     /* bytes of memory that it takes loaded */
    uint32_t prompt; /* tokens, about */
    uint64_t key;    /* of the conversation, else of the request: different lots spread */
    bool forwarded;  /* by another node: no other node exists for it */
};

enum placement_where {
    PLACEMENT_HERE,
    PLACEMENT_NODE,   /* forward it to `node` */
    PLACEMENT_WAIT,   /* until the load at `node` ends or its claim is gone; then ask again */
    PLACEMENT_REFUSE, /* `refusal` */
};

enum placement_rule {
    PLACEMENT_RULE_NONE, /* refused */
    PLACEMENT_RULE_PREFIX,
    PLACEMENT_RULE_RESIDENT,
    PLACEMENT_RULE_PARKED,
    PLACEMENT_RULE_ROOM,
    PLACEMENT_RULE_EVICT,
    PLACEMENT_RULE_FETCH,
    PLACEMENT_RULE_BORROW,
    PLACEMENT_RULE_LOADING,
};
enum { PLACEMENT_RULE_COUNT = PLACEMENT_RULE_LOADING + 1 };

enum placement_refusal {
    PLACEMENT_ACCEPTED,
    PLACEMENT_NO_FILE,           /* no node has the model */
    PLACEMENT_TOO_LARGE,         /* for the memory of every node that is there */
    PLACEMENT_NO_ROOM,           /* no node may evict enough */
    PLACEMENT_ALL_TRIED,         /* every node that could answer was tried */
    PLACEMENT_NOT_HERE,          /* forwarded, and it cannot be answered here */
    PLACEMENT_LOADING_ELSEWHERE, /* forwarded, and `node` loads the model meanwhile */
};
enum { PLACEMENT_REFUSAL_COUNT = PLACEMENT_LOADING_ELSEWHERE + 1 };

struct placement {
    enum placement_where where;
    enum placement_rule rule;
    enum placement_refusal refusal;
    uint32_t node;   /* HERE, NODE, WAIT */
    uint32_t source; /* the peer to fetch the file from first, else PLACEMENT_NO_NODE */
    uint32_t lender; /* of memory for a part of the model, else PLACEMENT_NO_NODE */
    bool claims;     /* a cold load: the node that loads makes the claim first */
    uint32_t held;   /* tokens of the prompt that need not be processed */
    /* What is expected, in the order in which it happens; `first` is the sum: the first token
     * after so long. */
    msec fetch, load, queue, prompt, first;
    msec elsewhere; /* the fastest other node that was looked at; MSEC_NEVER: there is none */
};

/* Memory of a node for a part of a model on another. */
struct placement_loan {
    uint32_t lender;
    nbytes bytes; /* to be lent */
    nbytes part;  /* of the model, in these; the rest is what serving it takes */
};

/* Find the node that lends the borrower, which has `own` bytes, what it lacks for a model that
 * needs `need`. False: there is none, or nothing is missing. */
bool placement_loan(const struct placement_table *table, uint32_t borrower, nbytes need,
                    nbytes own, msec now, struct placement_loan *ret);

void placement_choose(const struct placement_table *table,
                      const struct placement_request *request, msec now, struct placement *ret);

const char *placement_rule_name(enum placement_rule rule);          /* "prefix", … */
const char *placement_refusal_name(enum placement_refusal refusal); /* "no_file", … */

enum { PLACEMENT_TEXT = 448 };

/* The decision as a sentence for a person; long names are cut. */
void placement_explain(const struct placement *p, const struct placement_table *table,
                       const struct placement_request *request, char text[PLACEMENT_TEXT]);

#endif
