/* SPDX-License-Identifier: MIT */
/* daemon_stop.c - stops the server, also when it is idle for long enough. */
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "daemon/borrower.h"
#include "daemon/daemon.h"
#include "daemon/engines.h"
#include "daemon/fleet_node.h"
#include "daemon/history.h"
#include "daemon/key_store.h"
#include "daemon/lender.h"
#include "daemon/listeners.h"
#include "daemon/lmstudio_home.h"
#include "daemon/pressure_watch.h"
#include "daemon/prompt_gc.h"
#include "daemon/stored_responses.h"
#include "daemon/watch.h"
#include "http/server.h"
#include "hub/downloads.h"
#include "supervisor/supervisor.h"

enum {
    FAREWELL_MS = 20,
    FAREWELL_ROUNDS = 100, /* 2 s for the last bytes of answers */
    RELAY_ROUNDS = 500,    /* 10 s for answers of other nodes, as for this one's */
};

/* ---- the end ---- */

/* Also after a start that failed: parts that do not exist yet are NULL. */
static void daemon_on_downloads_closed(void *ctx) {
    struct daemon *d = ctx;
    if (d->lmstudio_home) lmstudio_home_remove(d->lmstudio_home);
    lender_close(d->lender);
    borrower_free(d->borrower);
    fleet_node_close(d->fleet);
    supervisor_free(d->supervisor);
    d->supervisor = NULL; /* writes that are still under way have nobody to report to */
    engines_free(d->engines);
    prompts_close(d->prompts);
    key_store_close(d->keys);
    watch_close(d->watch);
    pressure_watch_close(d->pressure);
    for (int i = 0; i < 3; i++) uv_close((uv_handle_t *)&d->signals[i], NULL);
    uv_close((uv_handle_t *)&d->farewell, NULL);
    uv_close((uv_handle_t *)&d->idle_timer, NULL);
    live_close(&d->live);
    service_report_close(&d->report);
    recorder_close(&d->recorder);
    history_close(d->history);
    stored_responses_close(d->stored);
}

void daemon_on_http_closed(void *ctx) {
    struct daemon *d = ctx;
    downloads_close(d->downloads, daemon_on_downloads_closed, d);
}

static void daemon_on_farewell(uv_timer_t *timer) {
    struct daemon *d = timer->data;
    int rounds = fleet_node_is_relaying(d->fleet) ? RELAY_ROUNDS : FAREWELL_ROUNDS;
    if (http_server_active(d->http) > 0 && d->farewell_rounds++ < rounds) return;
    uv_timer_stop(timer);
    http_server_close(d->http, daemon_on_http_closed, d);
}

/* Answers that are still being sent get some time. */
void daemon_on_finished(void *ctx) {
    struct daemon *d = ctx;
    uv_timer_start(&d->farewell, daemon_on_farewell, 0, FAREWELL_MS);
}

void daemon_stop(struct daemon *d) {
    log_info("%s", d->stopping ? "stopping at once" : "stopping");
    if (!d->stopping) {
        service_report_stopping(&d->report);
        listeners_close(d->listeners);
        lender_stop(d->lender);
        fleet_node_leave(d->fleet);
    } else {
        d->farewell_rounds = RELAY_ROUNDS;
    }
    d->stopping = d->routes.stopping = true;
    supervisor_shutdown(d->supervisor);
}

/* ---- nothing to do ---- */

static void count_running(void *ctx, const struct download_view *view) {
    struct idle_facts *facts = ctx;
    if (view->status == DOWNLOAD_RUNNING) facts->downloads++;
}

static struct idle_facts idle_facts_of(const struct daemon *d) {
    struct idle_facts facts = { .instances = supervisor_counts(d->supervisor).instances,
                                .connections = http_server_connections(d->http),
                                .reloading = d->reloading,
                                .stopping = d->stopping };
    downloads_each(d->downloads, count_running, &facts);
    return facts;
}

static void daemon_on_idle(uv_timer_t *timer);

void daemon_look_if_idle(struct daemon *d) {
    if (d->idle.after == MSEC_NEVER || !d->listeners || d->stopping) return;
    struct idle_facts facts = idle_facts_of(d);
    msec now = clock_boottime(), leave = idle_exit_at(&d->idle, &facts, now);
    uv_timer_stop(&d->idle_timer);
    if (leave == MSEC_NEVER) return;
    uint64_t wait = leave > now ? (uint64_t)(leave - now) : 0;
    uv_timer_start(&d->idle_timer, daemon_on_idle, wait, 0);
}

static void leave(struct daemon *d) {
    char span[DURATION_TEXT];
    duration_format(d->idle.after, span);
    log_info("nothing loaded and nobody connected for %s%s", span,
             d->manager.socket_count ? "; the next connection starts the server again" : "");
    daemon_stop(d);
}

static void daemon_on_idle(uv_timer_t *timer) {
    struct daemon *d = timer->data;
    if (d->stopping) return; /* maybe without an HTTP server */
    struct idle_facts facts = idle_facts_of(d);
    msec now = clock_boottime();
    if (idle_exit_at(&d->idle, &facts, now) <= now)
        leave(d);
    else
        daemon_look_if_idle(d); /* timers of libuv may be early */
}
