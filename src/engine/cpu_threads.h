/* SPDX-License-Identifier: MIT */
/*
 * cpu_threads.h - how many threads to compute with.
 *
 * ggml's threads wait for one another by spinning, at every node of the graph. One that finds
 * no free core makes all others spin through its whole time slice: two busy workers with a
 * thread per core each were seen at a hundredth of their speed. So a thread must have a core of
 * its own.
 */
#ifndef DOZE_ENGINE_CPU_THREADS_H
#define DOZE_ENGINE_CPU_THREADS_H

#include <stdint.h>

/* The physical cores this process may run on, at least 1. */
int cpu_threads_default(void);

/* Threads of the whole machine that run or want to, the caller among them; 1 if the kernel does
 * not say. */
int cpu_threads_running(void);

/* What else wants the processor, as seen from time to time. A zeroed one: nothing was seen yet.
 */
struct cpu_load {
    int others; /* threads that do not go away: as many as all of the last three looks saw */
    int seen, before; /* by the last look, and the one before it */
    int64_t at;       /* us, when that was */
};

/* Somebody looked and saw so many threads besides ours (negative counts as 0). What wakes for a
 * moment, as the daemon and its client do for every token, is not there three times. (Twice in
 * a row it was, at one token in twelve, and the next one took twice as long.) */
void cpu_load_see(struct cpu_load *load, int others, int64_t now);

/* The same, but what was seen before tells nothing any more. */
void cpu_load_see_anew(struct cpu_load *load, int others, int64_t now);

/* Of `most` threads, as many as have a core of `cores` for themselves, at least 1. */
int cpu_load_threads(const struct cpu_load *load, int most, int cores);

#endif
