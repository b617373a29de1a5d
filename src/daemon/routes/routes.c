/* SPDX-License-Identifier: MIT */
#include "daemon/routes/routes.h"

#include <stdlib.h>
#include <string.h>

#include "api/anthropic/anthropic.h"
#include "api/lmstudio_rest/v0.h"
#include "api/lmstudio_ws/session.h"
#include "api/ollama/ollama.h"
#include "api/openai/openai.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/no_model.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "daemon/lender.h"
#include "daemon/log_feed.h"
#include "daemon/routes/bearer.h"
#include "daemon/settings_store.h"

enum { BODY_INFERENCE = SETTINGS_BODY_MAX, BODY_SMALL = 1 << 20 };

/* What a client's key needs for a route. */
enum {
    OPEN = HTTP_OPEN, /* for everybody */
    ANY = PERMISSION_ANY,
    ADMIN = PERMISSION_ADMIN,
    INFERENCE = PERMISSION_INFERENCE,
    MODELS = PERMISSION_MODELS,
    SETTINGS = PERMISSION_SETTINGS,
    EVENTS = PERMISSION_EVENTS,
};

#define OPENAI_ROUTES(prefix)                                                                  \
    { "GET", prefix "/models", 0, ANY, route_openai_models },                                  \
        { "GET", prefix "/models/{id}", 0, ANY, route_openai_model },                          \
        { "POST", prefix "/chat/completions", BODY_INFERENCE, INFERENCE, route_openai_chat },  \
        { "POST", prefix "/completions", BODY_INFERENCE, INFERENCE,                            \
          route_openai_completions },                                                          \
    {                                                                                          \
        "POST", prefix "/embeddings", BODY_INFERENCE, INFERENCE, route_openai_embeddings       \
    }

static const struct http_route table[] = {
    OPENAI_ROUTES("/v1"),
    OPENAI_ROUTES(""), /* some clients forget the /v1 */

    { "POST", "/v1/responses", BODY_INFERENCE, INFERENCE, route_responses },
    { "GET", "/v1/responses/{id}", 0, INFERENCE, route_response },
    { "DELETE", "/v1/responses/{id}", 0, INFERENCE, route_response_remove },
    { "POST", "/v1/responses/{id}", BODY_SMALL, INFERENCE, route_response_cancel },
    { "POST", "/responses", BODY_INFERENCE, INFERENCE, route_responses },
    { "GET", "/responses/{id}", 0, INFERENCE, route_response },
    { "DELETE", "/responses/{id}", 0, INFERENCE, route_response_remove },
    { "POST", "/responses/{id}", BODY_SMALL, INFERENCE, route_response_cancel },
    { "POST", "/v1/decisions", BODY_INFERENCE, INFERENCE, route_decisions },
    { "POST", "/decisions", BODY_INFERENCE, INFERENCE, route_decisions },
    { "POST", "/v1/rerank", BODY_INFERENCE, INFERENCE, route_rerank },
    { "POST", "/v1/reranking", BODY_INFERENCE, INFERENCE, route_rerank },
    { "POST", "/v2/rerank", BODY_INFERENCE, INFERENCE, route_rerank }, /* Cohere's clients */
    { "POST", "/rerank", BODY_INFERENCE, INFERENCE, route_rerank },
    { "POST", "/v1/messages", BODY_INFERENCE, INFERENCE, route_messages },
    { "POST", "/v1/messages/count_tokens", BODY_INFERENCE, INFERENCE, route_messages_count },

    { "GET", "/api/version", 0, ANY, route_ollama_version },
    { "GET", "/api/tags", 0, ANY, route_ollama_tags },
    { "GET", "/api/ps", 0, ANY, route_ollama_ps },
    { "POST", "/api/show", BODY_SMALL, ANY, route_ollama_show },
    { "POST", "/api/chat", BODY_INFERENCE, INFERENCE, route_ollama_chat },
    { "POST", "/api/generate", BODY_INFERENCE, INFERENCE, route_ollama_generate },
    { "POST", "/api/embed", BODY_INFERENCE, INFERENCE, route_ollama_embed },
    { "POST", "/api/pull", BODY_SMALL, MODELS, route_ollama_pull },
    { "DELETE", "/api/delete", BODY_SMALL, MODELS, route_ollama_delete },
    { "POST", "/api/create", BODY_SMALL, MODELS, route_ollama_create },
    { "POST", "/api/push", BODY_SMALL, MODELS, route_ollama_push },
    { "POST", "/api/copy", BODY_SMALL, MODELS, route_ollama_copy },
    { "POST", "/api/embeddings", BODY_INFERENCE, INFERENCE, route_ollama_embeddings },

    { "GET", "/api/openapi.json", 0, ANY, route_openapi },

    { "GET", "/api/v0/models", 0, ANY, route_v0_models },
    { "GET", "/api/v0/models/{id}", 0, ANY, route_v0_model },
    { "POST", "/api/v0/chat/completions", BODY_INFERENCE, INFERENCE, route_v0_chat },
    { "POST", "/api/v0/completions", BODY_INFERENCE, INFERENCE, route_v0_completions },
    { "POST", "/api/v0/embeddings", BODY_INFERENCE, INFERENCE, route_v0_embeddings },

    { "POST", "/api/v1/chat", BODY_INFERENCE, INFERENCE, route_v1_chat },
    { "GET", "/api/v1/models", 0, ANY, route_v1_models },
    { "DELETE", "/api/v1/models/{id}", 0, MODELS, route_remove },
    { "POST", "/api/v1/models/load", BODY_SMALL, MODELS, route_load },
    { "POST", "/api/v1/models/scan", BODY_SMALL, MODELS, route_scan },
    { "POST", "/api/v1/models/estimate", BODY_SMALL, INFERENCE, route_estimate },
    { "POST", "/api/v1/models/prefetch", BODY_SMALL, MODELS, route_prefetch },
    { "GET", "/api/v1/runtime", 0, ANY, route_runtime },
    { "GET", "/api/v1/system", 0, ANY, route_system },
    { "GET", "/api/v1/explain", 0, ANY, route_explain },
    { "GET", "/api/v1/fleet", 0, ANY, route_fleet },
    { "POST", LOAN_PATH, BODY_SMALL, INFERENCE, route_fleet_memory },
    { "POST", LOAN_PATH "/{id}", LOAN_BODY_MAX, INFERENCE, route_fleet_memory_bytes },
    { "GET", "/api/v1/fleet/files/{sha256}", 0, INFERENCE, route_fleet_file },
    { "POST", "/api/v1/models/unload", BODY_SMALL, MODELS, route_unload },
    { "PATCH", "/api/v1/instances/{id}", BODY_SMALL, MODELS, route_update_instance },
    { "GET", "/api/v1/settings", 0, SETTINGS, route_settings_get },
    { "PATCH", "/api/v1/settings", BODY_SMALL, SETTINGS, route_settings_patch },
    { "GET", "/api/v1/keys", 0, ADMIN, route_keys_list },
    { "POST", "/api/v1/keys", BODY_SMALL, ADMIN, route_key_create },
    { "DELETE", "/api/v1/keys/{id}", 0, ADMIN, route_key_revoke },
    { "GET", "/api/v1/prompts", 0, MODELS, route_prompts_list },
    { "DELETE", "/api/v1/prompts", 0, MODELS, route_prompts_clear },
    { "DELETE", "/api/v1/prompts/{id}", 0, MODELS, route_prompts_clear },
    { "POST", "/api/v1/models/download", BODY_SMALL, MODELS, route_download },
    { "GET", "/api/v1/models/download/status/{id}", 0, MODELS, route_download_status },
    { "GET", "/api/v1/models/search", 0, MODELS, route_search },
    { "GET", "/api/v1/downloads", 0, MODELS, route_downloads },
    { "PATCH", "/api/v1/downloads/{id}", BODY_SMALL, MODELS, route_download_change },
    { "DELETE", "/api/v1/downloads/{id}", 0, MODELS, route_download_remove },
    { "GET", "/api/v1/events", 0, EVENTS, route_events },
    { "GET", "/api/v1/log", 0, EVENTS, route_log },
    { "GET", "/api/v1/history", 0, EVENTS, route_history },

    { "GET", "/", 0, OPEN, route_page },
    { "GET", "/assets/{name}", 0, OPEN, route_asset },
    { "GET", "/health", 0, OPEN, route_health },
    { "GET", "/metrics", 0, EVENTS, route_metrics },
    { "GET", "/lmstudio-greeting", 0, OPEN, route_greeting },
    { "GET", "/lms-status", 0, OPEN, route_lms_status },

    { "GET", "/llm", 0, OPEN, route_ws }, /* the namespaces of session.h */
    { "GET", "/embedding", 0, OPEN, route_ws },
    { "GET", "/system", 0, OPEN, route_ws },
    { "GET", "/diagnostics", 0, OPEN, route_ws },
    { "GET", "/files", 0, OPEN, route_ws },
    { "GET", "/repository", 0, OPEN, route_ws },
    { "GET", "/plugins", 0, OPEN, route_ws },
    { "GET", "/runtime", 0, OPEN, route_ws },
    { "GET", "/decision", 0, OPEN, route_ws },
};

/* The access of a route is the permission that its client's key needs. */
static bool guard(void *ctx, const struct exchange *x, int access, struct error *err) {
    struct bearer bearer;
    return bearer_of_exchange(ctx, x, &bearer, err) &&
           permission_require(bearer.permissions, (enum permission)access, err);
}

/* The dialect of a path, for errors that no dialect has seen. */
static const struct dialect *dialect_of(const char *path) {
    if (strncmp(path, "/v1/messages", 12) == 0) return &dialect_anthropic;
    return strncmp(path, "/api/v0/", 8) == 0 ? &dialect_lmstudio_v0 : &dialect_openai;
}

/* Of the paths below /api, LM Studio's have a version. */
static bool is_ollama(const char *path) {
    if (strncmp(path, "/api/", 5) != 0) return false;
    return path[5] != 'v' || path[6] < '0' || path[6] > '9';
}

/* How the API of a path lists models. */
static const char *listing_of(const char *path) {
    if (strncmp(path, "/api/v0/", 8) == 0) return "GET /api/v0/models";
    return strncmp(path, "/api/v1/", 8) == 0 ? "GET /api/v1/models" : MODELS_LISTED_BY;
}

static void format_error(void *ctx, const char *path, const struct error *err,
                         struct buf *out) {
    struct error own;
    (void)ctx;
    error_list_by(err, listing_of(path), &own);
    if (is_ollama(path))
        ollama_format_error(&own, out);
    else
        dialect_of(path)->format_error(&own, out);
}

/* Discovery, and the sockets of those who follow the log. */
static bool is_noise(const char *path) {
    return strcmp(path, "/lms-status") == 0 || strcmp(path, "/lmstudio-greeting") == 0 ||
           lmws_namespace_parse(path + (*path == '/')) != 0;
}

/* In LM Studio's words, which people and programs search for. */
static void routes_on_request(void *ctx, const char *method, const char *path) {
    struct routes *r = ctx;
    struct buf text = BUF_INIT(1 << 14);
    if (!log_feed_wanted(r->log, LOG_REQUEST) || is_noise(path)) return;
    buf_addf(&text, "Received request: %s to %s", method, path);
    char *mended = xstrdup(buf_str(&text)); /* the path comes from the client */
    utf8_mend_line(mended);
    struct log_line line = {
        .kind = LOG_REQUEST, .level = LOG_LEVEL_DEBUG, .at = clock_unix(), .text = mended
    };
    log_feed_publish(r->log, &line);
    free(mended);
    buf_clear(&text);
}

static struct access_rules rules(void *ctx) {
    const struct routes *r = ctx;
    const struct settings *settings = settings_store_get(r->settings);
    return (struct access_rules){ .all = settings->cors,
                                  .hosts = settings->allowed_hosts,
                                  .origins = settings->allowed_origins };
}

static size_t body_limit(void *ctx) {
    const struct routes *r = ctx;
    return (size_t)settings_store_get(r->settings)->body_limit;
}

static void routes_on_warning(void *ctx, const char *sentence) {
    (void)ctx;
    log_warn("%s", sentence);
}

struct http_options routes_http_options(struct routes *routes) {
    return (struct http_options){ .routes = table,
                                  .route_count = sizeof table / sizeof table[0],
                                  .ctx = routes,
                                  .format_error = format_error,
                                  .rules = rules,
                                  .has_key = exchange_has_key,
                                  .guard = guard,
                                  .body_limit = body_limit,
                                  .on_warning = routes_on_warning,
                                  .on_request = routes_on_request };
}
