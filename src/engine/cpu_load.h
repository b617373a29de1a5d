/* SPDX-License-Identifier: MIT */
/* cpu_load.h - how many cores other threads leave, from samples of the run queue. Pure. */
#ifndef DOZE_ENGINE_CPU_LOAD_H
#define DOZE_ENGINE_CPU_LOAD_H

#include <stdint.h>

/* Runnable threads besides ours. A zeroed one: nothing was sampled yet. */
struct cpu_load {
    int others;       /* the least of the last three samples: load that stays */
    int last, before; /* the last sample, and the one before it */
    int64_t at;       /* us, when the last was taken */
};

/* Record a sample of other runnable threads (negative counts as 0). Only load seen in three
 * consecutive samples counts: the daemon and its client wake for a moment at every token. (Two
 * were not enough: at one token in twelve both were seen twice, and the next token took twice
 * as long.) */
void cpu_load_sample(struct cpu_load *load, int others, int64_t now);

/* Forget the samples so far and begin with this one: it counts at once. */
void cpu_load_restart(struct cpu_load *load, int others, int64_t now);

/* How many of `most` threads have one of the `cores` to themselves; at least 1. */
int cpu_load_threads(const struct cpu_load *load, int most, int cores);

#endif
