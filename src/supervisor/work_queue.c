/* SPDX-License-Identifier: MIT */
#include "supervisor/work_queue.h"

#include <stdlib.h>

#include "base/xalloc.h"

void work_queue_clear(struct work_queue *queue) {
    free(queue->ring);
    *queue = (struct work_queue){ 0 };
}

static void widen(struct work_queue *queue) {
    size_t cap = queue->cap ? 2 * queue->cap : 16;
    struct work *wider = xcalloc(cap, sizeof *wider);
    for (size_t i = 0; i < queue->len; i++) {
        wider[i] = queue->ring[(queue->head + i) % queue->cap];
    }
    free(queue->ring);
    *queue = (struct work_queue){ .ring = wider, .len = queue->len, .cap = cap };
}

void work_queue_push(struct work_queue *queue, const struct work *work) {
    if (queue->len == queue->cap) widen(queue);
    queue->ring[(queue->head + queue->len++) % queue->cap] = *work;
}

bool work_queue_pop(struct work_queue *queue, struct work *ret) {
    if (queue->len == 0) return false;
    *ret = queue->ring[queue->head];
    queue->head = (queue->head + 1) % queue->cap;
    queue->len--;
    return true;
}
