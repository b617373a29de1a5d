/* SPDX-License-Identifier: MIT */
/*
 * watch.h - keeps the catalog up to date: scans on a pool thread when a model folder changes or
 * somebody asks, and hands the new snapshot over on the loop.
 */
#ifndef DOZE_DAEMON_WATCH_H
#define DOZE_DAEMON_WATCH_H

#include <uv.h>

#include "catalog/catalog.h"

struct watch;

/* Begins to watch the folders and what is below them (4 levels, 512 folders); what is added
 * from now on will be found. Borrows dirs for its life. on_scanned takes the catalog. */
struct watch *watch_new(uv_loop_t *loop, const char *const *dirs, size_t dir_count,
                        void (*on_scanned)(void *ctx, struct catalog *catalog), void *ctx);

/* Scan as soon as possible. */
void watch_rescan(struct watch *watch);

/* Stop and free; a scan that is under way is waited for by the loop and dropped. Accepts NULL.
 */
void watch_close(struct watch *watch);

#endif
