/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "sim.h"

/* A node that takes requests now. */
static uint32_t taker_near(const struct sim *sim, uint32_t node) {
    uint32_t i = node;
    while (!sim->nodes[i].up && (i = (i + 1) % sim->options.nodes) != node) continue;
    return i;
}

void request_ask(struct sim *sim, uint32_t conversation, uint32_t prompt, uint32_t answer) {
    const struct conversation *c = &sim->conversations[conversation];

    if (sim->request_count == sim->request_room) {
        sim->request_room = sim->request_room ? 2 * sim->request_room : 1024;
        sim->requests = xrealloc(sim->requests, sim->request_room * sizeof *sim->requests);
    }
    uint32_t index = sim->request_count++;
    sim->requests[index] = (struct request){
        .state = REQ_PLACING,
        .conversation = conversation,
        .model = c->model,
        .prompt = prompt,
        .answer = answer,
        .taker = taker_near(sim, c->taker),
        .node = NONE,
        .asked = sim->now,
        .next = NONE,
    };
    sim->figures.asked++;
    events_add(&sim->events, sim->now + PATIENCE, EV_PATIENCE, index, 0, 0);
    request_place(sim, index);
}

/* On the way from its taker to `node`, and off it. */
static void way_add(struct sim *sim, uint32_t index, uint32_t node) {
    struct request *r = &sim->requests[index];
    uint32_t *first = &sim->nodes[r->taker].way_first;

    r->node = node;
    r->sent = sim->now;
    r->newer = NONE;
    r->older = *first;
    if (*first != NONE) sim->requests[*first].newer = index;
    *first = index;
}

static void way_remove(struct sim *sim, uint32_t index) {
    struct request *r = &sim->requests[index];

    if (r->node == NONE) return;
    if (r->older != NONE) sim->requests[r->older].newer = r->newer;
    *(r->newer != NONE ? &sim->requests[r->newer].older
                       : &sim->nodes[r->taker].way_first) = r->older;
    r->node = NONE;
}

static void wait_for_load(struct sim *sim, uint32_t index) {
    struct request *r = &sim->requests[index];
    struct model *m = &sim->models[r->model];

    r->state = REQ_WAITING;
    r->next = NONE;
    *(m->last_waiter != NONE ? &sim->requests[m->last_waiter].next : &m->first_waiter) = index;
    m->last_waiter = index;
    sim->figures.waited++;
}

void claim_end(struct sim *sim, uint32_t model) {
    struct model *m = &sim->models[model];
    uint32_t i = m->first_waiter;

    m->claimed_by = m->first_waiter = m->last_waiter = NONE;
    for (; i != NONE; i = sim->requests[i].next) {
        if (sim->requests[i].state != REQ_WAITING) continue;
        sim->requests[i].state = REQ_PLACING;
        events_add(&sim->events, sim->now + 2 * WAY, EV_PLACE, i, 0, sim->requests[i].stamp);
    }
}

void request_place(struct sim *sim, uint32_t index) {
    struct request *r = &sim->requests[index];
    struct placement p = policy_choose(sim, r);

    sim->figures.rules[p.rule]++;
    if (p.where == PLACEMENT_REFUSE) {
        request_fail(sim, index, r->tries > 0 ? FAIL_TRIES : FAIL_REFUSED);
        return;
    }
    if (p.where == PLACEMENT_WAIT) {
        wait_for_load(sim, index);
        return;
    }
    r->claims = p.claims;
    r->source = p.source;
    way_add(sim, index, p.node);
    sim->figures.forwarded += p.node != r->taker;
    events_add(&sim->events, sim->now + (p.node == r->taker ? 0 : WAY), EV_ARRIVE, index, 0,
               r->stamp);
}

/* Who loads makes the claim, unless another one has it meanwhile: then it is placed again. */
static bool claim(struct sim *sim, const struct request *r) {
    struct model *m = &sim->models[r->model];
    const struct node *n = &sim->nodes[r->node];

    if (!r->claims) return true;
    for (uint32_t i = 0; i < INSTANCES; i++)
        if (n->instances[i].state != INST_FREE && n->instances[i].model == r->model)
            return true;
    if (m->claimed_by != NONE) return false;
    m->claimed_by = r->node;
    m->claimed_at = sim->now;
    return true;
}

void request_arrive(struct sim *sim, uint32_t index) {
    struct request *r = &sim->requests[index];
    const struct node *n = &sim->nodes[r->node];

    if (!n->up) {
        r->state = REQ_LOST;
        events_add(&sim->events, sim->now + (n->cut ? CONNECT_PATIENCE : WAY), EV_LOST, index,
                   0, r->stamp);
        return;
    }
    if (!claim(sim, r)) {
        r->stamp++;
        events_add(&sim->events, sim->now + WAY, EV_PLACE, index, 0, r->stamp);
        return;
    }
    r->state = REQ_QUEUED;
    node_take(sim, r->node, index);
}

/* It came back from where it was: a load that it waited for has ended, or another one began. */
void request_replace(struct sim *sim, uint32_t index) {
    way_remove(sim, index);
    request_place(sim, index);
}

/* Before the first byte another node is tried. */
void request_lost(struct sim *sim, uint32_t index) {
    struct request *r = &sim->requests[index];

    if (r->tries == TRIES) {
        request_fail(sim, index, FAIL_TRIES);
        return;
    }
    r->tried[r->tries++] = r->node;
    way_remove(sim, index);
    r->state = REQ_PLACING;
    r->stamp++;
    request_place(sim, index);
}

static void request_first(struct sim *sim, uint32_t index) {
    const struct request *r = &sim->requests[index];
    struct figures *f = &sim->figures;
    usec back = r->node == r->taker ? 0 : WAY;

    if (f->first_count == f->first_room) {
        f->first_room = f->first_room ? 2 * f->first_room : 1024;
        f->first = xrealloc(f->first, f->first_room * sizeof *f->first);
    }
    f->first[f->first_count++] = (double)(sim->now + back - r->asked) / SECOND;
}

static void request_end(struct sim *sim, uint32_t index) {
    struct request *r = &sim->requests[index];

    way_remove(sim, index);
    r->state = REQ_ENDED;
    r->stamp++;
}

void request_fail(struct sim *sim, uint32_t index, enum failure failure) {
    request_end(sim, index);
    sim->figures.failed[failure]++;
    conversation_end(sim, sim->requests[index].conversation);
}

static void request_answered(struct sim *sim, uint32_t index) {
    const struct request *r = &sim->requests[index];

    request_end(sim, index);
    conversation_answered(sim, r->conversation, r->answer);
}

const struct listener request_listener = {
    .first = request_first,
    .answered = request_answered,
    .failed = request_fail,
    .claim_ended = claim_end,
};
