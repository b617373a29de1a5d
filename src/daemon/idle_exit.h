/* SPDX-License-Identifier: MIT */
/*
 * idle_exit.h - when an idle daemon exits (`--exit-when-idle`); the next connection starts it
 * again. Pure.
 */
#ifndef DOZE_DAEMON_IDLE_EXIT_H
#define DOZE_DAEMON_IDLE_EXIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/msec.h"

#define IDLE_EXIT_LEAST ((msec)1000) /* enough to accept the connection that started it */

struct idle_exit {
    msec after; /* at least IDLE_EXIT_LEAST; MSEC_NEVER: it stays */
    msec since; /* it has had nothing to do since then; MSEC_NEVER: it is busy */
};

/* What keeps a daemon running. */
struct idle_facts {
    size_t instances; /* that listings show, so the requests that wait, too */
    size_t connections;
    size_t downloads; /* that run */
    bool reloading, stopping;
};

/* Start with no facts. */
void idle_exit_init(struct idle_exit *e, msec after);

/* Take the facts at `now`; call it after every change. Returns when to exit if nothing else
 * changes; a time up to `now`: at once; MSEC_NEVER: not at all. */
msec idle_exit_at(struct idle_exit *e, const struct idle_facts *facts, msec now);

#endif
