/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - the control groups (version 2) that this process is in, and their limits.
 *
 * A limit of any group up to the root holds: of a systemd service the slices above it, in a
 * container the container's own root. `root` is prefixed to every path: "" for the machine, a
 * folder with a made-up /proc and /sys for tests.
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
    size_t top;      /* length of the root group's */
};

/* Begin with the process's own group. Outside a mounted hierarchy it is the root group. */
void cgroup_own(struct cgroup *ret, const char *root);

/* Go up one group. False: it was the root group. */
bool cgroup_up(struct cgroup *group);

/* The path of one of the group's files in *ret. */
void cgroup_file(const struct cgroup *group, const char *file, char *ret, size_t size);

/* Bytes the group and all above it allow to be used, memory.high included; UINT64_MAX: any. */
nbytes cgroup_memory_total(const char *root);

/* Bytes they still allow. Cached pages of files count as free: they are given up on demand. */
nbytes cgroup_memory_available(const char *root);

/* Processors' worth of time they allow, rounded down but at least 1; INT_MAX: any. */
int cgroup_cpus(const char *root);

/* ---- pure ---- */

/* The path of the process's group in the text of /proc/self/cgroup; "/" if it is not there or
 * not below the root. False: it does not fit. */
bool cgroup_parse_path(const char *text, char *ret, size_t size);

/* A number, or "max": UINT64_MAX. */
nbytes cgroup_parse_limit(const char *text);

/* Processors that the text of cpu.max ("50000 100000", "max 100000") allows, as above. */
int cgroup_parse_cpus(const char *text);

/* Bytes of cached file pages in the text of memory.stat. */
nbytes cgroup_parse_cache(const char *text);

#endif
