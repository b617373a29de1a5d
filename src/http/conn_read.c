/* SPDX-License-Identifier: MIT */
/* conn_read.c - what a client sends, and when: reads requests, has them admitted, runs their
 * handlers, keeps the bytes behind them, and closes connections that are too slow. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/internal.h"

enum { NO_TLS_MAX = 4096 };

/* ---- bytes in ---- */

/* Keep bytes of the next requests, or of the protocol that the handler has just switched to.
 * Past the limit, reading pauses. */
static void conn_keep(struct conn *c, const char *bytes, size_t len) {
    bool wanted = c->state == CONN_UPGRADED ||
                  (c->keep_alive && c->state != CONN_LINGER && c->state != CONN_CLOSED);
    if (!wanted || len == 0) return;
    bool kept = buf_add(&c->pending, bytes, len);
    assert(kept); /* there is room for one read past the limit; then reading is paused */
    if (c->pending.len >= c->server->limits->pipelined) stream_pause_reading(&c->stream);
    if (c->state == CONN_UPGRADED) conn_arm(c, 0);
}

/* Count the body's bytes; false if all clients together hold too many. */
static bool conn_count_body(struct conn *c) {
    const struct request *r = &c->x->request;
    size_t held = r->body.len;
    size_t whole = r->content_length > held ? (size_t)r->content_length : held;
    c->server->budget->held += held - c->x->body_held;
    c->x->body_held = held;
    return held == 0 || exchange_find_room(c->x, whole, 0);
}

/* The body goes on. Its timer stays: it looks for the deadline when it fires. */
static void conn_earn(struct conn *c) {
    const struct http_limits *limits = c->server->limits;
    uint64_t earned = (uint64_t)c->x->request.body_received * 1000 / limits->body_rate;
    uint64_t latest = conn_now(c) + (uint64_t)limits->body;
    c->body_deadline += earned - c->body_earned;
    if (c->body_deadline > latest) c->body_deadline = latest;
    c->body_earned = earned;
}

static void run_handler(struct exchange *x) {
    x->state = EXCHANGE_OPEN;
    x->conn->server->active++;
    x->route->handler(x->conn->server->options.ctx, x);
}

static void conn_take_step(struct conn *c, enum request_step step) {
    struct exchange *x = c->x;
    if (step != REQUEST_BAD && !conn_count_body(c)) {
        exchange_refuse_busy(x);
        return;
    }
    switch (step) {
    case REQUEST_MORE:
        if (c->state == CONN_BODY) conn_earn(c);
        break;
    case REQUEST_HEAD:
        if (exchange_admit(x)) conn_enter(c, CONN_BODY);
        break;
    case REQUEST_DONE:
        conn_enter(c, CONN_RUNNING);
        run_handler(x);
        break;
    case REQUEST_BAD:
        exchange_refuse(x, x->request.status, &x->request.err);
        break;
    }
}

/* Empty lines before a request are ignored (RFC 9112, 2.2). */
static size_t count_empty(const char *bytes, size_t len) {
    size_t n = 0;
    while (n < len && (bytes[n] == '\r' || bytes[n] == '\n')) n++;
    return n;
}

static void conn_feed(struct conn *c, const char *bytes, size_t len) {
    bool more = len > 0;
    while (more) {
        size_t used = c->state == CONN_IDLE ? count_empty(bytes, len) : 0;
        bytes += used;
        len -= used;
        if (c->state == CONN_IDLE && len > 0) {
            conn_begin_exchange(c);
            conn_enter(c, CONN_HEAD);
        }
        if (c->state != CONN_HEAD && c->state != CONN_BODY) {
            conn_keep(c, bytes, len);
            return;
        }
        enum request_step step = request_feed(&c->x->request, bytes, len, &used);
        bytes += used;
        len -= used;
        conn_take_step(c, step);
        /* A request without a body is complete only after one more call. */
        more = len > 0 || (step == REQUEST_HEAD && c->state == CONN_BODY);
    }
}

static void conn_feed_pending(struct conn *c) {
    size_t len = c->pending.len;
    char *bytes = buf_take(&c->pending);
    if (c->state == CONN_UPGRADED) {
        c->upgraded.events->on_read(c->upgraded.ctx, bytes, len);
    } else {
        conn_feed(c, bytes, len);
    }
    free(bytes);
    if (c->state == CONN_CLOSED) return;
    if (c->state == CONN_UPGRADED) conn_watch_stall(c);
    bool room = c->pending.len < c->server->limits->pipelined && !c->upgraded.paused;
    if (room && !stream_resume_reading(&c->stream)) conn_close(c);
}

static void conn_on_read(void *ctx, const char *bytes, size_t len) {
    struct conn *c = ctx;
    switch (c->state) {
    case CONN_IDLE:
    case CONN_HEAD:
    case CONN_BODY:
        if (c->pending.len > 0)
            conn_keep(c, bytes, len);
        else
            conn_feed(c, bytes, len);
        break;
    case CONN_RUNNING:
    case CONN_FLUSHING:
        conn_keep(c, bytes, len);
        break;
    case CONN_UPGRADED:
        if (c->pending.len > 0) conn_feed_pending(c);
        if (c->state == CONN_UPGRADED) {
            c->upgraded.events->on_read(c->upgraded.ctx, bytes, len);
        }
        break;
    case CONN_LINGER:
    case CONN_CLOSED:
        break;
    }
}

/* ---- deadlines ---- */

static void conn_check_body(struct conn *c) {
    if (c->body_deadline > conn_now(c)) {
        conn_arm(c, c->body_deadline - conn_now(c));
    } else {
        exchange_refuse_late(c->x);
    }
}

static void conn_check_stall(struct conn *c) {
    uint64_t stall = (uint64_t)c->server->limits->write_stall;
    uint64_t sent = stream_sent(&c->stream);
    if (stream_is_flushed(&c->stream)) c->sent_at = conn_now(c);
    if (stream_is_flushed(&c->stream)) return;
    if (sent == c->sent_seen && conn_now(c) - c->sent_at >= stall) {
        conn_reset(c);
        return;
    }
    if (sent != c->sent_seen) c->sent_at = conn_now(c);
    c->sent_seen = sent;
    conn_arm(c, stall / 4 + 1);
}

/* The client's last byte came while its request runs. Has it left, or does it wait for the
 * answer (as nc -N does)? That looks the same until bytes are sent: a client that has left
 * answers them with a reset. A tunnel (ssh -L) ends by the first ones and resets the next. */
static void conn_check_finished(struct conn *c) {
    static const uint64_t after[] = { 10, 100, 1000 };
    const int last = sizeof after / sizeof after[0] - 1;
    bool probed = true;
    if (c->checks == 0 || c->checks == last + 1) probed = exchange_probe(c->x);
    if (c->state == CONN_CLOSED) return;
    if (!probed || stream_is_reset(&c->stream)) {
        conn_close(c);
        return;
    }
    conn_check_stall(c);
    if (c->state == CONN_CLOSED) return;
    conn_arm(c, after[c->checks < last ? c->checks : last]);
    if (c->checks <= last + 1) c->checks++;
}

/* The client has sent its last byte or is gone. If it has a request, it may wait for the
 * answer; otherwise, and by the end of TLS, it has left. */
static void conn_on_end(void *ctx, int status) {
    struct conn *c = ctx;
    bool finished = status == UV_EOF && (c->state == CONN_RUNNING || c->state == CONN_FLUSHING);
    if (finished && !c->x) {
        c->client_finished = true;
    } else if (finished && c->state == CONN_RUNNING && !c->stream.tls) {
        c->client_finished = true;
        c->checks = 0;
        conn_check_finished(c);
    } else {
        conn_close(c);
    }
}

static void tell_gone(struct exchange *x) {
    void (*fn)(void *) = x->on_gone;
    x->telling = true;
    x->on_gone = NULL;
    if (fn) fn(x->gone_ctx);
}

static void conn_on_deadline(struct conn *c) {
    switch (c->state) {
    case CONN_IDLE:
    case CONN_UPGRADED:
        if (c->pending.len > 0)
            conn_feed_pending(c);
        else if (c->state == CONN_IDLE)
            conn_close(c);
        else
            conn_check_stall(c);
        break;
    case CONN_HEAD:
        exchange_refuse_late(c->x);
        break;
    case CONN_BODY:
        conn_check_body(c);
        break;
    case CONN_RUNNING:
        if (c->client_finished)
            conn_check_finished(c);
        else
            conn_check_stall(c);
        break;
    case CONN_FLUSHING:
        conn_check_stall(c);
        break;
    case CONN_LINGER:
        conn_close(c);
        break;
    case CONN_CLOSED:
        tell_gone(c->x);
        conn_release_exchange(c);
        break;
    }
}

static void conn_on_timer(uv_timer_t *timer) {
    conn_on_deadline(timer->data);
}

/* ---- the beginning ---- */

static void conn_on_stream_progress(void *ctx) {
    conn_on_progress(ctx);
}

static void conn_on_stream_closed(void *ctx) {
    conn_on_handle_gone(ctx);
}

static void conn_on_stream_ready(void *ctx) {
    struct conn *c = ctx;
    if (c->state == CONN_IDLE) conn_arm(c, (uint64_t)c->server->limits->keep_alive);
}

/* In plain text, which this client understands. */
static bool answer_no_tls(struct conn *c) {
    const struct http_options *options = &c->server->options;
    struct buf body = BUF_INIT(NO_TLS_MAX), text = BUF_INIT(NO_TLS_MAX), none = BUF_INIT(1);
    struct error err;
    (void)error_set(&err, ERR_NO_TLS,
                    "This port speaks TLS; use https:// (wss://) in the address.");
    options->format_error(options->ctx, "/", &err, &body);
    struct response_head head = { .status = error_status(err.code),
                                  .content_type = "application/json",
                                  .framing = RESPONSE_LENGTH,
                                  .length = body.len,
                                  .unix_seconds = clock_unix() / 1000,
                                  .extra = &none };
    response_format_head(&head, &text);
    buf_add(&text, body.data, body.len);
    uv_buf_t buf = { .base = text.data, .len = text.len };
    bool ok = stream_write(&c->stream, &buf, 1);
    buf_clear(&body);
    buf_clear(&text);
    return ok;
}

/* The client has time to read why. */
static void conn_on_stream_refused(void *ctx, const char *why) {
    struct conn *c = ctx;
    const struct http_options *options = &c->server->options;
    char peer[HTTP_PEER_SIZE];
    conn_peer(c, peer);
    if (why && options->on_no_tls) options->on_no_tls(options->connections_ctx, peer, why);
    bool told = why || answer_no_tls(c);
    if (told && stream_is_flushed(&c->stream) && stream_shutdown(&c->stream))
        conn_arm(c, (uint64_t)c->server->limits->linger);
    else
        conn_close(c);
}

static const struct stream_events stream_events = {
    .on_read = conn_on_read,
    .on_end = conn_on_end,
    .on_progress = conn_on_stream_progress,
    .on_closed = conn_on_stream_closed,
    .on_ready = conn_on_stream_ready,
    .on_refused = conn_on_stream_refused,
};

static struct conn *longest_idle(const struct http_server *server) {
    struct conn *found = NULL;
    for (struct conn *c = server->conns; c; c = c->next) {
        if (c->state != CONN_IDLE || c->pending.len > 0) continue;
        if (!found || uv_timer_get_due_in(&c->timer) < uv_timer_get_due_in(&found->timer)) {
            found = c;
        }
    }
    return found;
}

/* False: every connection is busy. */
static bool make_room(struct http_server *server) {
    size_t most = server->limits->connections;
    if (most == 0 || server->conn_count < most) return true;
    if (!server->told_full && server->options.on_warning) {
        server->options.on_warning(server->options.ctx,
                                   "As many connections are open as the limit of descriptors "
                                   "allows (ulimit -n); for new ones, idle ones are closed.");
    }
    server->told_full = true;
    struct conn *idle = longest_idle(server);
    if (idle) conn_close(idle);
    return idle != NULL;
}

void conn_accept(struct http_port *port, int fd) {
    struct http_server *server = port->server;
    if (!make_room(server)) {
        close(fd);
        return;
    }
    struct conn *c = conn_new(port, conn_on_timer);
    if (!stream_open(&c->stream, server->loop, fd, &server->shared, &stream_events, c)) {
        conn_close(c);
        return;
    }
    bool secure = server->tls && !port->plain;
    if (secure) stream_secure(&c->stream, tls_session_new(server->tls));
    conn_arm(c, (uint64_t)(secure ? server->limits->handshake : server->limits->keep_alive));
}
