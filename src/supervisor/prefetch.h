/* SPDX-License-Identifier: MIT */
/*
 * prefetch.h - a model's file comes into the page cache while its load still has to wait: for a
 * victim to finish its answers, to leave, and to give its memory back.
 *
 * In sequence, on a thread of the pool; that is several times as fast as page faults.
 */
#ifndef DOZE_SUPERVISOR_PREFETCH_H
#define DOZE_SUPERVISOR_PREFETCH_H

#include <stdbool.h>
#include <uv.h>

struct prefetch; /* NULL: nothing is being read */

/* Read the file and, if it is the first of a set, the others. NULL: it cannot be done now. */
struct prefetch *prefetch_start(uv_loop_t *loop, const char *path);

/* Whether it is through with the file: another look would find nothing to read. NULL: no. */
bool prefetch_done(const struct prefetch *prefetch);

/* The load has begun or is not wanted any more: stop within some milliseconds. Frees it, later.
 * Accepts NULL. */
void prefetch_stop(struct prefetch *prefetch);

#endif
