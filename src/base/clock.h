/* SPDX-License-Identifier: MIT */
/* clock.h - the two clocks. Read at the edge only; everything else is given the time. */
#ifndef DOZE_BASE_CLOCK_H
#define DOZE_BASE_CLOCK_H

#include "base/msec.h"

/* CLOCK_BOOTTIME in ms: goes on while the machine sleeps, never back. */
msec clock_boottime(void);

/* The same in microseconds, for timings inside one request. */
int64_t clock_boottime_usec(void);

/* Unix time in ms, for people and for `created` fields. May jump. */
msec clock_unix(void);

#endif
