/* SPDX-License-Identifier: MIT */
/*
 * loans.h - how the supervisor gets memory of other nodes for a model that does not fit into
 * this machine's. The daemon chooses the lender and carries the bytes.
 */
#ifndef DOZE_SUPERVISOR_LOANS_H
#define DOZE_SUPERVISOR_LOANS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/msec.h"

struct loan;

enum { LOAN_NAME_SIZE = 64 };

/* Zeroed: none. */
struct loan_offer {
    char lender[LOAN_NAME_SIZE];
    nbytes bytes; /* to be lent */
    nbytes part;  /* of these, for the model itself; the rest is for serving it */
};

struct loan_sink {
    /* The loan is lost and can only be closed. Called once, from the loop. */
    void (*on_lost)(void *ctx, const struct error *why);
    void *ctx;
};

/* Zeroed: there are no other nodes. */
struct loans {
    /* Find a lender for what a model that needs `need` bytes lacks beyond `own`. */
    bool (*find)(void *ctx, nbytes need, nbytes own, struct loan_offer *ret);
    /* Begin. ret_fd: the end for the worker, which the caller closes. NULL: it cannot begin,
     * and there is no fd. Free with close. */
    struct loan *(*open)(void *ctx, const struct loan_offer *offer, struct loan_sink sink,
                         int *ret_fd, struct error *err);
    void (*close)(struct loan *loan);
    void *ctx;
};

struct supervisor;

/* Copied. Before the first load that wants one. */
void supervisor_set_loans(struct supervisor *sup, const struct loans *loans);

#endif
