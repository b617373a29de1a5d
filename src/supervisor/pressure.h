/* SPDX-License-Identifier: MIT */
/*
 * pressure.h - what leaves when the kernel reports that programs stall for lack of memory.
 *
 * Pure. One stall may be a hiccup: it costs the spare worker, which takes a tenth of a second
 * to start. Each further stall costs an idle instance, which the lifecycle chooses.
 */
#ifndef DOZE_SUPERVISOR_PRESSURE_H
#define DOZE_SUPERVISOR_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/msec.h"

/* After a stall the pressure lasts for this long. The kernel repeats a stall every 2 s. */
#define PRESSURE_CALM ((msec)10000)

enum pressure_relief { PRESSURE_SPARE_LEAVES, PRESSURE_INSTANCE_LEAVES };

/* Zeroed: there was none yet. */
struct pressure {
    msec over; /* when the last one is; 0: there was none */
};

/* Record a stall. Returns what is to leave. */
enum pressure_relief pressure_felt(struct pressure *pressure, msec now);

/* Has there been a stall within PRESSURE_CALM? If so, nothing is started in advance. */
bool pressure_lasts(const struct pressure *pressure, msec now);

/* The kernel's trigger also fires for stalls of long ago, which it counts when a watch begins
 * (seen with Linux 6.18: 0.2 ms since the start, for a trigger of 200). text: of a pressure
 * file (psi.rst). Has some task stalled for `least` us or longer since the last look? True
 * also if the text does not say. total: us at the last look; it is updated. */
bool pressure_has_grown(const char *text, uint64_t least, uint64_t *total);

#endif
