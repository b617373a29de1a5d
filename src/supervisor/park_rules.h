/* SPDX-License-Identifier: MIT */
/*
 * park_rules.h - which workers stay parked when their instance is unloaded, which load may have
 * one of them, and who leaves first.
 *
 * Pure. A parked worker has no instance: it keeps a model's weights and vocabulary, so that
 * the next load of the same file with the same settings needs only a context. Anything else
 * that needs its memory gets it.
 */
#ifndef DOZE_SUPERVISOR_PARK_RULES_H
#define DOZE_SUPERVISOR_PARK_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/msec.h"

enum park_mode { PARK_AUTO, PARK_ON, PARK_OFF };
extern const char *const park_words[PARK_OFF + 1];

/* Bytes that stay free beside a parked worker with PARK_AUTO. */
#define PARK_LEAST_FREE ((nbytes)8 << 30)

enum { PARKED_MAX = 16 };

/* What happens to a parked worker. */
enum parked_change { PARKED_BEGINS, PARKED_WAKES, PARKED_ENDS };
enum { PARKED_CHANGE_COUNT = PARKED_ENDS + 1 };

/* Why a parked worker ends. */
enum parked_reason {
    PARKED_FOR_ROOM,     /* an instance needs the memory */
    PARKED_FOR_PRESSURE, /* programs stall for lack of memory */
    PARKED_TOO_LONG,
    PARKED_FILE_CHANGED,
    PARKED_ENGINE_CHANGED, /* workers are started from another program */
    PARKED_SWITCHED_OFF,
    PARKED_BY_USER,
    PARKED_SHUTDOWN,
    PARKED_DIED,
};
enum { PARKED_REASON_COUNT = PARKED_DIED + 1 };

const char *parked_change_name(enum parked_change change); /* "parked", "woken", "given_up" */
const char *parked_reason_name(enum parked_reason reason); /* "memory", "expired", ... */

/* What a worker was loaded as. Workers with equal keys can replace each other. */
struct park_key {
    uint64_t settings; /* of the load and of the prompt store */
    uint64_t files;    /* which files they are, and their sizes and times of change */
};

/* What is known of one place for a parked worker. */
struct parked_facts {
    bool taken;            /* else the place is free */
    bool leaves;           /* it was told to end, and its memory is not back yet */
    const char *model_key; /* borrowed */
    struct park_key key;
    nbytes bytes;
    msec since;
};

/* A worker whose instance is about to leave. */
struct park_case {
    enum park_mode mode;
    bool returns;      /* the instance leaves by its ttl, or for another one */
    bool elsewhere;    /* it has memory of a device */
    bool locked;       /* its memory cannot be swapped out */
    bool drafts;       /* it has a second model */
    bool under_stress; /* programs stall for lack of memory */
    nbytes bytes;      /* that it takes */
    nbytes free;       /* neither taken nor about to be, these bytes not counted */
};

bool park_allows(const struct park_case *c);

/* The place of a worker that can take up this load; -1: none. */
int park_find(const struct parked_facts *places, const char *model_key,
              const struct park_key *key);

/* The place of a worker whose model has this key and whose files have changed since; -1:
 * none. */
int park_find_stale(const struct parked_facts *places, const char *model_key, uint64_t files);

/* The place of the one that leaves first; -1: all have been told to end. */
int park_first_to_leave(const struct parked_facts *places);

/* A free place; -1: there is none. */
int park_free_place(const struct parked_facts *places);

/* Which parked workers count: all that hold memory, or without those that were told to end. */
enum parked_counted { PARKED_ALL, PARKED_STAYING };

/* Do instances that take `taken` bytes and these parked workers together need more than the
 * budget? */
bool park_exceeds(const struct parked_facts *places, enum parked_counted counted, nbytes taken,
                  nbytes budget);

/* When the next one will have been parked for `life`; MSEC_NEVER: none is parked. */
msec park_deadline(const struct parked_facts *places, msec life);

#endif
