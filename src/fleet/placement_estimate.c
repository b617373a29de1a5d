/* SPDX-License-Identifier: MIT */
#include "fleet/placement_estimate.h"

#include <stddef.h>

/* Megabytes, from 1 to 2^30. */
static uint64_t mb(nbytes bytes) {
    uint64_t n = bytes >> 20;
    if (n > UINT64_C(1) << 30) return UINT64_C(1) << 30;
    return n > 0 ? n : 1;
}

static msec capped(uint64_t ms) {
    return ms < (uint64_t)PLACEMENT_LONGEST ? (msec)ms : PLACEMENT_LONGEST;
}

/* How long the amount (below 2^50) takes at so much per second. */
static msec span(uint64_t amount, uint64_t rate) {
    return rate > 0 ? capped(amount * 1000 / rate) : PLACEMENT_LONGEST;
}

static nbytes add_capped(nbytes a, nbytes b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t work_of(const struct placement_instance *instance) {
    return (uint64_t)instance->running + instance->waiting;
}

const struct placement_instance *placement_find(const struct placement_node *node,
                                                uint64_t model, enum placement_state state) {
    const struct placement_instance *found = NULL;

    for (uint32_t i = 0; i < node->instance_count; i++) {
        const struct placement_instance *instance = &node->instances[i];
        if (instance->model != model || instance->state != state) continue;
        if (!found || work_of(instance) < work_of(found)) found = instance;
    }
    return found;
}

struct speeds {
    uint64_t prompt, answer; /* tokens per second */
};

/* What the cores or the card of a plain machine do. */
static struct speeds speeds_default(const struct placement_node *node, uint64_t size) {
    uint64_t cores = node->cores > 0 ? node->cores : 1;

    if (mb(node->gpu_memory) >= size) {
        return (struct speeds){ PLACEMENT_GPU_PROMPT_RATE / size,
                                PLACEMENT_GPU_ANSWER_RATE / size };
    }
    return (struct speeds){ cores * PLACEMENT_PROMPT_RATE / size,
                            cores * PLACEMENT_ANSWER_RATE / size };
}

/* What an instance of this many megabytes would reach where others were measured: a token takes
 * one way through the weights. */
static struct speeds speeds_guess(const struct placement_node *node, uint64_t size) {
    struct speeds s = { 0, 0 }, plain = speeds_default(node, size);

    for (uint32_t i = 0; i < node->instance_count; i++) {
        const struct placement_instance *other = &node->instances[i];
        uint64_t prompt = other->prompt_speed * mb(other->bytes) / size;
        uint64_t answer = other->answer_speed * mb(other->bytes) / size;
        if (prompt > s.prompt) s.prompt = prompt;
        if (answer > s.answer) s.answer = answer;
    }
    if (s.prompt == 0) s.prompt = plain.prompt;
    if (s.answer == 0) s.answer = plain.answer;
    return s;
}

static struct speeds speeds_of(const struct placement_node *node,
                               const struct placement_instance *instance, nbytes bytes) {
    struct speeds s = speeds_guess(node, mb(bytes));

    if (instance && instance->prompt_speed > 0) s.prompt = instance->prompt_speed;
    if (instance && instance->answer_speed > 0) s.answer = instance->answer_speed;
    if (s.prompt == 0) s.prompt = 1;
    if (s.answer == 0) s.answer = 1;
    return s;
}

/* How long a typical request has its place. */
static msec service_time(const struct speeds *s) {
    return span(PLACEMENT_TYPICAL_PROMPT, s->prompt) +
           span(PLACEMENT_TYPICAL_ANSWER, s->answer);
}

/* What the instances of a node could give back, by megabytes and by places of jit instances. */
struct yield {
    nbytes idle, busy;
    uint32_t places, idle_places, busy_places;
    msec drain;
};

static bool shares_places(const struct placement_node *node, enum placement_type a,
                          enum placement_type b) {
    return node->evict == PLACEMENT_EVICT_ON ||
           (node->evict == PLACEMENT_EVICT_PER_TYPE && a == b);
}

static void yield_add(struct yield *y, const struct placement_node *node,
                      const struct placement_instance *instance, bool has_place) {
    y->places += has_place;
    if (instance->state == PLACEMENT_LOADING) return;
    if (work_of(instance) == 0) {
        y->idle = add_capped(y->idle, instance->bytes);
        y->idle_places += has_place;
        return;
    }
    struct speeds s = speeds_of(node, instance, instance->bytes);
    msec drain = service_time(&s);
    y->busy = add_capped(y->busy, instance->bytes);
    y->busy_places += has_place;
    if (drain > y->drain) y->drain = drain;
}

static struct yield yield_of(const struct placement_node *node, enum placement_type type) {
    struct yield y = { 0 };

    for (uint32_t i = 0; i < node->instance_count; i++) {
        const struct placement_instance *instance = &node->instances[i];
        if (!instance->pinned) {
            yield_add(&y, node, instance, shares_places(node, instance->type, type));
        }
    }
    return y;
}

enum placement_room placement_room(const struct placement_node *node,
                                   const struct placement_request *request, msec *ret_drain) {
    struct yield y = yield_of(node, request->type);
    uint32_t over = y.places >= node->jit_limit ? y.places - node->jit_limit + 1 : 0;
    nbytes idle = add_capped(node->memory_free, y.idle);

    if (node->evict == PLACEMENT_EVICT_FIT || node->evict == PLACEMENT_EVICT_OFF) over = 0;
    *ret_drain = 0;
    if (request->need > node->memory_limit) return PLACEMENT_ROOM_NONE;
    if (over == 0 && node->memory_free >= request->need) return PLACEMENT_ROOM_FREE;
    if (node->evict == PLACEMENT_EVICT_OFF) return PLACEMENT_ROOM_NONE;
    if (idle >= request->need && y.idle_places >= over) return PLACEMENT_ROOM_EVICT;
    *ret_drain = y.drain;
    if (add_capped(idle, y.busy) >= request->need && y.idle_places + y.busy_places >= over) {
        return PLACEMENT_ROOM_DRAIN;
    }
    return PLACEMENT_ROOM_NONE;
}

msec placement_load_time(const struct placement_node *node,
                         const struct placement_request *request) {
    uint64_t loaded = 0, took = 0;

    if (node->parked) return PLACEMENT_WAKE_TIME;
    for (uint32_t i = 0; i < node->instance_count; i++) {
        const struct placement_instance *other = &node->instances[i];
        if (other->load <= 0 || other->load > PLACEMENT_LONGEST) continue;
        loaded += mb(other->bytes);
        took += (uint64_t)other->load;
    }
    uint64_t size = mb(request->file);
    if (took == 0) return span(size, PLACEMENT_LOAD_RATE);
    uint64_t rate = loaded * 1000 / took;
    return span(size, rate > 0 ? rate : 1);
}

msec placement_fetch_time(const struct placement_request *request) {
    return span(mb(request->file), PLACEMENT_FETCH_RATE);
}

msec placement_queue_time(const struct placement_node *node,
                          const struct placement_instance *instance,
                          const struct placement_request *request) {
    struct speeds s = speeds_of(node, instance, request->need);
    uint64_t slots = instance && instance->slots > 0 ? instance->slots : 1;
    uint64_t ahead = (instance ? work_of(instance) : 0) + node->sent;

    if (ahead < slots) return 0;
    return capped((ahead - slots + 1) * (uint64_t)service_time(&s) / slots);
}

/* Requests that have places on the node, for all models, up to 1,000. */
static uint64_t crowd_of(const struct placement_node *node) {
    uint64_t running = node->sent;

    for (uint32_t i = 0; i < node->instance_count; i++) running += node->instances[i].running;
    return running < 1000 ? running : 1000;
}

msec placement_prompt_time(const struct placement_node *node,
                           const struct placement_instance *instance,
                           const struct placement_request *request, uint32_t held) {
    struct speeds s = speeds_of(node, instance, request->need);
    uint32_t due = held < request->prompt ? request->prompt - held : 0;
    uint64_t alone = (uint64_t)span(due, s.prompt);
    /* Each of the others is expected to be at its prompt for this share of its time. */
    uint64_t permille = (uint64_t)span(PLACEMENT_TYPICAL_PROMPT, s.prompt) * 1000 /
                        ((uint64_t)service_time(&s) + 1);
    return capped(alone * (1000 + crowd_of(node) * permille) / 1000);
}
