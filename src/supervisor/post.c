/* SPDX-License-Identifier: MIT */
/* post.c - queues work for the loop: nothing is done, and no sink is called, before the caller
 * has returned to the loop. */
#include "supervisor/internal.h"

void supervisor_wake(struct supervisor *sup) {
    uv_idle_start(&sup->drain, sup->on_drain);
}

static void post(struct supervisor *sup, const struct work *work) {
    work_queue_push(&sup->queue, work);
    supervisor_wake(sup);
}

void supervisor_post(struct supervisor *sup, struct lc_event event) {
    post(sup, &(struct work){ .event = event });
}

void supervisor_post_call(struct supervisor *sup, const struct call *call) {
    post(sup, &(struct work){ .call = call->id });
}
