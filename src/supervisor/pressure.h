/* SPDX-License-Identifier: MIT */
/*
 * pressure.h - what leaves when the kernel says that programs stall for want of memory.
 *
 * Pure. One stall may be a hiccup: it costs the spare worker, whose start takes a tenth of a
 * second. Stalls that go on cost an idle instance each; which one is the lifecycle's rule.
 */
#ifndef DOZE_SUPERVISOR_PRESSURE_H
#define DOZE_SUPERVISOR_PRESSURE_H

#include <stdbool.h>

#include "base/msec.h"

/* So long after a stall the pressure is over. The kernel tells of stalls that go on every 2 s.
 */
#define PRESSURE_CALM ((msec)10000)

enum pressure_relief { PRESSURE_SPARE_LEAVES, PRESSURE_INSTANCE_LEAVES };

/* Zeroed: there was none yet. */
struct pressure {
    msec over; /* when the last one is; 0: there was none */
};

/* Programs stall. Returns what is to leave. */
enum pressure_relief pressure_felt(struct pressure *pressure, msec now);

/* Has there been a stall within PRESSURE_CALM? Then nothing is started ahead of its need. */
bool pressure_lasts(const struct pressure *pressure, msec now);

#endif
