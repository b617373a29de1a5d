/* SPDX-License-Identifier: MIT */
/* daemon_signals.c - signals: stop, or read settings and model folders again. */
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/settings_store.h"
#include "daemon/watch.h"

static void daemon_on_stop_signal(uv_signal_t *handle, int number) {
    log_info("%s", strsignal(number));
    daemon_stop(handle->data);
}

static void reload(struct daemon *d);

/* A signal that came meanwhile may be about a later change. */
static void daemon_on_reloaded(void *ctx) {
    struct daemon *d = ctx;
    bool again = d->reload_again;
    d->reloading = d->reload_again = false;
    if (d->stopping) return;
    service_report_reloaded(&d->report);
    if (again) reload(d);
    daemon_look_if_idle(d);
}

static void daemon_on_settings_read(void *ctx, const struct error *error) {
    struct daemon *d = ctx;
    if (error) log_warn("The settings stay as they were: %s", error->text);
    if (!d->stopping) watch_scan(d->watch, daemon_on_reloaded, d);
}

static void reload(struct daemon *d) {
    d->reloading = true;
    daemon_look_if_idle(d);
    log_info("reading the settings and the model folders");
    service_report_reloading(&d->report);
    struct done_sink sink = { .on_end = daemon_on_settings_read, .ctx = d };
    settings_store_reload(d->settings, sink);
}

static void daemon_on_hangup(uv_signal_t *handle, int number) {
    struct daemon *d = handle->data;
    (void)number;
    d->reload_again = d->reloading;
    if (!d->reloading && !d->stopping) reload(d);
}

void daemon_catch_signals(struct daemon *d) {
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i],
                        numbers[i] == SIGHUP ? daemon_on_hangup : daemon_on_stop_signal,
                        numbers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past `ulimit -f` fails with EFBIG */
}
