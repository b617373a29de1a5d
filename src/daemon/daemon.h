/* SPDX-License-Identifier: MIT */
/*
 * daemon.h - all parts of the server, for the files that start and stop it.
 *
 * From top to bottom, each of them calling only those below it:
 *   serve.c            the beginning: everything but what is below
 *   daemon_http.c      ports, routes, what speaks to clients and other nodes
 *   daemon_signals.c   stop and reload, as signals say
 *   daemon_stop.c      the end, and when there is nothing to do
 */
#ifndef DOZE_DAEMON_DAEMON_H
#define DOZE_DAEMON_DAEMON_H

#include <uv.h>

#include "api/dialect.h"
#include "daemon/idle_exit.h"
#include "daemon/recorder.h"
#include "daemon/routes/routes.h"
#include "daemon/serve_options.h"
#include "daemon/service.h"
#include "daemon/service_manager.h"
#include "daemon/service_report.h"
#include "daemon/status_stream.h"
#include "daemon/tls_files.h"
#include "supervisor/log_budget.h"
#include "supervisor/metrics.h"

/* All parts of the server, in the order in which they are created. */
struct daemon {
    uv_loop_t loop;
    struct serve_options options;
    struct service_manager manager;
    struct service_report report;
    int state_lock; /* descriptor */
    uint64_t boot;  /* Unix ms of the start: identifies this run */
    struct feed *events, *log;
    struct live live;
    struct history *history;
    struct offload *offload;
    struct stored_responses *stored;
    uv_signal_t signals[3];
    char *worker;
    struct engines *engines;
    struct settings_store *settings;
    struct key_store *keys;
    struct gate *gate;
    struct pinned_store *pinned;
    struct held_store *held;
    struct watch *watch;
    struct pressure_watch *pressure;
    struct catalog *catalog;
    struct metrics metrics;
    struct byte_budget budget;  /* of what clients send, until it is answered */
    struct byte_budget answers; /* of what they get, until it is complete */
    struct prompts *prompts;
    struct downloads *downloads;
    struct supervisor *supervisor;
    struct recorder recorder;
    struct service service;
    struct routes routes;
    char told_tools[SKIPPED_TOOLS_SIZE]; /* see routes */
    struct http_limits limits;
    struct http_server *http;
    struct tls_files tls;
    struct log_budget no_tls; /* of lines about clients without TLS */
    struct listeners *listeners;
    struct lmstudio_home *lmstudio_home;
    struct lmws_hub *ws_hub;
    struct ws_host *ws_host;
    struct fleet_node *fleet;
    struct lender *lender;
    struct borrower *borrower;
    struct idle_exit idle;
    uv_timer_t idle_timer; /* runs while there is nothing to do, with --exit-when-idle */
    uv_timer_t farewell;   /* at shutdown: waits for the last bytes */
    int farewell_rounds;
    bool reloading, reload_again, stopping;
};

/* ---- daemon_http.c ---- */
/* Requests come from the loop, so only after everything else exists. */
bool daemon_start_http(struct daemon *d, struct error *err);
/* Everything works: say where it listens. */
void daemon_say_ready(struct daemon *d);
/* The settings may have changed. */
void daemon_update_ports(struct daemon *d);
void daemon_update_tls(struct daemon *d);
void daemon_limit_responses(struct daemon *d);

/* ---- daemon_signals.c ---- */
void daemon_catch_signals(struct daemon *d);

/* ---- daemon_stop.c ---- */
/* Stop as at SIGTERM: let answers finish; the second call stops at once. */
void daemon_stop(struct daemon *d);
/* For the supervisor: no worker is left. */
void daemon_on_finished(void *ctx);
/* The HTTP server is closed: close the rest. Also after a failed start. */
void daemon_on_http_closed(void *ctx);
/* Something that keeps the server may have come or gone. */
void daemon_look_if_idle(struct daemon *d);

#endif
