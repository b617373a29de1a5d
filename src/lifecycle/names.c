/* SPDX-License-Identifier: MIT */
#include "lifecycle/core.h"

#include <assert.h>

/* The diagram in lifecycle.h. */
static const bool edges[LC_STATE_COUNT][LC_STATE_COUNT] = {
    [LC_ABSENT] = { [LC_LOADING] = true },
    [LC_LOADING] = { [LC_IDLE] = true,
                     [LC_BUSY] = true,
                     [LC_UNLOADING] = true,
                     [LC_ABSENT] = true },
    [LC_IDLE] = { [LC_BUSY] = true, [LC_UNLOADING] = true, [LC_ABSENT] = true },
    [LC_BUSY] = { [LC_IDLE] = true,
                  [LC_DRAINING] = true,
                  [LC_UNLOADING] = true,
                  [LC_ABSENT] = true },
    [LC_DRAINING] = { [LC_BUSY] = true, [LC_UNLOADING] = true, [LC_ABSENT] = true },
    [LC_UNLOADING] = { [LC_ABSENT] = true },
};

static const char *const state_names[] = {
    [LC_ABSENT] = "absent", [LC_LOADING] = "loading",   [LC_IDLE] = "idle",
    [LC_BUSY] = "busy",     [LC_DRAINING] = "draining", [LC_UNLOADING] = "unloading",
};
static_assert(sizeof state_names / sizeof *state_names == LC_STATE_COUNT, "a name per state");

static const char *const reason_names[] = {
    [LC_BECAUSE_NONE] = "none",
    [LC_BECAUSE_REQUEST] = "request",
    [LC_BECAUSE_LOAD] = "load",
    [LC_BECAUSE_READY] = "ready",
    [LC_BECAUSE_DONE] = "done",
    [LC_BECAUSE_RECALLED] = "recalled",
    [LC_BECAUSE_EXITED] = "exited",
    [LC_BECAUSE_LOAD_FAILED] = "load_failed",
    [LC_BECAUSE_LOAD_CANCELLED] = "load_cancelled",
    [LC_BECAUSE_TTL] = "ttl",
    [LC_BECAUSE_EVICTED] = "evicted_by",
    [LC_BECAUSE_USER] = "user",
    [LC_BECAUSE_SHUTDOWN] = "shutdown",
    [LC_BECAUSE_DIED] = "worker_died",
    [LC_BECAUSE_MEMORY] = "memory_pressure",
};
static_assert(sizeof reason_names / sizeof *reason_names == LC_REASON_COUNT,
              "a name per reason");

bool lc_edge_legal(enum lc_state from, enum lc_state to) {
    return edges[from][to];
}

const char *lc_state_name(enum lc_state state) {
    return state_names[state];
}

const char *lc_reason_name(enum lc_reason reason) {
    return reason_names[reason];
}
