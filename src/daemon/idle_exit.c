/* SPDX-License-Identifier: MIT */
#include "daemon/idle_exit.h"

void idle_exit_init(struct idle_exit *e, msec after) {
    *e = (struct idle_exit){ .after = after, .since = MSEC_NEVER };
}

static bool is_idle(const struct idle_facts *facts) {
    bool busy = facts->reloading || facts->stopping;
    return !busy && facts->instances + facts->connections + facts->downloads == 0;
}

msec idle_exit_at(struct idle_exit *e, const struct idle_facts *facts, msec now) {
    if (!is_idle(facts))
        e->since = MSEC_NEVER;
    else if (e->since == MSEC_NEVER)
        e->since = now;
    bool stays = e->after == MSEC_NEVER || e->since == MSEC_NEVER;
    return stays ? MSEC_NEVER : e->since + e->after;
}
