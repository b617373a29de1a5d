/* SPDX-License-Identifier: MIT */
#include "engine/cpu_threads.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

/* The first logical processor of a core stands for it: "0-1", "0,4" or "3" name its siblings. */
static bool is_first_of_core(int cpu) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    FILE *f = fopen(path, "re");
    if (!f) return true;
    int first = cpu;
    int got = fscanf(f, "%d", &first);
    fclose(f);
    return got != 1 || first == cpu;
}

int cpu_threads_default(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int cores = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET((size_t)cpu, &set) && is_first_of_core(cpu)) cores++;
    }
    return cores > 0 ? cores : 1;
}
