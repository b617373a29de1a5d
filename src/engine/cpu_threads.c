/* SPDX-License-Identifier: MIT */
#include "engine/cpu_threads.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* The first logical processor of a core stands for it: "0-1", "0,4" or "3" name its siblings.
 */
static bool is_first_of_core(int cpu) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
             cpu);
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

int cpu_threads_running(void) {
    static int fd = -2;
    if (fd == -2) fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 1;
    text[n] = '\0';
    int count = 1;
    return sscanf(text, "%*f %*f %*f %d/", &count) == 1 ? count : 1;
}

static int not_negative(int n) {
    return n > 0 ? n : 0;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

void cpu_load_see(struct cpu_load *load, int others, int64_t now) {
    int others_now = not_negative(others);
    load->others = least(others_now, least(load->seen, load->before));
    load->before = load->seen;
    load->seen = others_now;
    load->at = now;
}

void cpu_load_see_anew(struct cpu_load *load, int others, int64_t now) {
    load->before = load->seen = load->others = not_negative(others);
    load->at = now;
}

int cpu_load_threads(const struct cpu_load *load, int most, int cores) {
    int idle = cores - load->others;
    int threads = idle < most ? idle : most;
    return threads > 1 ? threads : 1;
}
