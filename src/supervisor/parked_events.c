/* SPDX-License-Identifier: MIT */
/* parked_events.c - ends of parked workers, after which what waited for their memory goes
 * on. */
#include "supervisor/internal.h"

static void parked_on_end(void *ctx, int place, enum parked_reason reason) {
    supervisor_tell_parked(ctx, place, PARKED_ENDS, reason);
}

static void parked_on_gone(void *ctx, call_id unloading) {
    struct supervisor *sup = ctx;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        supervisor_send_load(sup, i);
        supervisor_let_grow(sup, i);
    }
    struct call *call = unloading && !supervisor_unloads(sup, unloading)
                            ? call_find(sup->calls, unloading)
                            : NULL;
    if (call) call_done(sup->calls, call);
    supervisor_wake(sup);
}

struct parked_owner supervisor_parked_owner(struct supervisor *sup) {
    return (
        struct parked_owner){ .on_end = parked_on_end, .on_gone = parked_on_gone, .ctx = sup };
}
