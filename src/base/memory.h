/* SPDX-License-Identifier: MIT */
/* memory.h - how much memory the machine (or the container) can still give. */
#ifndef DOZE_BASE_MEMORY_H
#define DOZE_BASE_MEMORY_H

#include <stdbool.h>

#include "base/msec.h"

/* Bytes that can be had without swapping: MemAvailable of /proc/meminfo, or what the cgroup
 * still allows if that is less. UINT64_MAX if neither can be read. */
nbytes memory_available(void);

/* All memory of the machine or, if that is less, of the container; bytes, 0 if unknown. */
nbytes memory_total(void);

/* The value in bytes of a "Name:  123 kB" line of a meminfo text; false if it is not there.
 * Pure. */
bool memory_parse(const char *text, const char *name, nbytes *ret_bytes);

/* Bytes of cached file pages in the text of a cgroup's memory.stat. Pure. */
nbytes memory_stat_cache(const char *text);

#endif
