/* SPDX-License-Identifier: MIT */
#include "daemon/routes/routes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/anthropic/anthropic.h"
#include "api/lmstudio_rest/v0.h"
#include "api/lmstudio_ws/session.h"
#include "api/openai/openai.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "daemon/api_key.h"
#include "daemon/log_feed.h"
#include "daemon/settings_store.h"

enum { BODY_INFERENCE = SETTINGS_BODY_MAX, BODY_SMALL = 1 << 20 };

#define OPENAI_ROUTES(prefix)                                                                  \
    { "GET", prefix "/models", 0, HTTP_GUARDED, route_openai_models },                         \
        { "GET", prefix "/models/{id}", 0, HTTP_GUARDED, route_openai_model },                 \
        { "POST", prefix "/chat/completions", BODY_INFERENCE, HTTP_GUARDED,                    \
          route_openai_chat },                                                                 \
        { "POST", prefix "/completions", BODY_INFERENCE, HTTP_GUARDED,                         \
          route_openai_completions },                                                          \
    {                                                                                          \
        "POST", prefix "/embeddings", BODY_INFERENCE, HTTP_GUARDED, route_openai_embeddings    \
    }

static const struct http_route table[] = {
    OPENAI_ROUTES("/v1"),
    OPENAI_ROUTES(""), /* some clients forget the /v1 */

    { "POST", "/v1/responses", BODY_INFERENCE, HTTP_GUARDED, route_responses },
    { "POST", "/responses", BODY_INFERENCE, HTTP_GUARDED, route_responses },
    { "POST", "/v1/messages", BODY_INFERENCE, HTTP_GUARDED, route_messages },
    { "POST", "/v1/messages/count_tokens", BODY_INFERENCE, HTTP_GUARDED, route_messages_count },

    { "GET", "/api/v0/models", 0, HTTP_GUARDED, route_v0_models },
    { "GET", "/api/v0/models/{id}", 0, HTTP_GUARDED, route_v0_model },
    { "POST", "/api/v0/chat/completions", BODY_INFERENCE, HTTP_GUARDED, route_v0_chat },
    { "POST", "/api/v0/completions", BODY_INFERENCE, HTTP_GUARDED, route_v0_completions },
    { "POST", "/api/v0/embeddings", BODY_INFERENCE, HTTP_GUARDED, route_v0_embeddings },

    { "GET", "/api/v1/models", 0, HTTP_GUARDED, route_v1_models },
    { "POST", "/api/v1/models/load", BODY_SMALL, HTTP_GUARDED, route_load },
    { "POST", "/api/v1/models/estimate", BODY_SMALL, HTTP_GUARDED, route_estimate },
    { "GET", "/api/v1/explain", 0, HTTP_GUARDED, route_explain },
    { "POST", "/api/v1/models/unload", BODY_SMALL, HTTP_GUARDED, route_unload },
    { "PATCH", "/api/v1/instances/{id}", BODY_SMALL, HTTP_GUARDED, route_update_instance },
    { "GET", "/api/v1/settings", 0, HTTP_GUARDED, route_settings_get },
    { "PATCH", "/api/v1/settings", BODY_SMALL, HTTP_GUARDED, route_settings_patch },
    { "GET", "/api/v1/prompts", 0, HTTP_GUARDED, route_prompts_list },
    { "DELETE", "/api/v1/prompts", 0, HTTP_GUARDED, route_prompts_clear },
    { "DELETE", "/api/v1/prompts/{id}", 0, HTTP_GUARDED, route_prompts_clear },
    { "GET", "/api/v1/events", 0, HTTP_GUARDED, route_events },
    { "GET", "/api/v1/log", 0, HTTP_GUARDED, route_log },
    { "GET", "/api/v1/history", 0, HTTP_GUARDED, route_history },

    { "GET", "/", 0, HTTP_OPEN, route_page },
    { "GET", "/assets/{name}", 0, HTTP_OPEN, route_asset },
    { "GET", "/health", 0, HTTP_OPEN, route_health },
    { "GET", "/metrics", 0, HTTP_GUARDED, route_metrics },
    { "GET", "/lmstudio-greeting", 0, HTTP_OPEN, route_greeting },
    { "GET", "/lms-status", 0, HTTP_OPEN, route_lms_status },

    { "GET", "/llm", 0, HTTP_OPEN, route_ws }, /* the namespaces of session.h */
    { "GET", "/embedding", 0, HTTP_OPEN, route_ws },
    { "GET", "/system", 0, HTTP_OPEN, route_ws },
    { "GET", "/diagnostics", 0, HTTP_OPEN, route_ws },
    { "GET", "/files", 0, HTTP_OPEN, route_ws },
    { "GET", "/repository", 0, HTTP_OPEN, route_ws },
    { "GET", "/plugins", 0, HTTP_OPEN, route_ws },
    { "GET", "/runtime", 0, HTTP_OPEN, route_ws },
    { "GET", "/decision", 0, HTTP_OPEN, route_ws },
};

/* The key that a client sends, in OpenAI's, Anthropic's or Azure's header; NULL: none. */
static const char *key_given(const struct exchange *x) {
    static const char *const headers[] = { "x-api-key", "api-key" };
    const char *given = exchange_header(x, "Authorization");
    if (given && strncasecmp(given, "Bearer ", 7) == 0) return given + 7;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        given = exchange_header(x, headers[i]);
        if (given && *given) return given; /* Continue sends an empty one */
    }
    return NULL;
}

static bool guard(void *ctx, const struct exchange *x, struct error *err) {
    const struct routes *r = ctx;
    const char *key = settings_store_get(r->settings)->api_key, *given = key_given(x);
    if (!*key || (given && api_key_is(key, given))) return true;
    return error_set(err, ERR_API_KEY,
                     "This server needs an API key; send it as `Authorization: Bearer <key>`.");
}

/* The dialect of a path, for errors that no dialect has seen. */
static const struct dialect *dialect_of(const char *path) {
    if (strncmp(path, "/v1/messages", 12) == 0) return &dialect_anthropic;
    return strncmp(path, "/api/v0/", 8) == 0 ? &dialect_lmstudio_v0 : &dialect_openai;
}

static void format_error(void *ctx, const char *path, const struct error *err,
                         struct buf *out) {
    (void)ctx;
    dialect_of(path)->format_error(err, out);
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

static bool cors(void *ctx) {
    const struct routes *r = ctx;
    return settings_store_get(r->settings)->cors;
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
                                  .cors = cors,
                                  .guard = guard,
                                  .body_limit = body_limit,
                                  .on_warning = routes_on_warning,
                                  .on_request = routes_on_request };
}
