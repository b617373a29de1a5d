/* SPDX-License-Identifier: MIT */
/*
 * prefetch.h - reads a model's file into the page cache before its load: while that waits for a
 * victim to finish its answers, to exit, and to free its memory, or because a client asked.
 *
 * Reads in sequence, on a thread of the pool, which is several times as fast as page faults.
 */
#ifndef DOZE_SUPERVISOR_PREFETCH_H
#define DOZE_SUPERVISOR_PREFETCH_H

#include <stdbool.h>
#include <uv.h>

struct prefetch; /* NULL: nothing is being read */

/* Called from the loop when the reading has ended; not after prefetch_stop. */
typedef void (*prefetch_fn)(void *ctx);

/* Read the file and, if it is the first of a split set, the others. NULL: the pool takes no
 * work. on_end may be NULL. */
struct prefetch *prefetch_start(uv_loop_t *loop, const char *path, prefetch_fn on_end,
                                void *ctx);

/* Has the whole file been read? Accepts NULL: no. */
bool prefetch_done(const struct prefetch *prefetch);

/* Stop reading within some milliseconds, and free it later. Accepts NULL. */
void prefetch_stop(struct prefetch *prefetch);

#endif
