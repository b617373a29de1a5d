/* SPDX-License-Identifier: MIT */
/*
 * cpu_threads.h - how many threads to compute with.
 *
 * ggml's threads wait for one another by spinning, at every node of the graph. One that finds no
 * free core makes all others spin through its whole time slice: two busy workers with a thread per
 * core each were seen at a hundredth of their speed. So a thread must have a core of its own.
 */
#ifndef DOZE_ENGINE_CPU_THREADS_H
#define DOZE_ENGINE_CPU_THREADS_H

/* The physical cores this process may run on, at least 1. */
int cpu_threads_default(void);

/* Of `most` threads, as many as have a core free just now, at least 1. To be called between two
 * batches, when of this process only the calling thread runs. */
int cpu_threads_now(int most);

#endif
