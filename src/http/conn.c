/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "http/internal.h"

/* Bytes of headers added to an answer; some echo a client's. */
enum { HEADERS_MAX = 256 * 1024 };

/* The diagram in internal.h as data: which moves are legal. */
static const bool edge[CONN_STATE_COUNT][CONN_STATE_COUNT] = {
    [CONN_IDLE] = { [CONN_HEAD] = true, [CONN_CLOSED] = true },
    [CONN_HEAD] = { [CONN_BODY] = true, [CONN_FLUSHING] = true, [CONN_CLOSED] = true },
    [CONN_BODY] = { [CONN_RUNNING] = true, [CONN_FLUSHING] = true, [CONN_CLOSED] = true },
    [CONN_RUNNING] = { [CONN_FLUSHING] = true, [CONN_UPGRADED] = true, [CONN_CLOSED] = true },
    [CONN_FLUSHING] = { [CONN_IDLE] = true, [CONN_LINGER] = true, [CONN_CLOSED] = true },
    [CONN_LINGER] = { [CONN_CLOSED] = true },
    [CONN_UPGRADED] = { [CONN_FLUSHING] = true, [CONN_CLOSED] = true },
};

void conn_arm(struct conn *c, uint64_t ms) {
    (void)uv_timer_start(&c->timer, c->on_deadline, ms, 0);
}

uint64_t conn_now(const struct conn *c) {
    return uv_now(c->server->loop);
}

/* Check a few times per stall deadline whether the client took bytes. */
void conn_watch_stall(struct conn *c) {
    if (stream_is_flushed(&c->stream) || uv_is_active((uv_handle_t *)&c->timer)) return;
    c->sent_seen = stream_sent(&c->stream);
    c->sent_at = conn_now(c);
    conn_arm(c, (uint64_t)c->server->limits->write_stall / 4 + 1);
}

void conn_enter(struct conn *c, enum conn_state state) {
    const struct http_limits *limits = c->server->limits;
    assert(edge[c->state][state]);
    c->state = state;
    (void)uv_timer_stop(&c->timer);
    switch (state) {
    case CONN_IDLE:
        conn_arm(c, c->pending.len > 0 ? 0 : (uint64_t)limits->keep_alive);
        break;
    case CONN_HEAD:
        conn_arm(c, (uint64_t)limits->headers);
        break;
    case CONN_BODY:
        c->body_earned = 0;
        c->body_deadline = conn_now(c) + (uint64_t)limits->body;
        conn_arm(c, (uint64_t)limits->body);
        break;
    case CONN_RUNNING:
    case CONN_FLUSHING:
        conn_watch_stall(c);
        break;
    case CONN_LINGER:
        conn_arm(c, (uint64_t)limits->linger);
        break;
    case CONN_UPGRADED:
        if (c->pending.len > 0) conn_arm(c, 0);
        conn_watch_stall(c);
        break;
    case CONN_CLOSED:
        break;
    }
}

/* ---- the beginning and the end ---- */

struct conn *conn_new(struct http_port *port, uv_timer_cb on_deadline) {
    struct http_server *server = port->server;
    struct conn *c = xcalloc(1, sizeof *c);
    c->server = server;
    c->port = port;
    port->users++;
    c->keep_alive = true;
    c->on_deadline = on_deadline;
    c->open_handles = 2;
    buf_init(&c->pending, server->limits->pipelined + STREAM_LATE_MAX);
    (void)uv_timer_init(server->loop, &c->timer);
    c->timer.data = c;
    c->next = server->conns;
    if (c->next) c->next->prev = c;
    server->conns = c;
    server_count_connection(server, 1);
    return c;
}

void conn_peer(const struct conn *c, char text[HTTP_PEER_SIZE]) {
    struct sockaddr_storage address;
    int len = sizeof address;
    int status = uv_tcp_getpeername(&c->stream.tcp, (struct sockaddr *)&address, &len);
    if (status == 0 && address.ss_family == AF_INET6)
        status = uv_ip6_name((struct sockaddr_in6 *)&address, text, HTTP_PEER_SIZE);
    else if (status == 0)
        status = uv_ip4_name((struct sockaddr_in *)&address, text, HTTP_PEER_SIZE);
    if (status != 0) snprintf(text, HTTP_PEER_SIZE, "unknown");
}

void conn_begin_exchange(struct conn *c) {
    c->x = xcalloc(1, sizeof *c->x);
    c->x->conn = c;
    http_request_init(&c->x->request, c->server->limits);
    buf_init(&c->x->headers, HEADERS_MAX);
    c->keep_alive = true;
}

void conn_on_handle_gone(struct conn *c) {
    struct http_port *port = c->port;
    if (--c->open_handles > 0) return;
    server_count_connection(c->server, -1);
    if (c->prev) c->prev->next = c->next;
    if (c->next) c->next->prev = c->prev;
    if (c->server->conns == c) c->server->conns = c->next;
    if (c->upgraded.events) c->upgraded.events->on_closed(c->upgraded.ctx);
    buf_clear(&c->pending);
    free(c);
    port_release(port);
}

static void conn_on_timer_closed(uv_handle_t *handle) {
    conn_on_handle_gone(handle->data);
}

void conn_release_exchange(struct conn *c) {
    struct exchange *x = c->x;
    if (x->state != EXCHANGE_READING) c->server->active--;
    c->server->budget->held -= x->body_held;
    http_request_clear(&x->request);
    buf_clear(&x->headers);
    free(x);
    c->x = NULL;
    c->paused = false;
    if (c->state == CONN_CLOSED) uv_close((uv_handle_t *)&c->timer, conn_on_timer_closed);
}

/* After entering CLOSED: the timer stays open as long as the exchange exists. */
static void conn_settle(struct conn *c) {
    if (!c->x) {
        uv_close((uv_handle_t *)&c->timer, conn_on_timer_closed);
    } else if (c->x->state == EXCHANGE_READING) {
        conn_release_exchange(c);
    } else {
        conn_schedule_gone(c);
    }
}

void conn_schedule_gone(struct conn *c) {
    if (c->state == CONN_CLOSED && c->x->on_gone) conn_arm(c, 0);
}

void conn_close(struct conn *c) {
    if (c->state == CONN_CLOSED) return;
    conn_enter(c, CONN_CLOSED);
    stream_close(&c->stream);
    conn_settle(c);
}

void conn_reset(struct conn *c) {
    if (c->state == CONN_CLOSED) return;
    conn_enter(c, CONN_CLOSED);
    stream_reset(&c->stream);
    conn_settle(c);
}

/* ---- bytes out ---- */

static void conn_set_paused(struct conn *c, bool paused) {
    if (c->paused == paused) return;
    c->paused = paused;
    if (c->upgraded.events) {
        if (c->upgraded.events->on_pressure) {
            c->upgraded.events->on_pressure(c->upgraded.ctx, paused);
        }
    } else if (c->x && c->x->on_pressure) {
        c->x->on_pressure(c->x->pressure_ctx, paused);
    }
}

static bool conn_is_open(const struct conn *c) {
    return c->state == CONN_HEAD || c->state == CONN_BODY || c->state == CONN_RUNNING ||
           c->state == CONN_UPGRADED;
}

/* Bytes were queued, unless the stream is broken. */
static void conn_check_queue(struct conn *c, bool ok) {
    if (!ok) {
        conn_close(c);
    } else if (c->server->shared.queued > c->server->limits->queues_total) {
        conn_reset(c);
    } else {
        conn_watch_stall(c);
    }
}

void conn_send_whole(struct conn *c, const uv_buf_t *bufs, unsigned count) {
    if (conn_is_open(c)) conn_check_queue(c, stream_write(&c->stream, bufs, count));
}

void conn_give_whole(struct conn *c, const uv_buf_t *head, struct buf *body) {
    conn_send_whole(c, head, 1);
    if (conn_is_open(c))
        conn_check_queue(c, stream_give(&c->stream, body));
    else
        buf_clear(body);
}

void conn_send(struct conn *c, const uv_buf_t *bufs, unsigned count) {
    conn_send_whole(c, bufs, count);
    if (c->state == CONN_CLOSED) return;
    size_t unsent = stream_unsent(&c->stream);
    if (unsent > c->server->limits->queue_max) {
        conn_reset(c);
    } else if (unsent > c->server->limits->queue_pause) {
        conn_set_paused(c, true);
    }
}

/* The last answer is sent: let the client read it before the socket is closed. Closing with
 * unread bytes would reset the connection and lose the answer. */
static void conn_linger(struct conn *c) {
    buf_clear(&c->pending);
    if (!stream_shutdown(&c->stream) || !stream_resume_reading(&c->stream)) {
        conn_close(c);
        return;
    }
    conn_enter(c, CONN_LINGER);
}

static void conn_on_flushed(struct conn *c) {
    if (c->client_finished && c->pending.len == 0) {
        conn_close(c);
    } else if (!c->keep_alive || c->port->closed) {
        conn_linger(c);
    } else {
        conn_enter(c, CONN_IDLE);
    }
}

static void conn_flush(struct conn *c) {
    conn_enter(c, CONN_FLUSHING);
    if (stream_is_flushed(&c->stream)) conn_on_flushed(c);
}

static bool conn_is_answering(const struct conn *c) {
    return c->state == CONN_HEAD || c->state == CONN_BODY || c->state == CONN_RUNNING;
}

void conn_finish_answer(struct conn *c) {
    conn_release_exchange(c);
    if (conn_is_answering(c)) conn_flush(c);
}

void conn_finish_stream(struct conn *c) {
    c->keep_alive = false;
    if (conn_is_answering(c) || c->state == CONN_UPGRADED) conn_flush(c);
}

struct http_stream *conn_upgrade(struct conn *c, const struct http_stream_events *events,
                                 void *ctx) {
    c->upgraded = (struct http_stream){ .conn = c, .events = events, .ctx = ctx };
    c->keep_alive = false;
    conn_release_exchange(c);
    if (c->state == CONN_RUNNING) conn_enter(c, CONN_UPGRADED);
    return &c->upgraded;
}

void conn_on_progress(struct conn *c) {
    if (stream_unsent(&c->stream) <= c->server->limits->queue_pause / 2) {
        conn_set_paused(c, false);
    }
    if (!stream_is_flushed(&c->stream)) return;
    if (c->state == CONN_FLUSHING) conn_on_flushed(c);
    bool running = c->state == CONN_RUNNING && !c->client_finished;
    bool waiting = running || (c->state == CONN_UPGRADED && !c->pending.len);
    if (waiting) (void)uv_timer_stop(&c->timer);
}
