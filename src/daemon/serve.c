/* SPDX-License-Identifier: MIT */
#include "daemon/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/duration.h"
#include "base/own_file.h"
#include "base/xalloc.h"
#include "daemon/borrower.h"
#include "daemon/catalog_log.h"
#include "daemon/download_format.h"
#include "daemon/engines.h"
#include "daemon/events.h"
#include "daemon/exposure.h"
#include "daemon/fleet_node.h"
#include "daemon/gate.h"
#include "daemon/history.h"
#include "daemon/idle_exit.h"
#include "daemon/lender.h"
#include "daemon/listeners.h"
#include "daemon/lmstudio_compat.h"
#include "daemon/lmstudio_home.h"
#include "daemon/log_feed.h"
#include "daemon/offload.h"
#include "daemon/pinned_store.h"
#include "daemon/pressure_watch.h"
#include "daemon/prompt_gc.h"
#include "daemon/recorder.h"
#include "daemon/routes/routes.h"
#include "daemon/serve_options.h"
#include "daemon/service.h"
#include "daemon/service_manager.h"
#include "daemon/service_report.h"
#include "daemon/settings_store.h"
#include "daemon/startup.h"
#include "daemon/state_lock.h"
#include "daemon/status_stream.h"
#include "daemon/stored_responses.h"
#include "daemon/tls_files.h"
#include "daemon/watch.h"
#include "daemon/ws_host.h"
#include "daemon/ws_hub.h"
#include "supervisor/log_budget.h"

enum {
    EVENTS_REMEMBERED = 1000,
    FAREWELL_MS = 20,
    FAREWELL_ROUNDS = 100, /* 2 s for the last bytes of answers */
    RELAY_ROUNDS = 500,    /* 10 s for answers of other nodes, as for this one's */
};

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
    struct watch *watch;
    struct pressure_watch *pressure;
    struct catalog *catalog;
    struct metrics metrics;
    struct byte_budget budget; /* of what clients send, until it is answered */
    struct prompts *prompts;
    struct downloads *downloads;
    struct supervisor *supervisor;
    struct recorder recorder;
    struct service service;
    struct routes routes;
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

/* ---- for those who follow the log or the events ---- */

static void daemon_on_log_line(void *ctx, enum log_level level, const char *text) {
    struct daemon *d = ctx;
    struct log_line line = {
        .kind = LOG_SERVER, .level = level, .at = clock_unix(), .text = text
    };
    log_feed_publish(d->log, &line);
}

static void daemon_on_transition(void *ctx, const struct instance_transition *transition) {
    struct daemon *d = ctx;
    events_publish_transition(d->events, transition);
    if (transition->to == LC_LOADING) engines_look(d->engines);
}

static void daemon_on_progress(void *ctx, const struct instance_progress *progress) {
    struct daemon *d = ctx;
    events_publish_progress(d->events, progress);
}

static void daemon_on_parked(void *ctx, const struct parked_event *event) {
    struct daemon *d = ctx;
    events_publish_parked(d->events, event);
}

static bool daemon_wants_log(void *ctx, enum log_kind kind) {
    const struct daemon *d = ctx;
    return log_feed_wanted(d->log, kind);
}

static void daemon_on_log(void *ctx, const struct log_line *line) {
    struct daemon *d = ctx;
    log_feed_publish(d->log, line);
}

/* ---- catalog ---- */

static void daemon_on_scanned(void *ctx, struct catalog *catalog) {
    struct daemon *d = ctx;
    catalog_log(catalog, d->catalog);
    catalog_free(d->catalog);
    d->catalog = catalog;
    if (d->supervisor) supervisor_catalog_changed(d->supervisor);
    live_tell_catalog(&d->live, &d->options, catalog);
    downloads_catalog_read(d->downloads, catalog);
    fleet_node_catalog_changed(d->fleet);
}

/* ---- the end ---- */

/* Also after a start that failed: parts that do not exist yet are NULL. */
static void daemon_on_downloads_closed(void *ctx) {
    struct daemon *d = ctx;
    if (d->lmstudio_home) lmstudio_home_remove(d->lmstudio_home);
    lender_close(d->lender);
    borrower_free(d->borrower);
    fleet_node_close(d->fleet);
    supervisor_free(d->supervisor);
    d->supervisor = NULL; /* what is still being written has nobody to tell */
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

static void daemon_on_http_closed(void *ctx) {
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

/* No worker is left; answers that are still being sent get some time. */
static void daemon_on_finished(void *ctx) {
    struct daemon *d = ctx;
    uv_timer_start(&d->farewell, daemon_on_farewell, 0, FAREWELL_MS);
}

/* As SIGTERM does: let answers finish; the second time, at once. */
static void daemon_stop(struct daemon *d) {
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

static void daemon_on_stop_signal(uv_signal_t *handle, int number) {
    log_info("%s", strsignal(number));
    daemon_stop(handle->data);
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

/* Something that keeps the server may have come or gone. */
static void look_if_idle(struct daemon *d) {
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
        look_if_idle(d); /* timers of libuv may be early */
}

static void daemon_on_connections(void *ctx) {
    struct daemon *d = ctx;
    look_if_idle(d);
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

/* ---- signals ---- */

static void reload(struct daemon *d);

/* A signal that came meanwhile may be about a later change. */
static void daemon_on_reloaded(void *ctx) {
    struct daemon *d = ctx;
    bool again = d->reload_again;
    d->reloading = d->reload_again = false;
    if (d->stopping) return;
    service_report_reloaded(&d->report);
    if (again) reload(d);
    look_if_idle(d);
}

static void daemon_on_settings_read(void *ctx, const struct error *error) {
    struct daemon *d = ctx;
    if (error) log_warn("The settings stay as they were: %s", error->text);
    if (!d->stopping) watch_scan(d->watch, daemon_on_reloaded, d);
}

static void reload(struct daemon *d) {
    d->reloading = true;
    look_if_idle(d);
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

static void catch_signals(struct daemon *d) {
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

/* ---- the beginning ---- */

static void daemon_on_changed(void *ctx) {
    struct daemon *d = ctx;
    live_touch(&d->live);
    service_report_touch(&d->report);
    fleet_node_touch(d->fleet);
    look_if_idle(d);
}

static void daemon_on_pinned_changed(void *ctx) {
    struct daemon *d = ctx;
    pinned_store_save(d->pinned, d->supervisor);
}

static void daemon_on_pinned_saved(void *ctx, const struct error *error) {
    struct daemon *d = ctx;
    if (d->supervisor) supervisor_pinned_saved(d->supervisor, error);
}

enum { OLLAMA_PORT = 11434 };

/* The ports beside the first, as the settings want them. */
static void update_ports(struct daemon *d) {
    const struct settings *settings = settings_store_get(d->settings);
    int ollama = (int)settings->ollama_port;
    lmstudio_compat_update(settings, d->listeners, d->lmstudio_home);
    listeners_want_ollama(d->listeners, !ollama && d->options.ollama ? OLLAMA_PORT : ollama);
}

static void update_tls(struct daemon *d) {
    struct error err;
    if (!tls_files_read(&d->tls, settings_store_get(d->settings), &err))
        log_warn("The certificate stays as it was: %s", err.text);
}

static void limit_responses(struct daemon *d) {
    const struct settings *settings = settings_store_get(d->settings);
    struct response_limits limits = { settings->response_store_age,
                                      settings->response_store_bytes };
    stored_responses_limit(d->stored, &limits);
}

static bool wants_pressure(const struct settings *settings) {
    return settings->evict_on_pressure || settings->parked_workers != PARK_OFF;
}

/* A change during the shutdown takes effect at the next start. */
static void daemon_on_settings_changed(void *ctx) {
    struct daemon *d = ctx;
    const struct settings *settings = settings_store_get(d->settings);
    if (d->stopping) return;
    supervisor_settings_changed(d->supervisor);
    engines_look(d->engines);
    update_tls(d);
    pressure_watch_enable(d->pressure, wants_pressure(settings));
    update_ports(d);
    limit_responses(d);
    fleet_node_settings_changed(d->fleet);
    borrower_settings_changed(d->borrower);
    live_tell_settings(&d->live, settings);
}

static bool open_state(struct daemon *d, struct error *err) {
    if (!dirs_make(d->options.state_dir, 0700, err)) return false;
    d->state_lock = state_lock(d->options.state_dir, err);
    if (d->state_lock < 0) return false;
    char *pinned = xasprintf("%s/kept.json", d->options.state_dir);
    d->settings = settings_store_new(&d->loop, d->options.state_dir, daemon_on_settings_changed,
                                     d);
    settings_store_set_check(d->settings, tls_files_check);
    d->keys = key_store_new(&d->loop, d->options.state_dir);
    d->gate = gate_new(d->settings, d->keys);
    d->pinned = pinned_store_new(&d->loop, pinned, daemon_on_pinned_saved, d);
    free(pinned);
    return true;
}

static void daemon_on_prompts(void *ctx) {
    struct daemon *d = ctx;
    prompts_tend(d->prompts);
}

static void daemon_on_forgotten(void *ctx, const char *model_key) {
    struct daemon *d = ctx;
    prompts_empty(d->prompts, model_key, NULL, NULL);
}

static void daemon_on_pressure(void *ctx) {
    struct daemon *d = ctx;
    supervisor_pressure(d->supervisor);
}

static void watch_pressure(struct daemon *d) {
    d->pressure = pressure_watch_new(&d->loop, daemon_on_pressure, d);
    pressure_watch_enable(d->pressure, wants_pressure(settings_store_get(d->settings)));
}

static void daemon_on_engine(void *ctx) {
    struct daemon *d = ctx;
    if (d->supervisor) supervisor_program_changed(d->supervisor);
}

/* Drivers keep what they compile. A worker may be taken over by a hostile model, so these files
 * are not those that the user's other programs trust. */
static void name_shaders(const struct daemon *d) {
    static const char *const variables[] = { "MESA_SHADER_CACHE_DIR", "CUDA_CACHE_PATH" };
    struct error ignored;
    char *folder = xasprintf("%s/shaders", d->options.state_dir);
    for (size_t i = 0; i < 2; i++) (void)setenv(variables[i], folder, 0);
    (void)dirs_make(folder, 0700, &ignored);
    free(folder);
}

static void start_engines(struct daemon *d) {
    name_shaders(d);
    struct engines_config config = { .loop = &d->loop,
                                     .worker = d->worker,
                                     .setting = &settings_store_get(d->settings)->engine,
                                     .on_changed = daemon_on_engine,
                                     .ctx = d };
    d->engines = engines_new(&config);
}

static bool start_supervisor(struct daemon *d, struct error *err) {
    struct supervisor_config config = {
        .loop = &d->loop,
        .worker_program = engines_program(d->engines),
        .prompts_dir = prompts_dir(d->prompts),
        .settings = settings_store_get(d->settings),
        .catalog = &d->catalog,
        .metrics = &d->metrics,
        .budget = &d->budget,
        .on_transition = daemon_on_transition,
        .on_progress = daemon_on_progress,
        .on_parked = daemon_on_parked,
        .log_wanted = daemon_wants_log,
        .on_log = daemon_on_log,
        .on_changed = daemon_on_changed,
        .on_pinned_changed = daemon_on_pinned_changed,
        .on_prompts = daemon_on_prompts,
        .on_forgotten = daemon_on_forgotten,
        .on_finished = daemon_on_finished,
        .ctx = d,
    };
    d->supervisor = supervisor_new(&config, err);
    d->live.supervisor = d->supervisor;
    if (d->supervisor) {
        recorder_open(&d->recorder, &d->loop, d->events, d->supervisor, d->history);
    }
    return d->supervisor != NULL;
}

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

static void say_ready(struct daemon *d) {
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
        .boot = d->boot,
        .stop = ws_stop,
        .is_stopping = ws_is_stopping,
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
                                        .boot = d->boot,
                                        .on_change = daemon_on_fleet_changed,
                                        .ctx = d };
    d->fleet = d->routes.fleet = fleet_node_new(&config);
    d->live.fleet = d->fleet;
    d->lender = d->routes.lender = lender_new(&d->loop, d->fleet, d->supervisor);
    d->borrower = borrower_new(&d->loop, d->fleet, d->supervisor);
}

/* Requests come from the loop, so not before all of this exists. */
static bool start_http(struct daemon *d, struct error *err) {
    d->service = service_of(d->supervisor);
    d->routes = (struct routes){
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
    };
    struct http_options http = routes_http_options(&d->routes);
    d->limits = http_limits_default;
    d->limits.connections = startup_raise_descriptors();
    http.limits = &d->limits;
    http.budget = &d->budget;
    http.on_connections = daemon_on_connections;
    http.on_no_tls = daemon_on_no_tls;
    http.connections_ctx = d;
    d->http = d->tls.http = http_server_new(&d->loop, &http);
    if (!tls_files_read(&d->tls, settings_store_get(d->settings), err)) return false;
    if (!open_ports(d, err)) return false;
    d->routes.listeners = d->listeners;
    d->lmstudio_home = lmstudio_home_new(getenv("HOME"));
    start_ws_host(d);
    start_fleet(d);
    update_ports(d);
    limit_responses(d);
    return true;
}

static void daemon_on_download(void *ctx, const struct download_view *view) {
    struct daemon *d = ctx;
    download_publish(d->events, view);
    look_if_idle(d);
}

static void daemon_on_installed(void *ctx) {
    struct daemon *d = ctx;
    watch_rescan(d->watch);
}

static int daemon_download_connections(void *ctx) {
    struct daemon *d = ctx;
    return (int)settings_store_get(d->settings)->download_connections;
}

static void start_downloads(struct daemon *d) {
    struct downloads_config config = { .loop = &d->loop,
                                       .state_dir = d->options.state_dir,
                                       .models_dir = d->options.model_dirs[0],
                                       .connections = daemon_download_connections,
                                       .on_changed = daemon_on_download,
                                       .on_installed = daemon_on_installed,
                                       .ctx = d };
    d->downloads = downloads_new(&config);
}

static bool daemon_start(struct daemon *d, struct error *err) {
    const char *const *dirs = (const char *const *)d->options.model_dirs;
    d->worker = own_file("doze-engine", err);
    if (!d->worker || !open_state(d, err)) return false;
    start_engines(d);
    startup_make_model_dirs(&d->options);
    d->watch = watch_new(&d->loop, dirs, d->options.model_dir_count, daemon_on_scanned, d);
    d->catalog = catalog_scan(dirs, d->options.model_dir_count);
    d->prompts = prompts_new(&d->loop, d->options.state_dir, settings_store_get(d->settings),
                             &d->metrics);
    start_downloads(d);
    if (!start_supervisor(d, err) || !start_http(d, err)) return false;
    watch_pressure(d);
    catalog_log(d->catalog, NULL);
    return true;
}

static void daemon_free(struct daemon *d) {
    log_set_listener(NULL, NULL);
    ws_host_free(d->ws_host);
    ws_hub_free(d->ws_hub);
    listeners_free(d->listeners);
    lmstudio_home_free(d->lmstudio_home);
    history_free(d->history);
    stored_responses_free(d->stored);
    offload_free(d->offload);
    feed_free(d->events);
    feed_free(d->log);
    catalog_free(d->catalog);
    gate_free(d->gate);
    key_store_free(d->keys);
    settings_store_free(d->settings);
    pinned_store_free(d->pinned);
    serve_options_clear(&d->options);
    free(d->worker);
    free(d);
}

/* The state folder need not exist yet: no file is touched until there is something to write. */
static void open_history(struct daemon *d) {
    char *path = xasprintf("%s/history.db", d->options.state_dir);
    char *responses = xasprintf("%s/responses.db", d->options.state_dir);
    d->history = history_new(&d->loop, path);
    d->stored = stored_responses_new(&d->loop, responses);
    d->offload = offload_new(&d->loop);
    free(responses);
    free(path);
}

/* The start failed. */
static void give_up(struct daemon *d, const struct error *err) {
    log_error("%s", err->text);
    service_report_failed(&d->report, err->text);
    if (d->http)
        http_server_close(d->http, daemon_on_http_closed, d);
    else
        daemon_on_http_closed(d);
}

static int daemon_run(struct daemon *d) {
    struct error err;
    uv_loop_init(&d->loop);
    d->farewell.data = d;
    d->budget = http_limits_budget(&http_limits_default);
    d->boot = (uint64_t)clock_unix();
    d->events = feed_new(EVENTS_REMEMBERED, d->boot);
    d->log = feed_new(LOG_FEED_REMEMBERED, d->boot);
    bool ok = service_manager_open(&d->manager, &err);
    service_report_init(&d->report, &d->loop, &d->manager);
    live_init(&d->live, &d->loop, d->events);
    open_history(d);
    log_set_listener(daemon_on_log_line, d);
    uv_timer_init(&d->loop, &d->farewell);
    uv_timer_init(&d->loop, &d->idle_timer);
    d->idle_timer.data = d;
    idle_exit_init(&d->idle, d->options.exit_when_idle);
    catch_signals(d);
    ok = ok && daemon_start(d, &err);
    if (ok) {
        say_ready(d);
        prompts_tend(d->prompts);
        pinned_store_load(d->pinned, d->supervisor);
        look_if_idle(d);
    } else {
        give_up(d, &err);
    }
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
    service_manager_close(&d->manager);
    return ok ? 0 : 1;
}

int daemon_serve(int argc, char **argv) {
    struct error err;
    struct daemon *d = xcalloc(1, sizeof *d);
    int status = 0;
    if (!serve_options_parse(argc, argv, &d->options, &err)) {
        fprintf(stderr, "doze serve: %s\n", err.text);
        status = 2;
    } else if (d->options.help) {
        fputs(serve_options_usage, stdout);
    } else {
        startup_keep_heap_small();
        log_set_level(d->options.log_level);
        log_find_journal();
        status = daemon_run(d);
    }
    daemon_free(d);
    return status;
}
