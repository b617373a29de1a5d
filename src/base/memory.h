/* SPDX-License-Identifier: MIT */
/* memory.h - how much memory the machine, or the limits around this process, can still give. */
#ifndef DOZE_BASE_MEMORY_H
#define DOZE_BASE_MEMORY_H

#include <stdbool.h>

#include "base/msec.h"

/* Bytes that are available without swapping: MemAvailable of /proc/meminfo, or what this
 * process's control groups still allow if that is less. UINT64_MAX if neither can be read. */
nbytes memory_available(void);

/* All memory of the machine or, if that is less, what the control groups allow; bytes, 0 if
 * unknown. */
nbytes memory_total(void);

/* The same of a machine whose /proc and /sys are below `root`, for tests. */
nbytes memory_available_at(const char *root);
nbytes memory_total_at(const char *root);

/* The value in bytes of a "Name:  123 kB" line of a meminfo or status text; false if it is not
 * there. Pure. */
bool memory_parse(const char *text, const char *name, nbytes *ret_bytes);

#endif
