/* SPDX-License-Identifier: MIT */
/* clock.h - the two clocks. Only edges read them; other code takes the time as an argument. */
#ifndef DOZE_BASE_CLOCK_H
#define DOZE_BASE_CLOCK_H

#include <time.h>

#include "base/msec.h"

/* CLOCK_BOOTTIME in ms: runs while the machine sleeps and never goes back. */
msec clock_boottime(void);

/* The same in microseconds, for timings inside one request. */
int64_t clock_boottime_usec(void);

/* CLOCK_MONOTONIC in microseconds, for systemd, which compares it with its own. */
int64_t clock_monotonic_usec(void);

/* Unix time in ms, for people and for `created` fields. It may jump. */
msec clock_unix(void);

/* A time of the system, such as a file's, in ms. Pure. */
msec clock_msec(struct timespec at);

#endif
