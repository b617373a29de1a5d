/* SPDX-License-Identifier: MIT */
/*
 * byte_budget.h - the memory that requests of all clients together may take before they are
 * answered, and who has how much of it.
 *
 * Code that keeps a client's data for longer than a call counts its bytes here: bodies
 * and messages that are coming in, requests that wait for their turn. Small ones have a reserve
 * that large ones cannot fill. One thread.
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
};

/* May something of len bytes be held if all together have `all` bytes? */
bool byte_budget_has_room(const struct byte_budget *budget, size_t len, size_t all);

/* What a client hears if not: fails with ERR_QUEUE_FULL. */
bool byte_budget_refuse(struct error *err);

/* Bytes that somebody holds. Zeroed: none, and of no budget. It may be copied if the other copy
 * is forgotten. */
struct byte_hold {
    struct byte_budget *budget;
    size_t bytes;
};

/* Hold that many bytes, in *ret. What is larger than the budget may have all of it, or waiting
 * would never help: own are those bytes of the same request that are held already. budget NULL:
 * nothing is counted. */
bool byte_hold_take(struct byte_budget *budget, size_t bytes, size_t own, struct byte_hold *ret,
                    struct error *err) __attribute__((warn_unused_result));
/* Part of what is held becomes a hold of its own. */
struct byte_hold byte_hold_split(struct byte_hold *hold, size_t bytes);
/* Accepts zeroed, which it is afterwards. */
void byte_hold_release(struct byte_hold *hold);

#endif
