/* SPDX-License-Identifier: MIT */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

msec supervisor_now(void) {
    return clock_boottime();
}

/* ---- the deadline ---- */

static void arm(struct supervisor *sup) {
    msec deadline = lifecycle_deadline(&sup->lc);
    if (deadline == sup->armed) return;
    sup->armed = deadline;
    struct itimerspec when = { 0 };
    if (deadline != MSEC_NEVER) {
        if (deadline < 1) deadline = 1; /* zero would disarm */
        when.it_value.tv_sec = deadline / 1000;
        when.it_value.tv_nsec = deadline % 1000 * 1000000;
    }
    timerfd_settime(sup->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_timer(uv_poll_t *poll, int status, int events) {
    struct supervisor *sup = poll->data;
    uint64_t count;
    (void)status;
    (void)events;
    if (read(sup->timer_fd, &count, sizeof count) < 0) return; /* re-armed meanwhile */
    sup->armed = MSEC_NEVER;
    supervisor_feed(sup, (struct lc_event){ .kind = LC_EV_TICK });
}

/* ---- the queue ---- */

static void push(struct supervisor *sup, const struct lc_event *ev) {
    if (sup->queue_len == sup->queue_cap) {
        size_t cap = sup->queue_cap ? 2 * sup->queue_cap : 16;
        struct lc_event *wider = xcalloc(cap, sizeof *wider);
        for (size_t i = 0; i < sup->queue_len; i++) {
            wider[i] = sup->queue[(sup->queue_head + i) % sup->queue_cap];
        }
        free(sup->queue);
        sup->queue = wider;
        sup->queue_cap = cap;
        sup->queue_head = 0;
    }
    sup->queue[(sup->queue_head + sup->queue_len++) % sup->queue_cap] = *ev;
}

static struct lc_event pop(struct supervisor *sup) {
    struct lc_event ev = sup->queue[sup->queue_head];
    sup->queue_head = (sup->queue_head + 1) % sup->queue_cap;
    sup->queue_len--;
    return ev;
}

void supervisor_feed(struct supervisor *sup, struct lc_event ev) {
    push(sup, &ev);
    if (sup->stepping) return; /* called from an action: the loop below goes on with it */
    sup->stepping = true;
    while (sup->queue_len > 0) {
        struct lc_event next = pop(sup);
        next.now = supervisor_now();
        lifecycle_step(&sup->lc, &next, &sup->actions);
        supervisor_perform(sup, &next);
    }
    sup->stepping = false;
    arm(sup);
    supervisor_prepare(sup);
    sup->config.on_changed(sup->config.ctx);
}

/* Weights that are mapped from their file are page cache: the system counts them as available
 * though instances use them. So only the private part of what instances take is added back. */
nbytes supervisor_private_bytes(const struct supervisor *sup) {
    nbytes sum = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (sup->instances[i].worker) sum += worker_private_bytes(sup->instances[i].worker);
    }
    return sum;
}

void supervisor_feed_budget(struct supervisor *sup) {
    nbytes budget = memory_available();
    if (budget != UINT64_MAX) budget += supervisor_private_bytes(sup);
    nbytes limit = sup->config.settings->memory_limit;
    if (limit && limit < budget) budget = limit;
    supervisor_feed(sup, (struct lc_event){ .kind = LC_EV_BUDGET, .bytes = budget });
}

uint32_t supervisor_model_number(struct supervisor *sup, const char *key) {
    for (uint32_t i = 0; i < sup->model_count; i++) {
        if (strcmp(sup->model_names[i], key) == 0) return i;
    }
    uint32_t number = sup->model_count++;
    sup->model_names = xrealloc(sup->model_names, sup->model_count * sizeof *sup->model_names);
    sup->model_names[number] = xstrdup(key);
    return number;
}

void supervisor_settings_changed(struct supervisor *sup) {
    supervisor_feed(sup, (struct lc_event){ .kind = LC_EV_SETTINGS,
                                            .settings = sup->config.settings->rules });
    supervisor_feed_budget(sup);
}

void supervisor_shutdown(struct supervisor *sup) {
    standby_drop(sup->standby);
    supervisor_feed(sup, (struct lc_event){ .kind = LC_EV_SHUTDOWN });
}

struct supervisor *supervisor_new(const struct supervisor_config *config, struct error *err) {
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) {
        error_set(err, ERR_IO, "The system gives no timer: %s.", strerror(errno));
        return NULL;
    }
    struct supervisor *sup = xcalloc(1, sizeof *sup);
    sup->config = *config;
    sup->timer_fd = fd;
    sup->armed = MSEC_NEVER;
    sup->calls = calls_new();
    sup->standby = standby_new(config->loop, config->worker_program);
    sup->prefetch_slot = LC_NO_SLOT;
    lifecycle_init(&sup->lc, &config->settings->rules);
    uv_poll_init(config->loop, &sup->timer, fd);
    sup->timer.data = sup;
    uv_poll_start(&sup->timer, UV_READABLE, on_timer);
    supervisor_prepare(sup);
    return sup;
}

static void on_timer_closed(uv_handle_t *handle) {
    struct supervisor *sup = handle->data;
    close(sup->timer_fd);
    for (uint32_t i = 0; i < sup->model_count; i++) free(sup->model_names[i]);
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        free(sup->instances[i].identifier);
        free(sup->instances[i].model_key);
    }
    free(sup->model_names);
    free(sup->model_views);
    free(sup->instance_views);
    free(sup->queue);
    calls_free(sup->calls);
    load_texts_clear(&sup->texts);
    pinned_clear(&sup->pinned);
    free(sup);
}

void supervisor_free(struct supervisor *sup) {
    if (!sup) return;
    supervisor_drop_estimates(sup);
    prefetch_stop(sup->prefetch);
    standby_free(sup->standby);
    uv_close((uv_handle_t *)&sup->timer, on_timer_closed);
}
