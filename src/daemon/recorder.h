/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - writes the history: every transition, and how memory was used when an instance
 * or a parked worker came or went and, while one works, every 10 s.
 *
 * No timer while all are idle. Loop's thread only.
 */
#ifndef DOZE_DAEMON_RECORDER_H
#define DOZE_DAEMON_RECORDER_H

#include <uv.h>

#include "daemon/events.h"
#include "daemon/history.h"

struct recorder {
    struct history *history;
    struct supervisor *supervisor;
    struct feed_listener *listener; /* NULL: closed */
    uv_timer_t timer;               /* until the next sample */
    uint64_t sampled;               /* uv_now of the last one; 0: none yet */
    nbytes parked;                  /* what parked workers held then */
    size_t parked_count;            /* and how many there were */
};

/* Borrows all of them until recorder_close. */
void recorder_open(struct recorder *r, uv_loop_t *loop, struct feed *events,
                   struct supervisor *supervisor, struct history *history);
/* Something in the supervisor has changed. Accepts a zeroed one. */
void recorder_look(struct recorder *r);
/* Before the loop ends; accepts a zeroed one. */
void recorder_close(struct recorder *r);

#endif
