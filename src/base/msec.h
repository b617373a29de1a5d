/* SPDX-License-Identifier: MIT */
/*
 * msec.h - scalars with a unit, and nothing else: the pure core includes only this file.
 */
#ifndef DOZE_BASE_MSEC_H
#define DOZE_BASE_MSEC_H

#include <stdint.h>

/* Milliseconds: a point on CLOCK_BOOTTIME, or a span. */
typedef int64_t msec;
#define MSEC_NEVER INT64_MAX

typedef uint64_t nbytes;

#endif
