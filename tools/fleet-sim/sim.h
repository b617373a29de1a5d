/* SPDX-License-Identifier: MIT */
/*
 * sim.h - a fleet on a virtual clock; what its files share.
 *
 *   random.c  numbers from a seed
 *   events.c  what happens when
 *   world.c   models and machines
 *   conversation.c who asks what
 *   node.c    one machine: places, loads, evictions, shared computation, prompt store
 *   table.c   what nodes publish, and what is seen of it
 *   prefix_heads.c  the prompts that a node holds
 *   policy.c  where a request goes: random, least loaded, placement.c
 *   request.c the way of a request
 *   churn.c   nodes that go and come back
 *   main.c    options, one run, its figures
 *
 * One process, one thread, no clock: the same seed gives the same figures. The assumptions are
 * in docs/benchmarks/README.md; each constant below is one of them.
 */
#ifndef DOZE_TOOLS_FLEET_SIM_H
#define DOZE_TOOLS_FLEET_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/placement.h"
#include "fleet/prefix_chain.h"
#include "prefix_heads.h"

typedef int64_t usec;
#define MS ((usec)1000)
#define SECOND ((usec)1000000)
#define NEVER INT64_MAX
#define NONE UINT32_MAX

/* Ways and waits. */
#define WAY (2 * MS)         /* between two nodes, and to etcd */
#define PUBLISH_EVERY SECOND /* counts; a load that ends is published at once */
#define LEASE (10 * SECOND)  /* ... of which up to 3 s are over when a node is cut off */
#define KEEP_ALIVE (3 * SECOND)
#define CONNECT_PATIENCE (2 * SECOND) /* to a node that is cut off */
#define SILENCE (5 * SECOND)    /* until a node that was cut off is noticed by its streams */
#define PATIENCE (120 * SECOND) /* of a client, for the first token */
#define SWITCH_WINDOW SECOND    /* then busy instances get no more work and leave */
#define LOAD_START (300 * MS)   /* of a load, beside reading the file */
/* A conversation in the prompt store: how fast it is read back, and its bytes in all. */
#define RESTORE_SPEED 20000.0
#define STORE_BYTES UINT64_C(4294967296)
#define NETWORK_MB 110.0 /* per second, of each node, in and out */
/* The share of a machine that prompts get while they are processed; answers get the rest. */
#define PROMPT_SHARE 0.75

enum { SLOTS = 4, INSTANCES = 32, TRIES = 3, HOLDERS = 8, CONTEXT = 24000 };

struct random {
    uint64_t state;
};
uint64_t random_next(struct random *r);
uint64_t random_mix(uint64_t a, uint64_t b); /* a seed from two numbers */
double random_unit(struct random *r);        /* from 0 to below 1 */
uint32_t random_below(struct random *r, uint32_t n);
double random_exponential(struct random *r, double mean);
double random_lognormal(struct random *r, double median, double sigma);

enum event_kind {
    EV_CONVERSATION, /* a new one begins */
    EV_TURN,         /* conversation a asks */
    EV_PLACE,        /* request a is to be placed (again) */
    EV_ARRIVE,       /* request a is at its node */
    EV_LOST,         /* request a: its node did not answer, or its stream broke */
    EV_PATIENCE,     /* request a: its client gives up */
    EV_WORK,         /* node a: the next piece of work ends */
    EV_LOADED,       /* node a, instance b */
    EV_WINDOW,       /* node a: a load has waited for the switch window */
    EV_PUBLISH,      /* node a */
    EV_DOWN,         /* node a */
    EV_UP,           /* node a */
    EV_CLAIM_ENDS,   /* the lease of node a is over, which claims model b */
};

struct event {
    usec at;
    uint64_t order; /* of equal times */
    enum event_kind kind;
    uint32_t a, b;
    uint32_t stamp; /* of a at the time; another one now: it is void */
};

struct events {
    struct event *list;
    size_t count, room;
    uint64_t order;
};
void events_add(struct events *q, usec at, enum event_kind kind, uint32_t a, uint32_t b,
                uint32_t stamp);
bool events_take(struct events *q, struct event *ret);

struct model {
    nbytes file, need;
    double gb;
    double share; /* of the conversations, with those before it */
    uint64_t id;
    uint32_t kv_bytes;   /* per token */
    uint32_t claimed_by; /* NONE */
    usec claimed_at;
    uint32_t first_waiter; /* request, NONE; in order of arrival */
    uint32_t last_waiter;
    uint32_t loading; /* loads in progress, on all nodes */
};

struct conversation {
    uint32_t model, taker, turns, history;
    struct random random;
    struct prefix_chain *chain; /* of what was said so far; NULL: it has ended */
    uint32_t holders[HOLDERS];  /* nodes that have answered it, the newest first */
};

enum request_state {
    REQ_PLACING, /* at its taker, or on the way */
    REQ_WAITING, /* for the load of another node */
    REQ_QUEUED,  /* in an instance, or for its load */
    REQ_PROMPT,
    REQ_ANSWER,
    REQ_LOST, /* its node is gone; its taker does not know yet */
    REQ_ENDED,
};

struct request {
    enum request_state state;
    uint32_t conversation, model, prompt, answer, taker;
    uint32_t node, instance; /* from PLACING on the way to ANSWER */
    uint32_t stamp;          /* of the attempt */
    uint32_t tries, tried[TRIES];
    bool claims;
    uint32_t source; /* for the file */
    usec asked, sent, begun;
    double left, rate;     /* tokens, per second */
    uint32_t next;         /* in a queue of waiters */
    uint32_t newer, older; /* on the way from the taker */
};

enum instance_state { INST_FREE, INST_WANTED, INST_LOADING, INST_READY };

struct instance {
    enum instance_state state;
    uint32_t model, stamp;
    bool closing; /* makes room: nothing new begins */
    uint32_t running[SLOTS], running_count;
    uint32_t first, last, waiting; /* queue of requests; ended ones stay until they are met */
    usec wanted, load_began, used;
    msec load;
    double prompt_speed, answer_speed;
    uint32_t source;
};

struct held {
    uint32_t conversation, tokens;
    uint64_t hash;
    nbytes bytes;
    usec used;
};

struct change {
    uint64_t hash;
    bool add;
};

struct machine {
    const char *name;
    double prompt_rate, answer_rate; /* GB of weights x tokens per second */
    double crowding;                 /* what each further answer takes of the speed */
    double disk_mb;
    nbytes memory;
    double files_gb;
    uint32_t cores;
    nbytes gpu_memory;
};

struct node {
    const struct machine *machine;
    char name[16];
    bool up, cut;
    uint32_t stamp; /* of the work */
    uint8_t *files; /* by model */
    nbytes memory_free;
    struct instance instances[INSTANCES];
    usec advanced, disk_free, network_free;
    struct held *store;
    uint32_t store_count, store_room;
    nbytes store_bytes;
    struct change *changes; /* of the heads, since they were published */
    uint32_t change_count, change_room;
    bool publishing;
    uint32_t boot;
    uint32_t way_first; /* requests that it took, placed on nodes: the newest one */
    struct random random;
};

/* What is in etcd of a node. */
struct published {
    usec at, alive_until;
    nbytes memory_free;
    struct placement_instance instances[INSTANCES];
    uint32_t instance_count, running;
    struct prefix_heads *heads;
};

enum policy { POLICY_RANDOM, POLICY_LEAST, POLICY_DOZE, POLICY_COUNT };

struct options {
    uint32_t nodes, models;
    uint64_t seed;
    enum policy policy;
    double seconds, rate; /* conversations per second and node */
};

enum failure { FAIL_REFUSED, FAIL_PATIENCE, FAIL_TRIES, FAIL_STREAM, FAIL_COUNT };

struct figures {
    uint64_t asked, forwarded, waited, loads, double_loads, fetches;
    uint64_t failed[FAIL_COUNT];
    uint64_t rules[PLACEMENT_RULE_COUNT];
    double loaded_gb, fetched_gb;
    double prompt_tokens, held_tokens;
    double *first; /* seconds to the first token, of each that had one */
    size_t first_count, first_room;
};

struct sim;

/* What a node tells of the requests that it was given. */
struct listener {
    void (*first)(struct sim *sim, uint32_t request);
    void (*answered)(struct sim *sim, uint32_t request);
    void (*failed)(struct sim *sim, uint32_t request, enum failure failure);
    void (*claim_ended)(struct sim *sim, uint32_t model);
};

struct sim {
    const struct listener *listener;
    struct options options;
    usec now;
    struct events events;
    struct model *models;
    struct node *nodes;
    struct published *table;
    struct placement_node *view; /* the table as placement.c sees it */
    struct conversation *conversations;
    uint32_t conversation_count, conversation_room;
    struct request *requests;
    uint32_t request_count, request_room;
    struct random traffic, choice;
    struct figures figures;
};

/* world.c */
void world_make(struct sim *sim);
void world_clear(struct sim *sim);
uint32_t model_draw(const struct sim *sim, struct random *r);

/* conversation.c */
void conversation_begin(struct sim *sim);
void conversation_ask(struct sim *sim, uint32_t index);
/* The answer is there: the next turn follows, or the end. */
void conversation_answered(struct sim *sim, uint32_t index, uint32_t answer);
void conversation_end(struct sim *sim, uint32_t index);

/* node.c */
void node_take(struct sim *sim, uint32_t node, uint32_t request);
void node_drop(struct sim *sim, uint32_t request); /* its client gave up */
void node_work(struct sim *sim, uint32_t node);
void node_loaded(struct sim *sim, uint32_t node, uint32_t instance);
/* Everything in it ends; the files and the prompt store stay. */
void node_die(struct sim *sim, uint32_t node);
uint32_t node_held(const struct node *n, uint32_t conversation);

/* table.c */
void table_changed(struct sim *sim, uint32_t node, bool at_once);
void table_publish(struct sim *sim, uint32_t node);
struct placement_table table_view(struct sim *sim, const struct request *r);
/* What the taker has sent there and the table does not show. */
uint32_t table_sent(const struct sim *sim, const struct request *r, uint32_t node,
                    bool any_model);
void table_head(struct node *n, uint64_t hash, bool add);

/* policy.c: PLACEMENT_REFUSE, or a node */
struct placement policy_choose(struct sim *sim, const struct request *r);

/* request.c */
void request_ask(struct sim *sim, uint32_t conversation, uint32_t prompt, uint32_t answer);
void request_place(struct sim *sim, uint32_t request);
void request_replace(struct sim *sim, uint32_t request);
void request_arrive(struct sim *sim, uint32_t request);
void request_lost(struct sim *sim, uint32_t request);
void request_fail(struct sim *sim, uint32_t request, enum failure failure);
void claim_end(struct sim *sim, uint32_t model);
extern const struct listener request_listener;

/* churn.c */
void churn_begin(struct sim *sim);
void churn_down(struct sim *sim, uint32_t node);
void churn_up(struct sim *sim, uint32_t node);

#endif
