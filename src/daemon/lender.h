/* SPDX-License-Identifier: MIT */
/*
 * lender.h - lends memory to other nodes (fleet.lend_memory): each loan is a worker, and two
 * requests of the borrower that carry the sealed bytes.
 *
 *   POST /api/v1/fleet/memory        {"bytes","engine","number"}; answered when the worker
 *                                    serves, by a stream of what it says, from a first piece of
 *                                    one byte on, until the loan is over
 *   POST /api/v1/fleet/memory/{id}   what the borrower says next; answered when the worker has
 *                                    taken it, so that there is one at a time
 *
 * Only nodes that have the fleet key get in, and without a fleet key there are no loans. A
 * loan ends when either side ends it, when the borrower leaves the fleet, and when this
 * machine needs the memory itself, which a clean end of the stream says.
 */
#ifndef DOZE_DAEMON_LENDER_H
#define DOZE_DAEMON_LENDER_H

#include <uv.h>

struct exchange;
struct fleet_node;
struct lender;
struct supervisor;

#define LOAN_PATH "/api/v1/fleet/memory"
#define LOAN_ID_HEADER "X-Doze-Loan"
#define LOAN_NUMBER_HEADER "X-Doze-Number"

enum {
    LOAN_UP_MAX = 512 << 10, /* bytes that one request carries, before they are sealed */
    LOAN_BODY_MAX = 1 << 20, /* ... and after */
    LOAN_LOOK_MS = 1000,     /* between two checks that the other node is there */
    LOAN_PATIENCE_LOOKS = 5, /* its lease has ended, and it is not back: the loan is over */
};

/* Borrows both for its life. */
struct lender *lender_new(uv_loop_t *loop, struct fleet_node *fleet,
                          struct supervisor *supervisor);

/* The two requests. Take the exchange; its answer comes now or later. */
void lender_begin(struct lender *lender, struct exchange *x);
void lender_take(struct lender *lender, struct exchange *x);

/* The daemon stops: all loans are over. Accepts NULL. */
void lender_stop(struct lender *lender);
/* After the server is closed. The loop waits for the handles. Accepts NULL. */
void lender_close(struct lender *lender);

#endif
