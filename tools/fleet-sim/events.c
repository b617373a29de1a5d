/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "sim.h"

static bool is_before(const struct event *a, const struct event *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct event *a, struct event *b) {
    struct event c = *a;
    *a = *b;
    *b = c;
}

void events_add(struct events *q, usec at, enum event_kind kind, uint32_t a, uint32_t b,
                uint32_t stamp) {
    if (q->count == q->room) {
        q->room = q->room ? 2 * q->room : 1024;
        q->list = xrealloc(q->list, q->room * sizeof *q->list);
    }
    size_t i = q->count++;
    q->list[i] = (struct event){ at, q->order++, kind, a, b, stamp };
    for (; i > 0 && is_before(&q->list[i], &q->list[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&q->list[i], &q->list[(i - 1) / 2]);
}

bool events_take(struct events *q, struct event *ret) {
    if (q->count == 0) return false;
    *ret = q->list[0];
    q->list[0] = q->list[--q->count];
    for (size_t i = 0, least; 2 * i + 1 < q->count; i = least) {
        least = 2 * i + 1;
        if (least + 1 < q->count && is_before(&q->list[least + 1], &q->list[least])) least++;
        if (!is_before(&q->list[least], &q->list[i])) break;
        swap(&q->list[i], &q->list[least]);
    }
    return true;
}
