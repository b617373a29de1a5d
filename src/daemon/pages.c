/* SPDX-License-Identifier: MIT */
/* pages.c - small fixed answers: the front page, health, greetings, metrics. */
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"

static const char front_page[] =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>doze</title>\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<h1>doze is running</h1>\n"
    "<p>A local LLM server whose models sleep when nobody needs them.</p>\n"
    "<ul>\n<li><a href=\"/api/v1/models\">Models and loaded instances</a>\n"
    "<li><a href=\"/api/v1/settings\">Settings</a>\n"
    "<li><a href=\"/metrics\">Metrics</a>\n</ul>\n"
    "<p>Apps: use this address with <code>/v1</code> (OpenAI) or <code>/api/v0</code> "
    "(LM Studio). In a terminal: <code>doze ps</code>, <code>doze ls</code>, "
    "<code>doze chat</code>.</p>\n</html>\n";

void route_root(void *ctx, struct exchange *x) {
    (void)ctx;
    exchange_add_header(x, "Content-Security-Policy", "default-src 'none'");
    exchange_add_header(x, "X-Frame-Options", "DENY");
    exchange_reply(x, 200, "text/html; charset=utf-8", front_page, sizeof front_page - 1);
}

static void reply_json(struct exchange *x, const struct buf *json) {
    exchange_reply(x, 200, "application/json", json->data, json->len);
}

void route_health(void *ctx, struct exchange *x) {
    const struct daemon *d = ctx;
    struct buf json = BUF_INIT(256);
    buf_addf(&json, "{\"status\":\"%s\",\"version\":\"%s\",\"pid\":%d}",
             d->stopping ? "stopping" : "ok", DOZE_VERSION, (int)getpid());
    reply_json(x, &json);
    buf_clear(&json);
}

void route_greeting(void *ctx, struct exchange *x) {
    (void)ctx;
    static const char greeting[] = "{\"lmstudio\":true}";
    exchange_reply(x, 200, "application/json", greeting, strlen(greeting));
}

void route_lms_status(void *ctx, struct exchange *x) {
    (void)ctx;
    static const char status[] = "{\"package\":\"doze\",\"version\":\"" DOZE_VERSION "\"}";
    exchange_reply(x, 200, "application/json", status, strlen(status));
}

void route_metrics(void *ctx, struct exchange *x) {
    struct daemon *d = ctx;
    if (!daemon_admit(d, x)) return;
    struct service_models models = d->service.models(d->service.self);
    struct buf text = BUF_INIT(4 << 20);
    metrics_format(&d->metrics, &models, &text);
    exchange_reply(x, 200, "text/plain; version=0.0.4", text.data, text.len);
    buf_clear(&text);
}
