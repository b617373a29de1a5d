/* SPDX-License-Identifier: MIT */
#include "daemon/service_report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { EVERY_MS = 1000, SIGNS_PER_PERIOD = 2, LINES_SIZE = SERVICE_STATUS_SIZE + 512 };

static bool is_open(const struct service_report *r) {
    return r->manager->fd >= 0 && !uv_is_closing((const uv_handle_t *)&r->status);
}

/* lines: what else is to be said with the text, or "". */
static void tell_status(struct service_report *r, const char *lines, const char *text) {
    char message[LINES_SIZE];
    snprintf(message, sizeof message, "%sSTATUS=%s", lines, text);
    service_manager_tell(r->manager, message);
    snprintf(r->told, sizeof r->told, "%s", text);
    r->told_at = uv_now(r->status.loop);
}

void service_report_format(const struct work_counts *counts, char ret[SERVICE_STATUS_SIZE]) {
    if (counts->instances == 0) {
        snprintf(ret, SERVICE_STATUS_SIZE, "No model is loaded");
        return;
    }
    snprintf(ret, SERVICE_STATUS_SIZE, "%u model%s, %u request%s running, %u waiting",
             counts->instances, counts->instances == 1 ? "" : "s", counts->running,
             counts->running == 1 ? "" : "s", counts->waiting);
}

static void report_on_status(uv_timer_t *timer) {
    struct service_report *r = timer->data;
    char text[SERVICE_STATUS_SIZE];
    struct work_counts counts = supervisor_counts(r->supervisor);
    service_report_format(&counts, text);
    if (strcmp(text, r->told) != 0) tell_status(r, "", text);
}

void service_report_touch(struct service_report *r) {
    if (!is_open(r) || !r->supervisor || uv_is_active((uv_handle_t *)&r->status)) return;
    uint64_t since = uv_now(r->status.loop) - r->told_at;
    uv_timer_start(&r->status, report_on_status, since < EVERY_MS ? EVERY_MS - since : 0, 0);
}

static void report_on_watchdog(uv_timer_t *timer) {
    const struct service_report *r = timer->data;
    service_manager_tell(r->manager, "WATCHDOG=1");
}

/* It counts from READY on. */
static void start_watchdog(struct service_report *r) {
    uint64_t period = (uint64_t)r->manager->watchdog / SIGNS_PER_PERIOD;
    if (period > 0) uv_timer_start(&r->watchdog, report_on_watchdog, period, period);
}

void service_report_ready(struct service_report *r, const struct supervisor *supervisor) {
    if (!is_open(r)) return;
    r->supervisor = supervisor;
    struct work_counts counts = supervisor_counts(supervisor);
    char text[SERVICE_STATUS_SIZE];
    service_report_format(&counts, text);
    tell_status(r, "READY=1\n", text);
    start_watchdog(r);
}

void service_report_failed(struct service_report *r, const char *why) {
    if (is_open(r)) tell_status(r, "", why);
}

void service_report_reloading(struct service_report *r) {
    char lines[64];
    if (!is_open(r)) return;
    snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)clock_monotonic_usec());
    service_manager_tell(r->manager, lines);
}

void service_report_reloaded(struct service_report *r) {
    if (is_open(r)) service_manager_tell(r->manager, "READY=1");
}

void service_report_stopping(struct service_report *r) {
    if (!is_open(r)) return;
    uv_timer_stop(&r->status);
    r->supervisor = NULL; /* this text stays */
    tell_status(r, "STOPPING=1\n", "Stopping");
}

void service_report_init(struct service_report *r, uv_loop_t *loop,
                         const struct service_manager *manager) {
    *r = (struct service_report){ .manager = manager };
    uv_timer_init(loop, &r->status);
    uv_timer_init(loop, &r->watchdog);
    r->status.data = r->watchdog.data = r;
}

void service_report_close(struct service_report *r) {
    uv_close((uv_handle_t *)&r->status, NULL);
    uv_close((uv_handle_t *)&r->watchdog, NULL);
}
