/* SPDX-License-Identifier: MIT */
#ifndef DOZE_ENGINE_CPU_THREADS_H
#define DOZE_ENGINE_CPU_THREADS_H

/* How many threads to compute with: the physical cores this process may run on, at least 1.
 * ggml's threads spin, so a second one on the same core only takes time from the first. */
int cpu_threads_default(void);

#endif
