/* SPDX-License-Identifier: MIT */
#include "sim.h"

/* A node is there for half an hour and away for three minutes, in the mean. It leaves in order,
 * is killed, or is cut off. */
#define UP 1800.0
#define AWAY 180.0
#define IN_ORDER 0.4
#define KILLED 0.7

static usec after(struct sim *sim, uint32_t node, double mean) {
    return sim->now + (usec)(random_exponential(&sim->nodes[node].random, mean) * SECOND);
}

void churn_begin(struct sim *sim) {
    for (uint32_t i = 0; i < sim->options.nodes; i++) {
        events_add(&sim->events, after(sim, i, UP), EV_DOWN, i, 0, 0);
    }
}

void churn_down(struct sim *sim, uint32_t node) {
    struct node *n = &sim->nodes[node];
    double how = random_unit(&n->random);
    usec left = LEASE - (usec)(random_unit(&n->random) * KEEP_ALIVE);

    n->cut = how >= KILLED;
    n->up = false;
    n->boot++;
    n->publishing = false;
    sim->table[node].alive_until = sim->now + (how < IN_ORDER ? WAY : left);
    node_die(sim, node);
    for (uint32_t i = 0; i < sim->options.models; i++) {
        if (sim->models[i].claimed_by != node) continue;
        events_add(&sim->events, sim->table[node].alive_until, EV_CLAIM_ENDS, node, i, n->boot);
    }
    events_add(&sim->events, after(sim, node, AWAY) + LEASE, EV_UP, node, 0, 0);
}

void churn_up(struct sim *sim, uint32_t node) {
    struct node *n = &sim->nodes[node];

    n->up = true;
    n->cut = false;
    n->advanced = sim->now;
    sim->table[node].alive_until = NEVER;
    table_publish(sim, node);
    events_add(&sim->events, after(sim, node, UP), EV_DOWN, node, 0, 0);
}
