/* SPDX-License-Identifier: MIT */
/*
 * domain.h - a small world for the explorer: which events may happen in a state, and when two
 * states count as the same.
 *
 * Times are whole multiples of UNIT, so that deadlines coincide as often as they can. Two
 * states are the same if they differ only in what no rule can tell apart: generations, request
 * numbers, and times beyond the point from which on they make no difference.
 */
#ifndef DOZE_TESTS_DOMAIN_H
#define DOZE_TESTS_DOMAIN_H

#include "lifecycle/lifecycle.h"

#define UNIT ((msec)1000)
#define DOMAIN_EVENTS_MAX 192

/* What may happen besides requests, READY, DONE, EXITED of a leaving worker, and time. */
enum {
    MAY_CANCEL = 1 << 0,
    MAY_ZERO_TTL = 1 << 1, /* requests with ttl 0 */
    MAY_KINDS = 1 << 2,    /* LIGHT, GET_OR_LOAD */
    MAY_LOAD = 1 << 3,
    MAY_UNLOAD = 1 << 4,
    MAY_UPDATE = 1 << 5,
    MAY_MODE = 1 << 6, /* settings: auto_evict, jit, ttl_update */
    MAY_BUDGET = 1 << 7,
    MAY_SHUTDOWN = 1 << 8,
    MAY_PROGRESS = 1 << 9,
    MAY_FAIL = 1 << 10,    /* LOAD_FAILED, PREPARE_FAILED */
    MAY_DIE = 1 << 11,     /* EXITED in any state */
    MAY_BE_LATE = 1 << 12, /* requests that arrive after a deadline, before its tick */
    MAY_GROW = 1 << 13,    /* MEMORY: one byte more than READY said, and back; GROW: one more
                              would do */
    MAY_PRESS = 1 << 14,   /* PRESSURE */
    MAY_READ = 1 << 15,    /* READER: clients stop reading, and read again */
};

struct domain {
    const char *name;
    uint32_t models;
    enum lc_auto_evict mode;
    uint32_t requests; /* the most at a time */
    unsigned may;
    nbytes budget; /* model m takes m + 1; the third is an embedding model */
    uint32_t jit_limit;
    enum lc_ttl_update ttl_update;
    nbytes device; /* model m wishes m + 1 of it; 0: there is no device, and no wish */
};

void domain_init(const struct domain *d, struct lifecycle *lc);

/* Every event that may happen next, in a fixed order; the number of them. */
uint32_t domain_events(const struct domain *d, const struct lifecycle *lc,
                       struct lc_event list[DOMAIN_EVENTS_MAX]);

/* What a worker that works as it should would say next, or false if none has anything to say.
 * The slots from `first` on, round, are asked in turn. */
bool domain_fair_event(const struct lifecycle *lc, int first, struct lc_event *ret);

/* A hash of what distinguishes the state; never 0. */
uint64_t domain_key(const struct lifecycle *lc);

#endif
