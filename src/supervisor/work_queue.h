/* SPDX-License-Identifier: MIT */
/*
 * work_queue.h - what the supervisor has to do, in order: events for the lifecycle, and calls
 * of clients that have not begun. Grows as needed. Pure.
 */
#ifndef DOZE_SUPERVISOR_WORK_QUEUE_H
#define DOZE_SUPERVISOR_WORK_QUEUE_H

#include "api/service.h"
#include "lifecycle/lifecycle.h"

struct work {
    call_id call;          /* 0: an event */
    struct lc_event event; /* `now` is not set yet */
};

/* A ring. Start with a zeroed struct. */
struct work_queue {
    struct work *ring;
    size_t head, len, cap;
};

void work_queue_clear(struct work_queue *queue);
void work_queue_push(struct work_queue *queue, const struct work *work);
/* False if there is none. */
bool work_queue_pop(struct work_queue *queue, struct work *ret);

#endif
