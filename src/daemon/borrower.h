/* SPDX-License-Identifier: MIT */
/*
 * borrower.h - memory of other nodes for the supervisor's loads (supervisor/loans.h), over the
 * two requests of lender.h.
 *
 *   asked --a first piece that the fleet key has sealed--> open: what the worker writes goes up
 *   asked, open --refused, lost, taken back, broken--> lost; the supervisor closes it
 *
 * Nothing of the model is sent before the lender has proved that it has the key.
 */
#ifndef DOZE_DAEMON_BORROWER_H
#define DOZE_DAEMON_BORROWER_H

#include <uv.h>

struct borrower;
struct fleet_node;
struct supervisor;

/* Borrows both for its life, and gives the supervisor its loans. */
struct borrower *borrower_new(uv_loop_t *loop, struct fleet_node *fleet,
                              struct supervisor *supervisor);

/* The settings have changed: there may be a fleet, or none. */
void borrower_settings_changed(struct borrower *borrower);

/* After the supervisor's last worker has gone. Accepts NULL. */
void borrower_free(struct borrower *borrower);

#endif
