/* SPDX-License-Identifier: MIT */
/*
 * growth.h - asks the daemon before the worker takes more memory, without waiting for the
 * answer: the caller asks again in the next round of the loop, and other requests go on
 * meanwhile.
 *
 * Only one question is open at a time. Its answer is valid in the round in which it comes;
 * what is not taken then is given back. No answer in time counts as a refusal.
 */
#ifndef DOZE_ENGINE_GROWTH_H
#define DOZE_ENGINE_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/growth_message.h"

struct engine;

enum growth_kind { GROWTH_CONTEXT, GROWTH_REPACK };

enum growth_state { GROWTH_NONE, GROWTH_ASKED, GROWTH_ANSWERED };

struct growth {
    enum growth_state state;
    enum growth_kind kind; /* of the question */
    int64_t ask;           /* its number */
    int64_t asked_at;      /* us */
    int64_t patience;      /* us */
    uint64_t base;         /* bytes taken when it was asked */
    uint64_t granted;      /* bytes beyond them; 0: refused */
    uint64_t most;         /* of a refusal: beyond them, what was available */
    uint64_t limit;        /* the daemon's; 0: none */
    uint64_t reserved;     /* bytes in all that what is under way will take; 0: nothing is */
    bool unsettled;        /* the daemon counts more than is taken */
    bool tight;            /* it refused the last question, or too much is taken */
    bool silent;           /* the daemon did not answer the last question */
    int64_t ahead_again;   /* us: before then no room is asked for in advance */
};

/* Bytes beyond what is taken now. */
struct growth_wish {
    enum growth_kind kind;
    uint64_t wish, least;
    bool optional; /* nobody is evicted for it */
};

enum growth_answer { GROWTH_GRANTED, GROWTH_WAITS, GROWTH_REFUSED };

/* GRANTED: *ret_bytes may be taken now, in this round. WAITS: ask again in the next. */
enum growth_answer growth_ask(struct engine *engine, const struct growth_wish *wish,
                              uint64_t *ret_bytes);

/* Take the daemon's GRANT, which answers the open question or an older one. */
void growth_take_answer(struct engine *engine, const struct grant_message *grant);

/* Bytes in all, with those that what is under way has not taken yet. */
uint64_t growth_taken(const struct engine *engine);

/* The round is over: give back what was granted and not taken. */
void growth_settle(struct engine *engine);

/* Milliseconds until a question is taken for refused; -1: none is under way. */
int growth_timeout(const struct engine *engine);

#endif
