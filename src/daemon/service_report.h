/* SPDX-License-Identifier: MIT */
/*
 * service_report.h - what the service manager is told: that the server is ready, reloads or
 * stops, a line of text for `systemctl status`, and signs of life for its watchdog.
 *
 * Without a service manager no timer runs. Loop's thread only.
 */
#ifndef DOZE_DAEMON_SERVICE_REPORT_H
#define DOZE_DAEMON_SERVICE_REPORT_H

#include <uv.h>

#include "daemon/service_manager.h"
#include "supervisor/supervisor.h"

enum { SERVICE_STATUS_SIZE = 128 };

struct service_report {
    const struct service_manager *manager;
    const struct supervisor *supervisor; /* NULL: not ready yet */
    uv_timer_t status;                   /* until the text may be sent again */
    uv_timer_t watchdog;
    uint64_t told_at; /* uv_now of the last text */
    char told[SERVICE_STATUS_SIZE];
};

/* Borrows the manager until service_report_close. */
void service_report_init(struct service_report *r, uv_loop_t *loop,
                         const struct service_manager *manager);
/* Before the loop ends; nothing is told afterwards. */
void service_report_close(struct service_report *r);

/* The server listens. Borrows the supervisor until service_report_close. */
void service_report_ready(struct service_report *r, const struct supervisor *supervisor);
/* The start failed. */
void service_report_failed(struct service_report *r, const char *why);
/* Settings and folders are read again, until service_report_reloaded. */
void service_report_reloading(struct service_report *r);
void service_report_reloaded(struct service_report *r);
/* The server ends. */
void service_report_stopping(struct service_report *r);

/* Instances or requests may have changed: send the text if it is another one, at most once a
 * second. Safe at any time after service_report_init. */
void service_report_touch(struct service_report *r);

/* "No model is loaded", "2 models, 3 requests running, 1 waiting". */
void service_report_format(const struct work_counts *counts, char ret[SERVICE_STATUS_SIZE]);

#endif
