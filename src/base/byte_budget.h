/* SPDX-License-Identifier: MIT */
/*
 * byte_budget.h - the memory that requests of all clients together may take before they are
 * answered, and who has how much of it.
 *
 * Code that keeps a client's data for longer than a call counts its bytes here: bodies
 * and messages that are coming in, requests that wait for their turn, uploaded files. Small
 * ones have a reserve that large ones cannot fill; what is kept for later only gives way. One
 * thread.
 */
#ifndef DOZE_BASE_BYTE_BUDGET_H
#define DOZE_BASE_BYTE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct byte_budget {
    size_t held;    /* now */
    size_t total;   /* that may be held */
    size_t reserve; /* more than total, for small ones only */
    size_t small;   /* the most that counts as small */
    size_t yields;  /* of held: is kept for later only, and gives way to the rest */
    void (*give_way)(void *ctx); /* release some of what yields */
    void *ctx;
};

/* May something of len bytes be held if all together have `all` bytes? */
bool byte_budget_has_room(const struct byte_budget *budget, size_t len, size_t all);
/* The same if all have `more` bytes than now. What yields gives way, but only if that is
 * enough. */
bool byte_budget_find_room(struct byte_budget *budget, size_t len, size_t more);

/* What a client hears if not: fails with ERR_QUEUE_FULL. */
bool byte_budget_refuse(struct error *err);

/* Bytes that somebody holds. Zeroed: none, and of no budget. It may be copied if the other copy
 * is forgotten. */
struct byte_hold {
    struct byte_budget *budget;
    size_t bytes;
    bool yields;
};

/* Hold that many bytes, in *ret. What is larger than the budget may have all of it, or waiting
 * would never help: own are those bytes of the same request that are held already. budget NULL:
 * nothing is counted. */
bool byte_hold_take(struct byte_budget *budget, size_t bytes, size_t own, struct byte_hold *ret,
                    struct error *err) __attribute__((warn_unused_result));
/* Part of what is held becomes a hold of its own. */
struct byte_hold byte_hold_split(struct byte_hold *hold, size_t bytes);
/* From now on it gives way to others: they call the budget's give_way. */
void byte_hold_yield(struct byte_hold *hold);
/* Accepts zeroed, which it is afterwards. */
void byte_hold_release(struct byte_hold *hold);

#endif
