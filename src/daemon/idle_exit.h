/* SPDX-License-Identifier: MIT */
/*
 * idle_exit.h - when a daemon that has nothing to do leaves (`--exit-when-idle`), for one that
 * the next connection starts again. Pure.
 */
#ifndef DOZE_DAEMON_IDLE_EXIT_H
#define DOZE_DAEMON_IDLE_EXIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/msec.h"

#define IDLE_EXIT_LEAST ((msec)1000) /* it must have time to accept who started it */

struct idle_exit {
    msec after; /* at least IDLE_EXIT_LEAST; MSEC_NEVER: it stays */
    msec since; /* it has had nothing to do; MSEC_NEVER: it has */
};

/* What keeps a daemon. */
struct idle_facts {
    size_t instances; /* that listings show, so the requests that wait, too */
    size_t connections;
    size_t downloads; /* that run */
    bool reloading, stopping;
};

/* Nothing has been seen yet. */
void idle_exit_init(struct idle_exit *e, msec after);

/* The facts at `now`: call it for every change. Returns when to leave if nothing changes:
 * `now` or before: now; MSEC_NEVER: not. */
msec idle_exit_at(struct idle_exit *e, const struct idle_facts *facts, msec now);

#endif
