/* SPDX-License-Identifier: MIT */
#include "liveness.h"

#include <stddef.h>

#include "domain.h"
#include "monitor.h"

static const char *advance(struct lifecycle *lc, const struct lc_event *ev, struct play *play) {
    struct lifecycle before = *lc;

    play->events[play->count++] = *ev;
    lifecycle_step(lc, ev, &play->actions);
    return monitor_step(&before, ev, lc, &play->actions, NULL);
}

/* The next reply of a worker; without any, the next deadline. */
static bool next_event(const struct lifecycle *lc, int turn, struct lc_event *ret) {
    if (domain_fair_event(lc, turn % LC_MAX_SLOTS, ret)) return true;
    *ret = (struct lc_event){ .kind = LC_EV_TICK, .now = lifecycle_deadline(lc) };
    return ret->now != MSEC_NEVER;
}

const char *liveness_drains(const struct lifecycle *from, struct keyset *drained,
                            struct play *ret_play) {
    struct lifecycle lc = *from;
    uint64_t path[LIVENESS_STEPS_MAX];
    int n = 0;

    ret_play->count = 0;
    for (; lc.request_count > 0; n++) {
        struct lc_event ev;
        if (n == LIVENESS_STEPS_MAX) return "requests never end though workers answer";
        path[n] = domain_key(&lc);
        if (keyset_has(drained, path[n])) break;
        if (!next_event(&lc, 0, &ev)) return "somebody waits for nothing";
        const char *broken = advance(&lc, &ev, ret_play);
        if (broken != NULL) return broken;
    }
    while (n > 0) (void)keyset_add(drained, path[--n]);
    return NULL;
}

/* Then its answer is the next event. */
static bool prepares_a_worker(const struct lifecycle *lc) {
    for (int i = 0; i < LC_MAX_SLOTS; i++)
        if (lc->slots[i].prepared == LC_PREPARING) return true;
    return false;
}

/* A request for the first instance that is busy. */
static bool traffic(const struct lifecycle *lc, uint64_t id, struct lc_event *ret) {
    if (lc->request_count + 1 >= LC_MAX_REQUESTS) return false;
    if (prepares_a_worker(lc)) return false;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (lc->slots[i].state != LC_BUSY) continue;
        *ret = (struct lc_event){
            .kind = LC_EV_REQUEST,
            .now = lc->now,
            .request = id,
            .model = lc->slots[i].model,
            .slot = i,
            .ttl = LC_TTL_NOT_GIVEN,
            .plan = lc->slots[i].next,
        };
        return true;
    }
    return false;
}

static bool anybody_waits(const struct lifecycle *lc, uint64_t last) {
    for (uint32_t i = 0; i < lc->request_count; i++)
        if (lc->requests[i].id <= last && lc->requests[i].state != LC_RUNNING) return true;
    return false;
}

const char *liveness_fair(const struct lifecycle *from, struct play *ret_play) {
    struct lifecycle lc = *from;
    uint64_t last = 0;

    ret_play->count = 0;
    for (uint32_t i = 0; i < lc.request_count; i++)
        if (lc.requests[i].id > last) last = lc.requests[i].id;
    for (int n = 0; anybody_waits(&lc, last); n++) {
        struct lc_event ev;
        if (n == LIVENESS_STEPS_MAX) return "a waiter starves behind steady traffic";
        if (traffic(&lc, last + 1 + (uint64_t)n, &ev)) {
            const char *broken = advance(&lc, &ev, ret_play);
            if (broken != NULL) return broken;
        }
        if (!next_event(&lc, n, &ev)) return "somebody waits for nothing";
        if (!prepares_a_worker(&lc) && ev.now < lc.now + UNIT / 4) ev.now = lc.now + UNIT / 4;
        const char *broken = advance(&lc, &ev, ret_play);
        if (broken != NULL) return broken;
    }
    return NULL;
}
