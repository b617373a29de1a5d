/* SPDX-License-Identifier: MIT */
#include "hub/hub_task.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct hub_task {
    struct hub_tasks *tasks;
    struct hub_task *next;
    uv_thread_t thread;
    uv_mutex_t lock; /* of the two flags */
    uv_cond_t stopping;
    bool stopped, ended;
    bool threadless; /* there is only `done` to call */
    void (*work)(void *ctx, struct hub_task *task);
    void (*done)(void *ctx);
    void *ctx;
};

struct hub_tasks {
    uv_async_t wake; /* a task has ended */
    struct hub_task *list;
    size_t count;
    bool closing;
    void (*on_closed)(void *ctx);
    void *ctx;
};

static void tasks_on_closed(uv_handle_t *handle) {
    struct hub_tasks *tasks = handle->data;
    void (*on_closed)(void *ctx) = tasks->on_closed;
    void *ctx = tasks->ctx;
    free(tasks);
    on_closed(ctx);
}

static void tasks_close_if_empty(struct hub_tasks *tasks) {
    bool last = tasks->closing && tasks->count == 0;
    if (last && !uv_is_closing((uv_handle_t *)&tasks->wake))
        uv_close((uv_handle_t *)&tasks->wake, tasks_on_closed);
}

static bool has_ended(struct hub_task *task) {
    uv_mutex_lock(&task->lock);
    bool ended = task->ended;
    uv_mutex_unlock(&task->lock);
    return ended;
}

static void task_finish(struct hub_task *task) {
    void (*done)(void *ctx) = task->done;
    void *ctx = task->ctx;
    if (!task->threadless) uv_thread_join(&task->thread);
    uv_mutex_destroy(&task->lock);
    uv_cond_destroy(&task->stopping);
    task->tasks->count--;
    free(task);
    done(ctx);
}

static void tasks_on_wake(uv_async_t *wake) {
    struct hub_tasks *tasks = wake->data;
    struct hub_task **link = &tasks->list, *ended = NULL;
    while (*link) {
        struct hub_task *task = *link;
        if (has_ended(task)) {
            *link = task->next;
            task->next = ended;
            ended = task;
        } else {
            link = &task->next;
        }
    }
    while (ended) {
        struct hub_task *next = ended->next;
        task_finish(ended); /* may begin another */
        ended = next;
    }
    tasks_close_if_empty(tasks);
}

struct hub_tasks *hub_tasks_new(uv_loop_t *loop) {
    struct hub_tasks *tasks = xcalloc(1, sizeof *tasks);
    uv_async_init(loop, &tasks->wake, tasks_on_wake);
    tasks->wake.data = tasks;
    return tasks;
}

void hub_tasks_close(struct hub_tasks *tasks, void (*on_closed)(void *ctx), void *ctx) {
    tasks->closing = true;
    tasks->on_closed = on_closed;
    tasks->ctx = ctx;
    for (struct hub_task *task = tasks->list; task; task = task->next) hub_task_stop(task);
    tasks_close_if_empty(tasks);
}

static void task_main(void *arg) {
    struct hub_task *task = arg;
    uv_async_t *wake = &task->tasks->wake;
    task->work(task->ctx, task);
    uv_mutex_lock(&task->lock);
    task->ended = true;
    uv_async_send(wake); /* under the lock: the loop frees the tasks only after it */
    uv_mutex_unlock(&task->lock);
}

struct hub_task *hub_task_run(struct hub_tasks *tasks,
                              void (*work)(void *ctx, struct hub_task *task),
                              void (*done)(void *ctx), void *ctx) {
    bool works = work && !tasks->closing && tasks->count < HUB_TASKS_MAX;
    struct hub_task *task = xcalloc(1, sizeof *task);
    *task = (struct hub_task){
        .tasks = tasks, .next = tasks->list, .work = work, .done = done, .ctx = ctx
    };
    uv_mutex_init(&task->lock);
    uv_cond_init(&task->stopping);
    tasks->list = task;
    tasks->count++;
    if (works && uv_thread_create(&task->thread, task_main, task) == 0) return task;
    task->threadless = task->ended = true;
    uv_async_send(&tasks->wake);
    return task;
}

void hub_task_stop(struct hub_task *task) {
    uv_mutex_lock(&task->lock);
    task->stopped = true;
    uv_cond_signal(&task->stopping);
    uv_mutex_unlock(&task->lock);
}

bool hub_task_is_stopped(struct hub_task *task) {
    uv_mutex_lock(&task->lock);
    bool stopped = task->stopped;
    uv_mutex_unlock(&task->lock);
    return stopped;
}

void hub_task_sleep(struct hub_task *task, msec time) {
    uint64_t end = uv_hrtime() + (uint64_t)time * 1000000, now;
    uv_mutex_lock(&task->lock);
    while (!task->stopped && (now = uv_hrtime()) < end)
        (void)uv_cond_timedwait(&task->stopping, &task->lock, end - now);
    uv_mutex_unlock(&task->lock);
}
