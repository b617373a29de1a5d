/* SPDX-License-Identifier: MIT */
/*
 * route.h - the handlers of all endpoints, and the struct routes that they get as ctx.
 *
 * A handler answers its exchange at once, or keeps it in a struct of its own until it can;
 * then exchange_on_gone tells it if the client leaves first.
 */
#ifndef DOZE_DAEMON_ROUTES_ROUTE_H
#define DOZE_DAEMON_ROUTES_ROUTE_H

#include <stdbool.h>
#include <uv.h>

struct catalog;
struct downloads;
struct engines;
struct exchange;
struct feed;
struct fleet_node;
struct gate;
struct history;
struct key_store;
struct lender;
struct listeners;
struct live;
struct metrics;
struct offload;
struct prompts;
struct serve_options;
struct service;
struct settings_store;
struct stored_responses;
struct supervisor;
struct tls_files;
struct watch;
struct ws_host;

/* The parts of the daemon, borrowed for the HTTP server's life. Each file of routes/ includes
 * the headers of those that it uses. */
struct routes {
    uv_loop_t *loop;
    const struct serve_options *options;
    struct settings_store *settings;
    struct key_store *keys;
    struct gate *gate;
    struct catalog *const *catalog; /* the current snapshot */
    const struct service *service;
    struct supervisor *supervisor;
    const struct metrics *metrics;
    struct byte_budget *budget;  /* of what requests keep until they are answered */
    struct byte_budget *answers; /* of answers until they are complete */
    struct feed *events, *log;
    struct live *live;
    struct history *history;
    struct stored_responses *stored;
    struct prompts *prompts;
    struct watch *watch;
    struct downloads *downloads;
    struct engines *engines;
    struct offload *offload;
    const struct ws_host *ws_host;
    struct fleet_node *fleet;
    struct lender *lender;
    const struct listeners *listeners;
    const struct tls_files *tls;
    char *told_tools; /* the kinds that the log named last, SKIPPED_TOOLS_SIZE bytes */
    bool stopping;    /* the daemon is shutting down */
};

/* inference_route.c */
void route_openai_chat(void *ctx, struct exchange *x);
void route_openai_completions(void *ctx, struct exchange *x);
void route_openai_embeddings(void *ctx, struct exchange *x);
void route_rerank(void *ctx, struct exchange *x);
void route_decisions(void *ctx, struct exchange *x);
void route_messages(void *ctx, struct exchange *x);
void route_messages_count(void *ctx, struct exchange *x);
void route_ollama_chat(void *ctx, struct exchange *x);
void route_ollama_generate(void *ctx, struct exchange *x);
void route_ollama_embed(void *ctx, struct exchange *x);
void route_ollama_embeddings(void *ctx, struct exchange *x);
void route_v0_chat(void *ctx, struct exchange *x);
void route_v0_completions(void *ctx, struct exchange *x);
void route_v0_embeddings(void *ctx, struct exchange *x);

/* responses_route.c */
void route_responses(void *ctx, struct exchange *x);
void route_v1_chat(void *ctx, struct exchange *x);
void route_response(void *ctx, struct exchange *x);
void route_response_remove(void *ctx, struct exchange *x);
void route_response_cancel(void *ctx, struct exchange *x);

/* model_routes.c */
void route_openai_models(void *ctx, struct exchange *x);
void route_openai_model(void *ctx, struct exchange *x);
void route_v0_models(void *ctx, struct exchange *x);
void route_v0_model(void *ctx, struct exchange *x);
void route_v1_models(void *ctx, struct exchange *x);

/* ollama_routes.c */
void route_ollama_version(void *ctx, struct exchange *x);
void route_ollama_tags(void *ctx, struct exchange *x);
void route_ollama_ps(void *ctx, struct exchange *x);

void route_ollama_create(void *ctx, struct exchange *x);
void route_ollama_push(void *ctx, struct exchange *x);
void route_ollama_copy(void *ctx, struct exchange *x);

/* ollama_show.c */
void route_ollama_show(void *ctx, struct exchange *x);

/* ollama_pull.c */
void route_ollama_pull(void *ctx, struct exchange *x);

/* remove_route.c */
void route_remove(void *ctx, struct exchange *x);
void route_ollama_delete(void *ctx, struct exchange *x);

/* scan_route.c, runtime_route.c, system_route.c */
void route_scan(void *ctx, struct exchange *x);
void route_runtime(void *ctx, struct exchange *x);
void route_system(void *ctx, struct exchange *x);

/* explain_route.c, fleet_route.c */
void route_explain(void *ctx, struct exchange *x);
void route_fleet(void *ctx, struct exchange *x);
void route_fleet_memory(void *ctx, struct exchange *x);
void route_fleet_memory_bytes(void *ctx, struct exchange *x);
void route_fleet_file(void *ctx, struct exchange *x); /* fleet_file_route.c */

/* load_route.c, estimate_route.c, prefetch_route.c, unload_route.c, instance_route.c */
void route_load(void *ctx, struct exchange *x);
void route_estimate(void *ctx, struct exchange *x);
void route_prefetch(void *ctx, struct exchange *x);
void route_unload(void *ctx, struct exchange *x);
void route_update_instance(void *ctx, struct exchange *x);

/* settings_routes.c */
void route_settings_get(void *ctx, struct exchange *x);
void route_settings_patch(void *ctx, struct exchange *x);

/* key_routes.c */
void route_keys_list(void *ctx, struct exchange *x);
void route_key_create(void *ctx, struct exchange *x);
void route_key_revoke(void *ctx, struct exchange *x);

/* prompt_routes.c */
void route_prompts_list(void *ctx, struct exchange *x);
void route_prompts_clear(void *ctx, struct exchange *x);

/* download_routes.c */
void route_download(void *ctx, struct exchange *x);
void route_download_status(void *ctx, struct exchange *x);
void route_download_change(void *ctx, struct exchange *x);
void route_download_remove(void *ctx, struct exchange *x);
void route_downloads(void *ctx, struct exchange *x);
void route_search(void *ctx, struct exchange *x);

/* stream_routes.c, history_route.c */
void route_events(void *ctx, struct exchange *x);
void route_log(void *ctx, struct exchange *x);
void route_history(void *ctx, struct exchange *x);

/* openapi_route.c */
void route_openapi(void *ctx, struct exchange *x);

/* web_page.c, probes.c */
void route_page(void *ctx, struct exchange *x);
void route_asset(void *ctx, struct exchange *x);
void route_health(void *ctx, struct exchange *x);
void route_metrics(void *ctx, struct exchange *x);
void route_greeting(void *ctx, struct exchange *x);
void route_lms_status(void *ctx, struct exchange *x);

/* ws_route.c */
void route_ws(void *ctx, struct exchange *x);

#endif
