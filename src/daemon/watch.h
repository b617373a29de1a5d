/* SPDX-License-Identifier: MIT */
/*
 * watch.h - keeps the catalog up to date: scans on a pool thread when a model folder changes or
 * when asked to, and delivers the new snapshot on the loop.
 */
#ifndef DOZE_DAEMON_WATCH_H
#define DOZE_DAEMON_WATCH_H

#include <uv.h>

#include "catalog/catalog.h"

struct watch;

/* Watch every folder that a scan looks into, at most 4096, and the nearest existing parent of a
 * folder that does not exist. Blocks while it looks for them; whatever is added afterwards is
 * found. Borrows dirs for its life. on_scanned takes the catalog. */
struct watch *watch_new(uv_loop_t *loop, const char *const *dirs, size_t dir_count,
                        void (*on_scanned)(void *ctx, struct catalog *catalog), void *ctx);

/* Scan as soon as possible. */
void watch_rescan(struct watch *watch);

/* The same; call on_done when the catalog of a scan that began afterwards has been delivered,
 * or when the watch closes. */
void watch_scan(struct watch *watch, void (*on_done)(void *ctx), void *ctx);

/* Stop and free. A running scan ends on its own and its result is dropped; the loop waits for
 * it. Accepts NULL. */
void watch_close(struct watch *watch);

#endif
