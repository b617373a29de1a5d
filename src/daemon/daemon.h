/* SPDX-License-Identifier: MIT */
/*
 * daemon.h - the one struct that ties the daemon's parts together; the files of src/daemon that
 * face HTTP share it.
 */
#ifndef DOZE_DAEMON_DAEMON_H
#define DOZE_DAEMON_DAEMON_H

#include <uv.h>

#include "api/service.h"
#include "daemon/events.h"
#include "daemon/log_feed.h"
#include "daemon/recorder.h"
#include "daemon/serve_options.h"
#include "daemon/status_stream.h"
#include "http/server.h"
#include "supervisor/metrics.h"
#include "supervisor/settings.h"
#include "supervisor/supervisor.h"

struct prompts;
struct saver;
struct settings_change;
struct watch;
struct listeners;
struct lmstudio_home;
struct ws_host;

enum { LOG_REMEMBERED = 200 }; /* lines of the server, for those who begin to follow */

struct daemon {
    uv_loop_t loop;
    struct serve_options options;
    struct settings settings;
    struct settings next_settings; /* while the first of the changes is being written */
    struct settings_change *changes;
    struct saver *settings_saver, *pinned_saver;
    char *settings_path, *pinned_path, *worker_program;
    struct catalog *catalog;
    struct watch *watch;
    struct prompts *prompts;
    struct metrics metrics;
    struct feed *events, *log;
    struct live live;
    struct history *history;
    struct recorder recorder;
    struct supervisor *supervisor;
    struct service service;
    struct http_server *http;
    struct listeners *listeners;
    struct lmstudio_home *lmstudio_home;
    struct ws_host *ws_host;
    uv_signal_t signals[3];
    uv_timer_t farewell; /* at shutdown: last bytes may still be on their way */
    int farewell_rounds;
    bool stopping;
};

/* ---- serve.c ---- */
/* As SIGTERM does: let answers finish; the second time, at once. */
void daemon_stop(struct daemon *d);
/* LM Studio's port and files as the settings want them. */
void daemon_open_to_lmstudio(struct daemon *d);

/* ---- service.c: struct service on the supervisor ---- */
void daemon_fill_service(struct daemon *d);

/* ---- change.c ---- */
struct settings_sink {
    void (*on_end)(void *ctx, const struct error *error); /* once; NULL: done */
    void *ctx;
};
/* Partial change: validates all, then applies all or nothing. The sink is told once it is on
 * disk and in force, or why not; maybe before this returns. Changes are made in their order. */
void daemon_change_settings(struct daemon *d, yyjson_val *patch, struct settings_sink sink);
/* What the first change has made of them is on disk, or cannot be written. */
void daemon_settings_saved(void *ctx, const struct error *error);

/* ---- persist.c: settings.json and kept.json ---- */
void daemon_load_settings(struct daemon *d);
void daemon_open_savers(struct daemon *d);
void daemon_save_pinned(struct daemon *d);
void daemon_load_pinned(struct daemon *d);

/* ---- routes.c ---- */
void daemon_http_options(struct daemon *d, struct http_options *ret_options);

/* ---- load.c ---- */
struct load_body {
    struct load_request request; /* borrows from doc */
    yyjson_doc *doc;             /* to be freed */
    bool echo;
};
/* What the body of a request asks to load; false: the exchange has been answered. */
bool daemon_read_load(struct exchange *x, struct load_body *ret);

/* ---- handlers; ctx is the struct daemon ---- */
void route_openai_chat(void *ctx, struct exchange *x); /* inference_route.c */
void route_openai_completions(void *ctx, struct exchange *x);
void route_openai_embeddings(void *ctx, struct exchange *x);
void route_v0_chat(void *ctx, struct exchange *x);
void route_v0_completions(void *ctx, struct exchange *x);
void route_v0_embeddings(void *ctx, struct exchange *x);
void route_openai_models(void *ctx, struct exchange *x); /* instance_routes.c */
void route_openai_model(void *ctx, struct exchange *x);
void route_v0_models(void *ctx, struct exchange *x);
void route_v0_model(void *ctx, struct exchange *x);
void route_v1_models(void *ctx, struct exchange *x);
void route_update_instance(void *ctx, struct exchange *x);
void route_settings_get(void *ctx, struct exchange *x);
void route_settings_patch(void *ctx, struct exchange *x);
void route_unload(void *ctx, struct exchange *x);   /* unload.c */
void route_load(void *ctx, struct exchange *x);     /* load.c */
void route_estimate(void *ctx, struct exchange *x); /* estimate_route.c */
void route_events(void *ctx, struct exchange *x);   /* stream_routes.c */
void route_log(void *ctx, struct exchange *x);
void route_history(void *ctx, struct exchange *x); /* history_route.c */
void route_page(void *ctx, struct exchange *x);    /* web_page.c */
void route_asset(void *ctx, struct exchange *x);
void route_health(void *ctx, struct exchange *x); /* probes.c */
void route_greeting(void *ctx, struct exchange *x);
void route_lms_status(void *ctx, struct exchange *x);
void route_ws(void *ctx, struct exchange *x); /* ws_route.c */
void route_metrics(void *ctx, struct exchange *x);
void route_prompts_list(void *ctx, struct exchange *x); /* prompt_routes.c */
void route_prompts_clear(void *ctx, struct exchange *x);

#endif
