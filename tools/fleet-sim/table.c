/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sim.h"

void table_head(struct node *n, uint64_t hash, bool add) {
    if (n->change_count == n->change_room) {
        n->change_room = n->change_room ? 2 * n->change_room : 8;
        n->changes = xrealloc(n->changes, n->change_room * sizeof *n->changes);
    }
    n->changes[n->change_count++] = (struct change){ hash, add };
}

static void publish_instance(const struct sim *sim, const struct instance *i,
                             struct placement_instance *ret) {
    const struct model *m = &sim->models[i->model];

    *ret = (struct placement_instance){
        .model = m->id,
        .state = i->state == INST_READY ? PLACEMENT_LOADED : PLACEMENT_LOADING,
        .bytes = m->need,
        .slots = SLOTS,
        .running = i->running_count,
        .waiting = i->waiting,
        .prompt_speed = (uint32_t)i->prompt_speed,
        .answer_speed = (uint32_t)i->answer_speed,
        .load = i->load,
        .expires = MSEC_NEVER,
    };
    if (i->closing) ret->state = PLACEMENT_LEAVING;
}

void table_publish(struct sim *sim, uint32_t node) {
    struct node *n = &sim->nodes[node];
    struct published *p = &sim->table[node];

    p->at = sim->now;
    p->memory_free = n->memory_free;
    p->instance_count = p->running = 0;
    n->publishing = false;
    for (uint32_t i = 0; i < INSTANCES; i++) {
        const struct instance *instance = &n->instances[i];
        if (instance->state != INST_LOADING && instance->state != INST_READY) continue;
        publish_instance(sim, instance, &p->instances[p->instance_count++]);
        p->running += instance->running_count + instance->waiting;
    }
    for (uint32_t i = 0; i < n->change_count; i++) {
        (n->changes[i].add ? prefix_heads_add : prefix_heads_remove)(p->heads,
                                                                     n->changes[i].hash);
    }
    n->change_count = 0;
}

void table_changed(struct sim *sim, uint32_t node, bool at_once) {
    struct node *n = &sim->nodes[node];
    usec due = sim->table[node].at + PUBLISH_EVERY;

    if (at_once || due < sim->now + WAY) due = sim->now + WAY;
    if (n->publishing && !at_once) return;
    n->publishing = true;
    events_add(&sim->events, due, EV_PUBLISH, node, 0, n->boot);
}

uint32_t table_sent(const struct sim *sim, const struct request *r, uint32_t node,
                    bool any_model) {
    uint32_t sent = 0;

    for (uint32_t i = sim->nodes[r->taker].way_first; i != NONE; i = sim->requests[i].older) {
        const struct request *other = &sim->requests[i];
        if (other->node != node || other->sent <= sim->table[node].at - WAY) continue;
        sent += any_model || other->model == r->model;
    }
    return sent;
}

/* What does not depend on the request. */
static void view_node(struct sim *sim, uint32_t index) {
    const struct node *n = &sim->nodes[index];
    const struct published *p = &sim->table[index];

    sim->view[index] = (struct placement_node){
        .name = n->name,
        .id = random_mix(index, 7),
        .alive_until = p->alive_until / MS,
        .memory_limit = n->machine->memory,
        .memory_free = p->memory_free,
        .disk_free = UINT64_C(1) << 40,
        .cores = n->machine->cores,
        .gpu_memory = n->machine->gpu_memory,
        .evict = PLACEMENT_EVICT_FIT,
        .jit_limit = 1,
        .instances = p->instances,
        .instance_count = p->instance_count,
        .claimed = MSEC_NEVER,
    };
}

/* Nodes without the conversation have none of its heads: they need not be asked. */
static void view_holders(struct sim *sim, const struct request *r) {
    const struct conversation *c = &sim->conversations[r->conversation];

    for (uint32_t i = 0; i < HOLDERS && c->holders[i] != NONE; i++) {
        uint32_t node = c->holders[i];
        sim->view[node].held = prefix_heads_match(sim->table[node].heads, c->chain);
    }
}

struct placement_table table_view(struct sim *sim, const struct request *r) {
    const struct model *m = &sim->models[r->model];

    for (uint32_t i = 0; i < sim->options.nodes; i++) {
        view_node(sim, i);
        sim->view[i].has_file = sim->nodes[i].files[r->model];
    }
    view_holders(sim, r);
    for (uint32_t i = sim->nodes[r->taker].way_first; i != NONE; i = sim->requests[i].older) {
        const struct request *other = &sim->requests[i];
        if (other->model != r->model || other->sent <= sim->table[other->node].at - WAY)
            continue;
        sim->view[other->node].sent++;
    }
    for (uint32_t i = 0; i < r->tries; i++) sim->view[r->tried[i]].tried = true;
    if (m->claimed_by != NONE) sim->view[m->claimed_by].claimed = m->claimed_at / MS;
    sim->view[r->taker].alive_until = MSEC_NEVER;
    return (struct placement_table){ sim->view, sim->options.nodes, r->taker };
}
