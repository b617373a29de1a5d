/* SPDX-License-Identifier: MIT */
/*
 * byte_budget.h - bounds the memory that the requests of all clients together take until they
 * are answered, or their answers until they are complete.
 *
 * Code that keeps a client's data for longer than a call counts its bytes here: bodies and
 * messages that are coming in, requests that wait for their turn, uploaded files, answers that
 * are sent when they are complete. Small ones have a reserve that large ones cannot fill; what
 * is only kept for later is released for the rest. One thread.
 */
#ifndef DOZE_BASE_BYTE_BUDGET_H
#define DOZE_BASE_BYTE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct byte_budget {
    size_t held;         /* now */
    size_t total;        /* that may be held */
    size_t reserve;      /* more than total, for small ones only */
    size_t small;        /* the most that counts as small */
    size_t yields;       /* of held: only kept for later, released for the rest */
    const char *refusal; /* the client's error if there is no room; NULL: that of bodies */
    void (*give_way)(void *ctx); /* release some of what yields */
    void *ctx;
};

/* May one holder have len bytes if all together have `all` bytes? */
bool byte_budget_has_room(const struct byte_budget *budget, size_t len, size_t all);
/* The same if all have `more` additional bytes. Releases what yields, but only if that is
 * enough. */
bool byte_budget_find_room(struct byte_budget *budget, size_t len, size_t more);

/* Set the error for the client if not (ERR_QUEUE_FULL). Returns false. */
bool byte_budget_refuse(const struct byte_budget *budget, struct error *err);

/* Bytes held from a budget. Zeroed: none, of no budget. It can be moved by copying, if the
 * original is not used again. */
struct byte_hold {
    struct byte_budget *budget;
    size_t bytes;
    bool yields;
};

/* Hold bytes, in *ret. A request that is larger than the whole budget may have all of it,
 * because waiting would never help it. own: bytes that the same request holds already. budget
 * NULL: nothing is counted. */
bool byte_hold_take(struct byte_budget *budget, size_t bytes, size_t own, struct byte_hold *ret,
                    struct error *err) __attribute__((warn_unused_result));
/* Hold that many bytes from now on, or as many as before if that is more. Fails like
 * byte_hold_take, and then holds as many as before. Not for bytes that yield. */
bool byte_hold_grow(struct byte_hold *hold, size_t bytes, struct error *err)
    __attribute__((warn_unused_result));
/* Move part of what is held into a hold of its own. */
struct byte_hold byte_hold_split(struct byte_hold *hold, size_t bytes);
/* Let it be released for others, by the budget's give_way. */
void byte_hold_yield(struct byte_hold *hold);
/* Take that back. */
void byte_hold_stay(struct byte_hold *hold);
/* Accepts a zeroed one, and zeroes it. */
void byte_hold_release(struct byte_hold *hold);

#endif
