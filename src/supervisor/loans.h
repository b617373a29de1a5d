/* SPDX-License-Identifier: MIT */
/*
 * loans.h - memory of other nodes, for a model that does not fit into this machine's: where the
 * supervisor gets it. Who lends, and how the bytes get there, is the daemon's business.
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
    nbytes part;  /* of the model, in these; the rest is what serving it takes */
};

struct loan_sink {
    /* It is over, of itself, and can only be closed. Once, from the loop. */
    void (*on_lost)(void *ctx, const struct error *why);
    void *ctx;
};

/* Zeroed: there are no other nodes. */
struct loans {
    /* Who lends what a model that needs `need` bytes lacks where it has `own`. */
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
