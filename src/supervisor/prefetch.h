/* SPDX-License-Identifier: MIT */
/*
 * prefetch.h - reads a model's file into the page cache while its load still has to wait: for a
 * victim to finish its answers, to exit, and to free its memory.
 *
 * Reads in sequence, on a thread of the pool, which is several times as fast as page faults.
 */
#ifndef DOZE_SUPERVISOR_PREFETCH_H
#define DOZE_SUPERVISOR_PREFETCH_H

#include <stdbool.h>
#include <uv.h>

struct prefetch; /* NULL: nothing is being read */

/* Read the file and, if it is the first of a split set, the others. NULL: the pool takes no
 * work. */
struct prefetch *prefetch_start(uv_loop_t *loop, const char *path);

/* Has all of it been read? Accepts NULL: no. */
bool prefetch_done(const struct prefetch *prefetch);

/* The load has begun or is cancelled: stop reading within some milliseconds. Frees it, later.
 * Accepts NULL. */
void prefetch_stop(struct prefetch *prefetch);

#endif
