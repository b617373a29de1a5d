/* SPDX-License-Identifier: MIT */
#include "daemon/serve.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/own_file.h"
#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "daemon/borrower.h"
#include "daemon/catalog_log.h"
#include "daemon/daemon.h"
#include "daemon/download_format.h"
#include "daemon/engines.h"
#include "daemon/events.h"
#include "daemon/feed.h"
#include "daemon/fleet_node.h"
#include "daemon/gate.h"
#include "daemon/held_store.h"
#include "daemon/history.h"
#include "daemon/key_store.h"
#include "daemon/listeners.h"
#include "daemon/lmstudio_home.h"
#include "daemon/log_feed.h"
#include "daemon/offload.h"
#include "daemon/pinned_store.h"
#include "daemon/pressure_watch.h"
#include "daemon/prompt_gc.h"
#include "daemon/routes/answer.h"
#include "daemon/settings_store.h"
#include "daemon/startup.h"
#include "daemon/state_lock.h"
#include "daemon/stored_responses.h"
#include "daemon/watch.h"
#include "daemon/ws_host.h"
#include "daemon/ws_hub.h"
#include "http/server.h"
#include "hub/downloads.h"
#include "supervisor/supervisor.h"

enum { EVENTS_REMEMBERED = 1000 };

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

/* ---- the beginning ---- */

static void daemon_on_changed(void *ctx) {
    struct daemon *d = ctx;
    live_touch(&d->live);
    recorder_look(&d->recorder);
    service_report_touch(&d->report);
    fleet_node_touch(d->fleet);
    daemon_look_if_idle(d);
}

static void daemon_on_pinned_changed(void *ctx) {
    struct daemon *d = ctx;
    pinned_store_save(d->pinned, d->supervisor);
}

static void daemon_on_pinned_saved(void *ctx, const struct error *error) {
    struct daemon *d = ctx;
    if (d->supervisor) supervisor_pinned_saved(d->supervisor, error);
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
    daemon_update_tls(d);
    pressure_watch_enable(d->pressure, wants_pressure(settings));
    daemon_update_ports(d);
    daemon_limit_responses(d);
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

/* Drivers store what they compile. A hostile model may take over a worker, so these files are
 * apart from those that the user's other programs trust. */
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

static void daemon_on_download(void *ctx, const struct download_view *view) {
    struct daemon *d = ctx;
    download_publish(d->events, view);
    daemon_look_if_idle(d);
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
    d->held = held_store_new(&d->loop, d->options.state_dir, d->prompts);
    start_downloads(d);
    if (!start_supervisor(d, err) || !daemon_start_http(d, err)) return false;
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
    held_store_free(d->held);
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
    d->answers = answers_budget();
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
    daemon_catch_signals(d);
    ok = ok && daemon_start(d, &err);
    if (ok) {
        daemon_say_ready(d);
        prompts_tend(d->prompts);
        pinned_store_load(d->pinned, d->supervisor);
        daemon_look_if_idle(d);
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
