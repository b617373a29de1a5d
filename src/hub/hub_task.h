/* SPDX-License-Identifier: MIT */
/*
 * hub_task.h - work that blocks, such as a download, each on a thread of its own, so that
 * neither the loop nor libuv's small pool waits for a slow hub.
 */
#ifndef DOZE_HUB_HUB_TASK_H
#define DOZE_HUB_HUB_TASK_H

#include <stdbool.h>
#include <uv.h>

#include "base/msec.h"

struct hub_tasks;
struct hub_task;

enum { HUB_TASKS_MAX = 32 };

/* All functions but hub_task_is_stopped and hub_task_sleep: the loop's thread. */
struct hub_tasks *hub_tasks_new(uv_loop_t *loop);

/* Stop all tasks. The loop goes on until each has ended and its `done` was called; then
 * on_closed is called and the tasks are freed. */
void hub_tasks_close(struct hub_tasks *tasks, void (*on_closed)(void *ctx), void *ctx);

/* Call work on a new thread, then done on the loop, never within this call. If HUB_TASKS_MAX
 * run, or there is no thread for it, or work is NULL, done alone is called: the caller lets ctx
 * say so before. The task is freed before done is called. */
struct hub_task *hub_task_run(struct hub_tasks *tasks,
                              void (*work)(void *ctx, struct hub_task *task),
                              void (*done)(void *ctx), void *ctx);

/* Ask it to end soon. */
void hub_task_stop(struct hub_task *task);

/* In work, on its thread. Sleep until the time is over or the task is stopped. */
bool hub_task_is_stopped(struct hub_task *task);
void hub_task_sleep(struct hub_task *task, msec time);

#endif
