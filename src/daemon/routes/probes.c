/* SPDX-License-Identifier: MIT */
/* probes.c - small fixed answers: health, greetings, metrics. */
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"

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
    /* LM Studio's command line takes "lmstudio" and "daemon" only (lms,
     * findOrStartLocalAPIServer, autumn 2026); the latter is its server without a window. */
    static const char status[] = "{\"package\":\"daemon\",\"version\":\"" DOZE_VERSION
                                 "\",\"server\":\"doze\"}";
    exchange_reply(x, 200, "application/json", status, strlen(status));
}

void route_metrics(void *ctx, struct exchange *x) {
    struct daemon *d = ctx;
    struct service_models models = d->service.models(d->service.self);
    struct buf text = BUF_INIT(4 << 20);
    metrics_format(&d->metrics, &models, &text);
    exchange_reply(x, 200, "text/plain; version=0.0.4", text.data, text.len);
    buf_clear(&text);
}
