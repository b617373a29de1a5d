/* SPDX-License-Identifier: MIT */
/* ws_route.c - one socket of an SDK client: passes messages between the upgraded exchange and
 * its session. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/offload.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"
#include "daemon/ws_host.h"
#include "http/websocket.h"

/* Before authentication. */
enum { STRANGER_MESSAGE_MAX = 64 << 10 };

struct socket {
    const struct settings_store *settings;
    struct offload *offload;
    struct websocket *ws;
    struct lmws_session *session;
    struct buf message; /* a long one, while it is parsed */
    yyjson_doc *doc;
    struct error err;
    char peer[HTTP_PEER_SIZE];
};

static void parse_work(void *ctx) {
    struct socket *s = ctx;
    s->doc = lmws_message_parse(buf_str(&s->message), s->message.len, &s->err);
}

static void parse_on_done(void *ctx) {
    struct socket *s = ctx;
    yyjson_doc *doc = s->doc;
    buf_clear(&s->message);
    lmws_session_receive(s->session, doc, &s->err);
    if (!lmws_session_waits(s->session)) websocket_go_on(s->ws); /* may free the socket */
}

static void socket_go_on(void *ctx) {
    struct socket *s = ctx;
    websocket_go_on(s->ws);
}

static void socket_on_message(void *ctx, const char *text, size_t len) {
    struct socket *s = ctx;
    struct error err;
    if (len >= OFFLOAD_MIN) {
        websocket_keep_message(s->ws, &s->message);
        offload_run(s->offload, len, &(struct offload_piece){ parse_work, parse_on_done, s });
        return;
    }
    yyjson_doc *doc = lmws_message_parse(text, len, &err);
    lmws_session_receive(s->session, doc, &err);
}

static void socket_on_pressure(void *ctx, bool paused) {
    struct socket *s = ctx;
    lmws_session_pause(s->session, paused);
}

static void socket_on_closed(void *ctx) {
    struct socket *s = ctx;
    lmws_session_free(s->session);
    free(s);
}

static const struct websocket_events socket_events = {
    .on_message = socket_on_message,
    .on_pressure = socket_on_pressure,
    .on_closed = socket_on_closed,
};

static void socket_send(void *ctx, const char *json, size_t len) {
    struct socket *s = ctx;
    websocket_send(s->ws, json, len);
}

static void socket_hang_up(void *ctx, const char *reason) {
    struct socket *s = ctx;
    websocket_end(s->ws, WEBSOCKET_POLICY, reason);
}

static size_t socket_held(void *ctx) {
    const struct socket *s = ctx;
    return websocket_held(s->ws);
}

static void socket_on_admitted(void *ctx) {
    struct socket *s = ctx;
    const struct settings *settings = settings_store_get(s->settings);
    websocket_set_message_max(s->ws, (size_t)settings->body_limit);
    websocket_admit(s->ws);
}

void route_ws(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    enum lmws_namespace ns = lmws_namespace_parse(exchange_path(x) + 1);
    struct socket *s = xcalloc(1, sizeof *s);
    s->settings = r->settings;
    s->offload = r->offload;
    exchange_peer(x, s->peer);
    s->ws = websocket_accept(x, r->loop, &socket_events, s);
    if (!s->ws) {
        free(s);
        return;
    }
    websocket_set_message_max(s->ws, STRANGER_MESSAGE_MAX);
    websocket_await_admission(s->ws);
    struct lmws_transport outlet = { .send = socket_send,
                                     .hang_up = socket_hang_up,
                                     .on_admitted = socket_on_admitted,
                                     .held = socket_held,
                                     .go_on = socket_go_on,
                                     .ctx = s,
                                     .peer = s->peer };
    s->session = lmws_session_new(ns, ws_host_face(r->ws_host), outlet);
}
