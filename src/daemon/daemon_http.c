/* SPDX-License-Identifier: MIT */
/* daemon_http.c - the ports and what answers there. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/borrower.h"
#include "daemon/daemon.h"
#include "daemon/engines.h"
#include "daemon/exposure.h"
#include "daemon/fleet_explain.h"
#include "daemon/fleet_node.h"
#include "daemon/lender.h"
#include "daemon/listeners.h"
#include "daemon/lmstudio_compat.h"
#include "daemon/lmstudio_home.h"
#include "daemon/settings_store.h"
#include "daemon/startup.h"
#include "daemon/stored_responses.h"
#include "daemon/ws_host.h"
#include "daemon/ws_hub.h"
#include "http/server.h"

/* ---- ports and settings ---- */

enum { OLLAMA_PORT = 11434 };

/* Open or close the ports besides the first, as the settings say. */
void daemon_update_ports(struct daemon *d) {
    const struct settings *settings = settings_store_get(d->settings);
    int ollama = (int)settings->ollama_port;
    lmstudio_compat_update(settings, d->listeners, d->lmstudio_home);
    listeners_want_ollama(d->listeners, !ollama && d->options.ollama ? OLLAMA_PORT : ollama);
}

void daemon_update_tls(struct daemon *d) {
    struct error err;
    if (!tls_files_read(&d->tls, settings_store_get(d->settings), &err))
        log_warn("The certificate stays as it was: %s", err.text);
}

void daemon_limit_responses(struct daemon *d) {
    const struct settings *settings = settings_store_get(d->settings);
    struct response_limits limits = { settings->response_store_age,
                                      settings->response_store_bytes };
    stored_responses_limit(d->stored, &limits);
}

/* ---- what happens on connections ---- */

static void daemon_on_connections(void *ctx) {
    struct daemon *d = ctx;
    daemon_look_if_idle(d);
    tls_files_look(&d->tls, settings_store_get(d->settings), clock_boottime());
}

static void daemon_on_no_tls(void *ctx, const char *peer, const char *why) {
    struct daemon *d = ctx;
    switch (log_budget_take(&d->no_tls, clock_boottime())) {
    case LOG_LINE:
        log_warn("no TLS with a client at %s: %s", peer, why);
        break;
    case LOG_LAST_LINE:
        log_warn("no TLS with more clients; further lines are left out");
        break;
    case LOG_NO_LINE:
        break;
    }
}

/* ---- the beginning ---- */

static void warn_if_open(const struct daemon *d) {
    if (settings_store_key_is_unknown(d->settings)) {
        log_warn("The files in %s do not say whether an API key was set, so the server listens "
                 "on loopback only; set or remove the key with `doze settings set api_key`, "
                 "then restart it.",
                 d->options.state_dir);
        return;
    }
    char text[EXPOSURE_SIZE];
    routes_warn_if_exposed(&d->routes, text);
    if (*text) log_warn("%s", text);
}

void daemon_say_ready(struct daemon *d) {
    const char *host;
    int port = listeners_named_port(d->listeners, &host);
    bool v6 = strchr(host, ':') != NULL;
    warn_if_open(d);
    log_info("doze %s is listening on http%s://%s%s%s:%d", DOZE_VERSION, d->tls.on ? "s" : "",
             v6 ? "[" : "", host, v6 ? "]" : "", port);
    service_report_ready(&d->report, d->supervisor);
    if (d->options.ready_fd < 0) return;
    dprintf(d->options.ready_fd, "%d\n", port);
    close(d->options.ready_fd);
}

static void ws_stop(void *ctx) {
    daemon_stop(ctx);
}

static bool ws_is_stopping(void *ctx) {
    const struct daemon *d = ctx;
    return d->stopping;
}

static bool ws_elsewhere(void *ctx, const char *name, struct error *err) {
    const struct daemon *d = ctx;
    return fleet_explain_elsewhere(d->fleet, name, err);
}

static void start_ws_host(struct daemon *d) {
    d->ws_hub = ws_hub_new(d->downloads, d->events, &d->service);
    struct ws_host_config config = {
        .service = &d->service,
        .settings = d->settings,
        .gate = d->gate,
        .listeners = d->listeners,
        .lmstudio_home = d->lmstudio_home,
        .log = d->log,
        .hub = d->ws_hub,
        .budget = &d->budget,
        .answers = &d->answers,
        .offload = d->offload,
        .boot = d->boot,
        .stop = ws_stop,
        .is_stopping = ws_is_stopping,
        .elsewhere = ws_elsewhere,
        .ctx = d,
    };
    d->ws_host = ws_host_new(&config);
    d->routes.ws_host = d->ws_host;
}

/* The first ports: those that systemd passes, else the one that the options say. */
static bool open_ports(struct daemon *d, struct error *err) {
    const struct service_manager *m = &d->manager;
    bool unknown = settings_store_key_is_unknown(d->settings);
    d->listeners = m->socket_count > 0
                       ? listeners_adopt(d->http, m->sockets, m->socket_count, unknown, err)
                       : listeners_new(d->http, d->options.host, d->options.port, unknown, err);
    return d->listeners != NULL;
}

static void daemon_on_fleet_changed(void *ctx) {
    struct daemon *d = ctx;
    live_touch_fleet(&d->live);
}

static void start_fleet(struct daemon *d) {
    struct fleet_node_config config = { .loop = &d->loop,
                                        .settings = d->settings,
                                        .supervisor = d->supervisor,
                                        .catalog = &d->catalog,
                                        .program = engines_program(d->engines),
                                        .listeners = d->listeners,
                                        .tls = &d->tls,
                                        .models_dir = d->options.model_dirs[0],
                                        .held_store = d->held,
                                        .boot = d->boot,
                                        .on_change = daemon_on_fleet_changed,
                                        .ctx = d };
    d->fleet = d->routes.fleet = fleet_node_new(&config);
    d->live.fleet = d->fleet;
    d->lender = d->routes.lender = lender_new(&d->loop, d->fleet, d->supervisor);
    d->borrower = borrower_new(&d->loop, d->fleet, d->supervisor);
}

static struct routes routes_of(struct daemon *d) {
    return (struct routes){
        .loop = &d->loop,
        .options = &d->options,
        .settings = d->settings,
        .keys = d->keys,
        .gate = d->gate,
        .catalog = &d->catalog,
        .service = &d->service,
        .supervisor = d->supervisor,
        .metrics = &d->metrics,
        .budget = &d->budget,
        .answers = &d->answers,
        .events = d->events,
        .live = &d->live,
        .log = d->log,
        .history = d->history,
        .stored = d->stored,
        .prompts = d->prompts,
        .watch = d->watch,
        .downloads = d->downloads,
        .engines = d->engines,
        .offload = d->offload,
        .tls = &d->tls,
        .told_tools = d->told_tools,
    };
}

static void start_server(struct daemon *d) {
    struct http_options http = routes_http_options(&d->routes);
    d->limits = http_limits_default;
    d->limits.connections = startup_raise_descriptors();
    http.limits = &d->limits;
    http.budget = &d->budget;
    http.on_connections = daemon_on_connections;
    http.on_no_tls = daemon_on_no_tls;
    http.connections_ctx = d;
    d->http = d->tls.http = http_server_new(&d->loop, &http);
}

bool daemon_start_http(struct daemon *d, struct error *err) {
    d->service = service_of(d->supervisor);
    d->routes = routes_of(d);
    start_server(d);
    if (!tls_files_read(&d->tls, settings_store_get(d->settings), err)) return false;
    if (!open_ports(d, err)) return false;
    d->routes.listeners = d->listeners;
    d->lmstudio_home = lmstudio_home_new(getenv("HOME"));
    start_ws_host(d);
    start_fleet(d);
    daemon_update_ports(d);
    daemon_limit_responses(d);
    return true;
}
