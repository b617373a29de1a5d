/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - the control groups (version 2) that this process is in, and their limits.
 *
 * The limits of every group up to the root apply: for a systemd service those of the slices
 * above it, in a container up to the container's own root. `root` is put before every path: ""
 * for the machine, or a folder with a /proc and /sys of its own for tests.
 */
#ifndef DOZE_BASE_CGROUP_H
#define DOZE_BASE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/msec.h"

/* One group on the way from the process's own to the root. */
struct cgroup {
    char path[4096]; /* its folder */
    size_t top;      /* length of the root group's path */
};

/* Start at the process's own group; it is the root group if no hierarchy is mounted. */
void cgroup_own(struct cgroup *ret, const char *root);

/* Go up one group. False: it was the root group. */
bool cgroup_up(struct cgroup *group);

/* The path of one of the group's files in *ret. */
void cgroup_file(const struct cgroup *group, const char *file, char *ret, size_t size);

/* Bytes that the group and all above it allow, memory.high included; UINT64_MAX: no limit. */
nbytes cgroup_memory_total(const char *root);

/* Bytes that they still allow. Cached file pages count as free: the kernel reclaims them. */
nbytes cgroup_memory_available(const char *root);

/* CPUs that their quotas allow, rounded down, at least 1; INT_MAX: no limit. */
int cgroup_cpus(const char *root);

/* ---- pure ---- */

/* The path of the process's group from the text of /proc/self/cgroup; "/" if there is none, or
 * none below the root. False: it does not fit. */
bool cgroup_parse_path(const char *text, char *ret, size_t size);

/* A number, or "max": UINT64_MAX. */
nbytes cgroup_parse_limit(const char *text);

/* CPUs that the text of cpu.max ("50000 100000", "max 100000") allows, as above. */
int cgroup_parse_cpus(const char *text);

/* Bytes of cached file pages in the text of memory.stat. */
nbytes cgroup_parse_cache(const char *text);

#endif
