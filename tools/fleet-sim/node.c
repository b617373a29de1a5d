/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "base/xalloc.h"
#include "sim.h"

/* The prompt store. */

static struct held *store_find(const struct node *n, uint32_t conversation) {
    for (uint32_t i = 0; i < n->store_count; i++)
        if (n->store[i].conversation == conversation) return &n->store[i];
    return NULL;
}

uint32_t node_held(const struct node *n, uint32_t conversation) {
    const struct held *held = store_find(n, conversation);
    return held ? held->tokens : 0;
}

static void store_drop(struct node *n, struct held *held) {
    if (held->hash != 0) table_head(n, held->hash, false);
    n->store_bytes -= held->bytes;
    *held = n->store[--n->store_count];
}

static struct held *store_oldest(const struct node *n) {
    struct held *oldest = n->store;
    for (uint32_t i = 1; i < n->store_count; i++)
        if (n->store[i].used < oldest->used) oldest = &n->store[i];
    return oldest;
}

static void store_keep(struct sim *sim, uint32_t node, uint32_t conversation) {
    const struct conversation *c = &sim->conversations[conversation];
    struct node *n = &sim->nodes[node];
    struct held *old = store_find(n, conversation);
    struct held held = { conversation, c->history, 0, 0, sim->now };

    held.bytes = (nbytes)c->history * sim->models[c->model].kv_bytes;
    if (c->chain->count > 0) held.hash = c->chain->hashes[c->chain->count - 1];
    if (old) store_drop(n, old);
    while (n->store_count > 0 && n->store_bytes + held.bytes > STORE_BYTES) {
        store_drop(n, store_oldest(n));
    }
    if (n->store_count == n->store_room) {
        n->store_room = n->store_room ? 2 * n->store_room : 8;
        n->store = xrealloc(n->store, n->store_room * sizeof *n->store);
    }
    n->store[n->store_count++] = held;
    n->store_bytes += held.bytes;
    if (held.hash != 0) table_head(n, held.hash, true);
}

static void holder_add(struct conversation *c, uint32_t node) {
    uint32_t i = 0;
    while (i < HOLDERS - 1 && c->holders[i] != node && c->holders[i] != NONE) i++;
    memmove(c->holders + 1, c->holders, i * sizeof *c->holders);
    c->holders[0] = node;
}

/* Computation: what runs shares the machine. */

static void advance(struct sim *sim, struct node *n) {
    double seconds = (double)(sim->now - n->advanced) / SECOND;

    n->advanced = sim->now;
    for (uint32_t i = 0; i < INSTANCES; i++)
        for (uint32_t j = 0; j < n->instances[i].running_count; j++) {
            struct request *r = &sim->requests[n->instances[i].running[j]];
            r->left -= r->rate * seconds;
        }
}

static uint32_t count(const struct sim *sim, const struct node *n, enum request_state state) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < INSTANCES; i++)
        for (uint32_t j = 0; j < n->instances[i].running_count; j++)
            found += sim->requests[n->instances[i].running[j]].state == state;
    return found;
}

static double rate_of(const struct sim *sim, const struct node *n, const struct request *r,
                      uint32_t prompts, uint32_t answers) {
    double gb = sim->models[r->model].gb;
    if (r->state == REQ_PROMPT)
        return n->machine->prompt_rate / gb * (answers > 0 ? PROMPT_SHARE : 1) / prompts;
    return n->machine->answer_rate / gb / (1 + n->machine->crowding * (answers - 1)) *
           (prompts > 0 ? 1 - PROMPT_SHARE : 1);
}

/* New shares, and when the first piece ends. */
static void share(struct sim *sim, uint32_t node) {
    struct node *n = &sim->nodes[node];
    uint32_t prompts = count(sim, n, REQ_PROMPT), answers = count(sim, n, REQ_ANSWER);
    double soonest = INFINITY;

    n->stamp++;
    for (uint32_t i = 0; i < INSTANCES; i++)
        for (uint32_t j = 0; j < n->instances[i].running_count; j++) {
            struct request *r = &sim->requests[n->instances[i].running[j]];
            r->rate = rate_of(sim, n, r, prompts, answers);
            soonest = fmin(soonest, r->left / r->rate);
        }
    if (isinf(soonest)) return;
    usec after = (usec)ceil(fmax(soonest, 0) * SECOND);
    events_add(&sim->events, sim->now + after, EV_WORK, node, 0, n->stamp);
}

/* Instances and their queues. */

static struct instance *instance_find(struct node *n, uint32_t model) {
    for (uint32_t i = 0; i < INSTANCES; i++)
        if (n->instances[i].state != INST_FREE && n->instances[i].model == model)
            return &n->instances[i];
    return NULL;
}

static void queue_put(struct sim *sim, struct instance *i, uint32_t request) {
    sim->requests[request].next = NONE;
    *(i->last != NONE ? &sim->requests[i->last].next : &i->first) = request;
    i->last = request;
    i->waiting++;
}

/* NONE: empty. */
static uint32_t queue_take(struct sim *sim, struct instance *i) {
    while (i->first != NONE) {
        uint32_t request = i->first;
        i->first = sim->requests[request].next;
        if (i->first == NONE) i->last = NONE;
        if (sim->requests[request].state != REQ_QUEUED) continue;
        i->waiting--;
        return request;
    }
    return NONE;
}

static void running_remove(struct instance *i, uint32_t request) {
    for (uint32_t j = 0; j < i->running_count; j++)
        if (i->running[j] == request) i->running[j] = i->running[--i->running_count];
}

static void start(struct sim *sim, struct node *n, struct instance *i, uint32_t request) {
    struct request *r = &sim->requests[request];
    double speed = n->machine->prompt_rate / sim->models[r->model].gb;
    uint32_t held = node_held(n, r->conversation);

    if (held >= r->prompt) held = r->prompt - 1;
    r->state = REQ_PROMPT;
    r->left = r->prompt - held + held * speed / RESTORE_SPEED;
    i->running[i->running_count++] = request;
    i->used = sim->now;
    sim->figures.prompt_tokens += r->prompt;
    sim->figures.held_tokens += held;
}

/* Makes room. */

static bool is_idle(const struct instance *i) {
    return i->state == INST_READY && i->running_count == 0 && (i->waiting == 0 || i->closing);
}

/* Who waits for it goes back and is placed again; a node without a fleet keeps it. */
static void evict(struct sim *sim, uint32_t node, struct instance *i) {
    struct node *n = &sim->nodes[node];
    uint32_t request, stamp = i->stamp + 1, model = i->model;

    n->memory_free += sim->models[model].need;
    table_changed(sim, node, true);
    if (sim->options.policy != POLICY_DOZE && i->waiting > 0) {
        i->state = INST_WANTED;
        i->wanted = sim->now;
        i->closing = false;
        i->source = NONE;
        events_add(&sim->events, sim->now + SWITCH_WINDOW, EV_WINDOW, node, 0, n->boot);
        return;
    }
    while ((request = queue_take(sim, i)) != NONE) {
        sim->requests[request].state = REQ_PLACING;
        events_add(&sim->events, sim->now + WAY, EV_PLACE, request, 0,
                   sim->requests[request].stamp);
    }
    *i = (struct instance){ .stamp = stamp, .first = NONE, .last = NONE };
}

static struct instance *oldest(struct node *n, bool idle) {
    struct instance *found = NULL;
    for (uint32_t k = 0; k < INSTANCES; k++) {
        struct instance *i = &n->instances[k];
        if (i->state != INST_READY || is_idle(i) != idle || (!idle && i->closing)) continue;
        if (!found || i->used < found->used) found = i;
    }
    return found;
}

static nbytes bytes_of(const struct sim *sim, const struct node *n, bool idle) {
    nbytes sum = 0;
    for (uint32_t k = 0; k < INSTANCES; k++) {
        const struct instance *i = &n->instances[k];
        if (is_idle(i) ? idle : !idle && i->closing) sum += sim->models[i->model].need;
    }
    return sum;
}

static bool make_room(struct sim *sim, uint32_t node, const struct instance *wanted) {
    struct node *n = &sim->nodes[node];
    nbytes need = sim->models[wanted->model].need;
    struct instance *victim;

    if (n->memory_free + bytes_of(sim, n, true) >= need) {
        while (n->memory_free < need) evict(sim, node, oldest(n, true));
        return true;
    }
    if (sim->now < wanted->wanted + SWITCH_WINDOW) return false;
    while (n->memory_free + bytes_of(sim, n, true) + bytes_of(sim, n, false) < need &&
           (victim = oldest(n, false)) != NULL) {
        victim->closing = true;
    }
    return false;
}

static usec fetch(struct sim *sim, struct node *n, const struct instance *i) {
    struct node *from = &sim->nodes[i->source];
    usec begin = sim->now > n->network_free ? sim->now : n->network_free;
    double gb = sim->models[i->model].gb;

    if (from->network_free > begin) begin = from->network_free;
    n->network_free = from->network_free = begin + (usec)(gb * 1000 / NETWORK_MB * SECOND);
    sim->figures.fetched_gb += gb;
    sim->figures.fetches++;
    return n->network_free;
}

static void load(struct sim *sim, uint32_t node, struct instance *i) {
    struct node *n = &sim->nodes[node];
    struct model *m = &sim->models[i->model];
    usec begin = n->files[i->model] || i->source == NONE ? sim->now : fetch(sim, n, i);
    usec read = (usec)(m->gb * 1000 / n->machine->disk_mb * SECOND);

    if (n->disk_free > begin) begin = n->disk_free;
    n->disk_free = begin + read;
    n->memory_free -= m->need;
    i->state = INST_LOADING;
    i->load_began = begin;
    i->stamp++;
    sim->figures.loads++;
    sim->figures.double_loads += m->loading++ > 0;
    sim->figures.loaded_gb += m->gb;
    events_add(&sim->events, begin + read + LOAD_START, EV_LOADED, node,
               (uint32_t)(i - n->instances), i->stamp);
    table_changed(sim, node, true);
}

static struct instance *wanted(struct node *n) {
    struct instance *first = NULL;
    for (uint32_t k = 0; k < INSTANCES; k++) {
        struct instance *i = &n->instances[k];
        if (i->state == INST_WANTED && (!first || i->wanted < first->wanted)) first = i;
    }
    return first;
}

static void serve(struct sim *sim, struct node *n) {
    for (uint32_t k = 0; k < INSTANCES; k++) {
        struct instance *i = &n->instances[k];
        uint32_t request;
        if (i->state != INST_READY || i->closing) continue;
        while (i->running_count < SLOTS && (request = queue_take(sim, i)) != NONE) {
            start(sim, n, i, request);
        }
    }
}

/* After any change: loads that can begin, requests that can start, new shares. */
static void settle(struct sim *sim, uint32_t node) {
    struct node *n = &sim->nodes[node];
    struct instance *i;

    while ((i = wanted(n)) != NULL && make_room(sim, node, i)) load(sim, node, i);
    if (!i) {
        for (uint32_t k = 0; k < INSTANCES; k++) n->instances[k].closing = false;
    }
    serve(sim, n);
    share(sim, node);
    table_changed(sim, node, false);
}

static struct instance *instance_new(struct sim *sim, uint32_t node, const struct request *r) {
    struct node *n = &sim->nodes[node];
    struct instance *i = NULL;

    for (uint32_t k = 0; k < INSTANCES && !i; k++)
        if (n->instances[k].state == INST_FREE) i = &n->instances[k];
    if (!i && (i = oldest(n, true)) != NULL) evict(sim, node, i);
    if (!i || i->state != INST_FREE) return NULL;
    *i = (struct instance){ .state = INST_WANTED,
                            .model = r->model,
                            .stamp = i->stamp + 1,
                            .first = NONE,
                            .last = NONE,
                            .wanted = sim->now,
                            .source = r->source };
    events_add(&sim->events, sim->now + SWITCH_WINDOW, EV_WINDOW, node, 0, n->boot);
    return i;
}

void node_take(struct sim *sim, uint32_t node, uint32_t request) {
    struct node *n = &sim->nodes[node];
    struct request *r = &sim->requests[request];
    struct instance *i = instance_find(n, r->model);

    advance(sim, n);
    if (!i) i = instance_new(sim, node, r);
    if (!i) {
        sim->listener->failed(sim, request, FAIL_REFUSED);
        return;
    }
    r->instance = (uint32_t)(i - n->instances);
    queue_put(sim, i, request);
    settle(sim, node);
}

/* Nobody waits for it any longer. */
static void forget(struct sim *sim, uint32_t node, struct instance *i) {
    uint32_t model = i->model, stamp = i->stamp + 1;

    *i = (struct instance){ .stamp = stamp, .first = NONE, .last = NONE };
    if (sim->models[model].claimed_by == node) sim->listener->claim_ended(sim, model);
}

void node_drop(struct sim *sim, uint32_t request) {
    const struct request *r = &sim->requests[request];
    uint32_t node = r->node;
    struct instance *i = &sim->nodes[node].instances[r->instance];

    advance(sim, &sim->nodes[node]);
    if (r->state == REQ_PROMPT) running_remove(i, request);
    if (r->state == REQ_QUEUED) i->waiting--;
    sim->listener->failed(sim, request, FAIL_PATIENCE);
    if (i->state == INST_WANTED && i->waiting == 0) forget(sim, node, i);
    settle(sim, node);
}

void node_loaded(struct sim *sim, uint32_t node, uint32_t instance) {
    struct node *n = &sim->nodes[node];
    struct instance *i = &n->instances[instance];

    advance(sim, n);
    i->state = INST_READY;
    i->used = sim->now;
    i->load = (sim->now - i->load_began) / MS;
    n->files[i->model] = true;
    sim->models[i->model].loading--;
    settle(sim, node);
    table_changed(sim, node, true);
    if (sim->models[i->model].claimed_by == node) sim->listener->claim_ended(sim, i->model);
}

static void prompt_done(struct sim *sim, struct node *n, struct instance *i, uint32_t request) {
    struct request *r = &sim->requests[request];
    double noise = 0.9 + 0.2 * random_unit(&n->random);

    sim->listener->first(sim, request);
    r->state = REQ_ANSWER;
    r->left = r->answer;
    r->begun = sim->now;
    /* An engine measures its batches, without the time that others had. */
    i->prompt_speed = n->machine->prompt_rate / sim->models[r->model].gb * noise;
}

static void answer_done(struct sim *sim, uint32_t node, struct instance *i, uint32_t request) {
    const struct request *r = &sim->requests[request];
    double speed = r->answer / ((double)(sim->now - r->begun) / SECOND + 1e-6);

    i->answer_speed = i->answer_speed > 0 ? 0.7 * i->answer_speed + 0.3 * speed : speed;
    running_remove(i, request);
    i->used = sim->now;
    sim->listener->answered(sim, request);
    store_keep(sim, node, r->conversation);
    holder_add(&sim->conversations[r->conversation], node);
}

void node_work(struct sim *sim, uint32_t node) {
    struct node *n = &sim->nodes[node];

    advance(sim, n);
    for (uint32_t k = 0; k < INSTANCES; k++) {
        struct instance *i = &n->instances[k];
        for (uint32_t j = i->running_count; j-- > 0;) {
            uint32_t request = i->running[j];
            if (sim->requests[request].left > 1e-6) continue;
            if (sim->requests[request].state == REQ_PROMPT) {
                prompt_done(sim, n, i, request);
            } else {
                answer_done(sim, node, i, request);
            }
        }
    }
    settle(sim, node);
}

static void lose(struct sim *sim, uint32_t request, bool cut) {
    struct request *r = &sim->requests[request];

    if (r->state == REQ_ANSWER) {
        sim->listener->failed(sim, request, FAIL_STREAM);
        return;
    }
    r->state = REQ_LOST;
    r->stamp++;
    events_add(&sim->events, sim->now + (cut ? SILENCE : WAY), EV_LOST, request, 0, r->stamp);
}

void node_die(struct sim *sim, uint32_t node) {
    struct node *n = &sim->nodes[node];
    uint32_t request;

    for (uint32_t k = 0; k < INSTANCES; k++) {
        struct instance *i = &n->instances[k];
        for (uint32_t j = 0; j < i->running_count; j++) lose(sim, i->running[j], n->cut);
        while (i->state != INST_FREE && (request = queue_take(sim, i)) != NONE) {
            lose(sim, request, n->cut);
        }
        if (i->state == INST_LOADING) sim->models[i->model].loading--;
        *i = (struct instance){ .stamp = i->stamp + 1, .first = NONE, .last = NONE };
    }
    n->memory_free = n->machine->memory;
    n->stamp++;
}
