/* SPDX-License-Identifier: MIT */
#include "engine/cpu_threads.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/proc_file.h"

/* Interval of samples, which are taken in the middle of a batch: by then the threads that the
 * last token woke sleep again. They are taken between batches only where batches are too short
 * for that. Samples are stale after a second without work. */
enum { SAMPLE_USEC = 20000, SHORT_USEC = 60000, STALE_USEC = 1000000 };
enum { SPIN_USEC = 10000 };
enum { SETTLED_MIN_USEC = 200, SETTLED_MAX_USEC = 15000 };

/* After a pause, and before a batch of prompts: this many samples, this far apart, until one
 * finds the machine idle. The wider ones outlast another worker's threads that spin behind
 * their last batch. */
enum { LOOKS = 4, APART_NSEC = 400000, WIDE_NSEC = 1500000 };

/* ---- the processors that may be used ---- */

/* False: an earlier processor of the set is on the same core. `siblings`: "0-1", "0,4", "3". */
static bool is_first_of_core(int cpu, const cpu_set_t *set, const char *siblings) {
    for (const char *at = siblings; *at >= '0' && *at <= '9';) {
        char *end;
        long first = strtol(at, &end, 10), last = first;
        if (*end == '-') last = strtol(end + 1, &end, 10);
        for (long other = first; other <= last && other < cpu; other++) {
            if (CPU_ISSET((size_t)other, set)) return false;
        }
        at = *end == ',' ? end + 1 : end;
    }
    return true;
}

int cpu_threads_count_cores(const char *root, const cpu_set_t *set) {
    char path[4096], siblings[256];
    int cores = 0, quota = cgroup_cpus(root);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, set)) continue;
        snprintf(path, sizeof path,
                 "%s/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", root, cpu);
        (void)proc_file_read(path, siblings, sizeof siblings);
        cores += is_first_of_core(cpu, set, siblings);
    }
    if (cores > quota) cores = quota;
    return cores > 0 ? cores : 1;
}

/* The kernel leaves out what a cpuset forbids. */
static void get_affinity(cpu_set_t *ret) {
    CPU_ZERO(ret);
    if (sched_getaffinity(0, sizeof *ret, ret) != 0) CPU_SET(0, ret);
}

int cpu_threads_default(void) {
    cpu_set_t set;
    get_affinity(&set);
    return cpu_threads_count_cores("", &set);
}

/* ---- what else runs ---- */

/* Runnable threads of the machine, the caller included; 1 if the kernel does not say. */
static int running(void) {
    static int fd = -2;
    if (fd == -2) fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 1;
    text[n] = '\0';
    int count = 1;
    return sscanf(text, "%*f %*f %*f %d/", &count) == 1 ? count : 1;
}

void cpu_threads_init(struct cpu_threads *cpu) {
    cpu_set_t set;
    get_affinity(&set);
    int allowed = CPU_COUNT(&set), quota = cgroup_cpus("");
    *cpu = (struct cpu_threads){ .cores = (int)sysconf(_SC_NPROCESSORS_ONLN),
                                 .allowed = allowed < quota ? allowed : quota };
}

/* Other threads that run and do not sleep again at once, as daemon and client do after sending
 * a request. */
static int others_that_stay(long apart_nsec) {
    int least = running() - 1;
    for (int i = 1; i < LOOKS && least > 0; i++) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = apart_nsec }, NULL);
        int others = running() - 1;
        if (others < least) least = others;
    }
    return least;
}

/* Sample between batches; the threads of the last batch spin for a while before they sleep,
 * see backends.c. */
static int others_now(const struct cpu_threads *cpu, int64_t now) {
    bool spin = now - cpu->batch_began - cpu->batch_lasted < SPIN_USEC;
    return running() - (spin ? cpu->computing : 1);
}

static int threads_now(struct cpu_threads *cpu, int most) {
    int64_t now = clock_boottime_usec(), age = now - cpu->load.at;
    if (age > STALE_USEC) {
        cpu_load_restart(&cpu->load, others_that_stay(APART_NSEC), now);
    } else if (age > SHORT_USEC) {
        cpu_load_sample(&cpu->load, others_now(cpu, now), now);
    }
    if (most > cpu->allowed) most = cpu->allowed;
    return cpu_load_threads(&cpu->load, most, cpu->cores);
}

int cpu_threads_begin_batch(struct cpu_threads *cpu, int most) {
    cpu->computing = threads_now(cpu, most);
    cpu->batch_began = clock_boottime_usec();
    return cpu->computing;
}

void cpu_threads_end_batch(struct cpu_threads *cpu) {
    cpu->batch_lasted = clock_boottime_usec() - cpu->batch_began;
}

static int64_t settled_after(const struct cpu_threads *cpu) {
    int64_t half = cpu->batch_lasted / 2;
    if (half > SETTLED_MAX_USEC) return SETTLED_MAX_USEC;
    return half < SETTLED_MIN_USEC ? SETTLED_MIN_USEC : half;
}

void cpu_threads_look_around(struct cpu_threads *cpu, int64_t now) {
    if (now - cpu->load.at < SAMPLE_USEC || now - cpu->batch_began < settled_after(cpu)) return;
    cpu_load_sample(&cpu->load, running() - cpu->computing, now);
}

bool cpu_threads_are_free(struct cpu_threads *cpu, int most) {
    if (most > cpu->allowed) most = cpu->allowed;
    if (2 * threads_now(cpu, most) > most) return true;
    cpu_load_restart(&cpu->load, others_that_stay(WIDE_NSEC), clock_boottime_usec());
    return 2 * threads_now(cpu, most) > most;
}
