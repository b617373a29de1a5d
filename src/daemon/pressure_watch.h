/* SPDX-License-Identifier: MIT */
/*
 * pressure_watch.h - the kernel's reports (PSI) that programs stall for lack of memory, on the
 * machine and in the server's control group. Without a stall nothing is read and no timer
 * runs.
 *
 * The environment may name another file, as systemd's "Memory Pressure Handling" has it:
 * MEMORY_PRESSURE_WATCH is the control group's file or a FIFO in which each write is a stall,
 * or /dev/null: nothing is watched. MEMORY_PRESSURE_WRITE is what to write into the file, in
 * base64.
 */
#ifndef DOZE_DAEMON_PRESSURE_WATCH_H
#define DOZE_DAEMON_PRESSURE_WATCH_H

#include <stdbool.h>
#include <uv.h>

struct pressure_watch;

/* Watches nothing yet. on_pressure comes from the loop, at most every 2 s from each file of the
 * kernel. */
struct pressure_watch *pressure_watch_new(uv_loop_t *loop, void (*on_pressure)(void *ctx),
                                          void *ctx);

/* Start or stop watching. Files that the kernel does not have, or not for this user, are
 * skipped; the debug log says so. */
void pressure_watch_enable(struct pressure_watch *watch, bool on);

/* Stop and free. Accepts NULL. */
void pressure_watch_close(struct pressure_watch *watch);

#endif
