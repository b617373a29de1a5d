/* SPDX-License-Identifier: MIT */
/*
 * cpu_threads.h - how many threads to compute a batch with.
 *
 * ggml's threads wait for one another by spinning at every node of the graph. A thread without
 * a core of its own makes all others spin through its time slices: two busy workers with one
 * thread per core each ran at a hundredth of their speed. So a batch gets only as many threads
 * as there are idle cores.
 */
#ifndef DOZE_ENGINE_CPU_THREADS_H
#define DOZE_ENGINE_CPU_THREADS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/cpu_load.h"

struct cpu_threads {
    struct cpu_load load;
    int cores;                         /* logical processors of the machine */
    int allowed;                       /* of them, by affinity, cpuset and quota */
    int computing;                     /* threads of the batch that is being computed */
    int64_t batch_began, batch_lasted; /* us; of the last batch */
};

/* The physical cores that affinity, cpuset and the control groups' quota allow this process;
 * at least 1. */
int cpu_threads_default(void);

/* The same for these logical processors on a machine whose /proc and /sys are below `root`. */
int cpu_threads_count_cores(const char *root, const cpu_set_t *set);

void cpu_threads_init(struct cpu_threads *cpu);

/* Begin a batch: returns the number of threads to compute it with, at most `most`. May sleep
 * for about a millisecond after a pause of a second. */
int cpu_threads_begin_batch(struct cpu_threads *cpu, int most);
void cpu_threads_end_batch(struct cpu_threads *cpu);

/* Sample what else runs. Call it from the thread that began the batch, while it is computed,
 * as often as you like. now: us. */
void cpu_threads_look_around(struct cpu_threads *cpu, int64_t now);

/* Are more than half of the cores idle that `most` threads would use? Ask before a batch of
 * prompts, whose number of threads stays the same to its end. Load that earlier samples have
 * seen, as beside another worker's batch, is sampled again for up to five milliseconds. */
bool cpu_threads_are_free(struct cpu_threads *cpu, int most);

#endif
