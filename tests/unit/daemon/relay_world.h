/* SPDX-License-Identifier: MIT */
/*
 * relay_world.h - what a relay sees: a client's exchange, the list of the fleet, and nodes that
 * answer as a test says. No sockets; the functions of the server, the forwarder and the fleet
 * are those of relay_world.c and fleet_stand_in.c.
 */
#ifndef DOZE_TESTS_RELAY_WORLD_H
#define DOZE_TESTS_RELAY_WORLD_H

#include "daemon/relay.h"
#include "fleet/forward.h"
#include "fleet_stand_in.h"
#include "hub/peer_fetch.h"

/* The client's. */
struct exchange {
    void (*on_gone)(void *ctx);
    void *gone_ctx;
    bool has_body;
    int status; /* of the answer; 0: none yet */
    int ends;   /* of the exchange */
    char text[512];
};

struct world {
    uv_loop_t loop;
    struct exchange x;
    struct fleet_node node; /* "a" */
    struct parsed parsed;
    const char *key; /* of the model on a; NULL: it has none */
    int asked;       /* nodes, so far */
    char url[256];   /* of the last one */
    bool is_asking;  /* its answer is not complete */
    struct forward_sink sink;
    bool is_fetching;
    struct peer_sink fetched;
    int here, ends; /* calls of the relay's sink */
};
extern struct world world;

/* A new one in which node a is alone and has no memory for models. */
void world_open(void);
/* Nothing may go on. */
void world_close(void);

/* The node is there, and has the file of the model "m". */
void world_add_node(const char *name);
void world_remove_node(const char *name);
void world_make_room(void); /* on a */

/* A request for "m", as a client sends it to a: relay_begin. */
bool world_begin(void);
/* The last node answers with a head, to a request that has gone out or not, or not at all. */
void world_answer(int status, int64_t length, bool sent);
void world_end(void);
void world_refuse(int status);
void world_fail(void);
void world_leave(void); /* the client */

#endif
