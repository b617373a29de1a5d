/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "http/internal.h"

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

static void on_timer(uv_timer_t *timer);

static void conn_arm(struct conn *c, uint64_t ms) {
    (void)uv_timer_start(&c->timer, on_timer, ms, 0);
}

static uint64_t conn_now(const struct conn *c) {
    return uv_now(c->server->loop);
}

/* Look a few times per stall deadline whether the client took anything. */
static void conn_watch_stall(struct conn *c) {
    if (stream_is_flushed(&c->stream) || uv_is_active((uv_handle_t *)&c->timer)) return;
    c->sent_seen = stream_sent(&c->stream);
    c->sent_at = conn_now(c);
    conn_arm(c, (uint64_t)c->server->limits->write_stall / 4 + 1);
}

/* The only place that assigns c->state; the deadline of the state begins here. */
static void conn_enter(struct conn *c, enum conn_state state) {
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
        c->body_begin = conn_now(c);
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

/* ---- the end of a connection ---- */

static void conn_on_handle_gone(struct conn *c) {
    struct http_server *server = c->server;
    if (--c->open_handles > 0) return;
    if (c->prev) c->prev->next = c->next;
    if (c->next) c->next->prev = c->prev;
    if (server->conns == c) server->conns = c->next;
    if (c->upgraded.events) c->upgraded.events->on_closed(c->upgraded.ctx);
    buf_clear(&c->pending);
    free(c);
    server_on_part_closed(server);
}

static void on_timer_closed(uv_handle_t *handle) {
    conn_on_handle_gone(handle->data);
}

static void conn_release_exchange(struct conn *c) {
    exchange_free(c->x);
    c->x = NULL;
    c->paused = false;
    if (c->state == CONN_CLOSED) uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

/* Entered CLOSED: the timer stays as long as the exchange does. */
static void conn_settle(struct conn *c) {
    if (!c->x) {
        uv_close((uv_handle_t *)&c->timer, on_timer_closed);
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

void conn_send_whole(struct conn *c, const uv_buf_t *bufs, unsigned count) {
    bool open = c->state == CONN_HEAD || c->state == CONN_BODY || c->state == CONN_RUNNING ||
                c->state == CONN_UPGRADED;
    if (!open) return;
    if (!stream_write(&c->stream, bufs, count)) {
        conn_close(c);
    } else if (c->server->shared.queued > c->server->limits->queues_total) {
        conn_reset(c);
    } else {
        conn_watch_stall(c);
    }
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

/* The last answer is sent: let the client read it before the socket goes. Closing with bytes
 * unread would reset the connection and eat the answer. */
static void conn_linger(struct conn *c) {
    buf_clear(&c->pending);
    if (!stream_shutdown(&c->stream) || !stream_resume_reading(&c->stream)) {
        conn_close(c);
        return;
    }
    conn_enter(c, CONN_LINGER);
}

static void conn_on_flushed(struct conn *c) {
    if (c->client_finished) {
        conn_close(c);
    } else if (!c->keep_alive || c->server->draining) {
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

static void conn_on_progress(void *ctx) {
    struct conn *c = ctx;
    if (stream_unsent(&c->stream) <= c->server->limits->queue_pause / 2) {
        conn_set_paused(c, false);
    }
    if (!stream_is_flushed(&c->stream)) return;
    if (c->state == CONN_FLUSHING) conn_on_flushed(c);
    bool waiting = c->state == CONN_RUNNING || (c->state == CONN_UPGRADED && !c->pending.len);
    if (waiting) (void)uv_timer_stop(&c->timer);
}

/* ---- bytes in ---- */

/* Keep what belongs to the next requests, or to the protocol that the handler has just changed
 * to. Past the limit the client has to wait. */
static void conn_keep(struct conn *c, const char *bytes, size_t len) {
    bool wanted = c->state == CONN_UPGRADED ||
                  (c->keep_alive && c->state != CONN_LINGER && c->state != CONN_CLOSED);
    if (!wanted || len == 0) return;
    bool kept = buf_add(&c->pending, bytes, len);
    assert(kept); /* there is room for one read past the limit, and then none comes */
    if (c->pending.len >= c->server->limits->pipelined) stream_pause_reading(&c->stream);
    if (c->state == CONN_UPGRADED) conn_arm(c, 0);
}

/* Count what is held of the body; false if it is too much for all clients together. */
static bool conn_count_body(struct conn *c) {
    size_t held = c->x->request.body.len;
    c->server->bodies += held - c->x->body_held;
    c->x->body_held = held;
    return c->server->bodies <= c->server->limits->bodies_total;
}

static void conn_take_step(struct conn *c, enum request_step step) {
    struct exchange *x = c->x;
    if (step != REQUEST_BAD && !conn_count_body(c)) {
        exchange_refuse_busy(x);
        return;
    }
    switch (step) {
    case REQUEST_MORE:
        break;
    case REQUEST_HEAD:
        if (exchange_admit(x)) conn_enter(c, CONN_BODY);
        break;
    case REQUEST_DONE:
        conn_enter(c, CONN_RUNNING);
        exchange_run(x);
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
            c->x = exchange_new(c);
            c->keep_alive = true;
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
        /* A request without a body is complete only when fed once more. */
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
    bool room = c->pending.len < c->server->limits->pipelined;
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

/* The client has sent its last byte or is gone. With a complete answer on its way it may be
 * waiting for that; otherwise it has lost interest. */
static void conn_on_end(void *ctx, int status) {
    struct conn *c = ctx;
    if (c->state == CONN_FLUSHING && status == UV_EOF && !c->x) {
        c->client_finished = true;
    } else {
        conn_close(c);
    }
}

/* ---- deadlines ---- */

static void conn_check_body(struct conn *c) {
    const struct http_limits *limits = c->server->limits;
    uint64_t earned = (uint64_t)c->x->request.body_received * 1000 / limits->body_rate;
    uint64_t deadline = c->body_begin + (uint64_t)limits->body + earned;
    if (deadline > conn_now(c)) {
        conn_arm(c, deadline - conn_now(c));
    } else {
        exchange_refuse_late(c->x);
    }
}

static void conn_check_stall(struct conn *c) {
    uint64_t stall = (uint64_t)c->server->limits->write_stall;
    uint64_t sent = stream_sent(&c->stream);
    if (stream_is_flushed(&c->stream)) return;
    if (sent == c->sent_seen && conn_now(c) - c->sent_at >= stall) {
        conn_reset(c);
        return;
    }
    if (sent != c->sent_seen) c->sent_at = conn_now(c);
    c->sent_seen = sent;
    conn_arm(c, stall / 4 + 1);
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
    case CONN_FLUSHING:
        conn_check_stall(c);
        break;
    case CONN_LINGER:
        conn_close(c);
        break;
    case CONN_CLOSED:
        exchange_tell_gone(c->x);
        conn_release_exchange(c);
        break;
    }
}

static void on_timer(uv_timer_t *timer) {
    conn_on_deadline(timer->data);
}

/* ---- the beginning ---- */

static void conn_on_closed(void *ctx) {
    conn_on_handle_gone(ctx);
}

static const struct stream_events stream_events = {
    .on_read = conn_on_read,
    .on_end = conn_on_end,
    .on_progress = conn_on_progress,
    .on_closed = conn_on_closed,
};

void conn_accept(struct http_server *server, int fd) {
    struct conn *c = xcalloc(1, sizeof *c);
    c->server = server;
    c->keep_alive = true;
    c->open_handles = 2;
    buf_init(&c->pending, server->limits->pipelined + STREAM_READ_SIZE);
    (void)uv_timer_init(server->loop, &c->timer);
    c->timer.data = c;
    c->next = server->conns;
    if (c->next) c->next->prev = c;
    server->conns = c;
    if (!stream_open(&c->stream, server->loop, fd, &server->shared, &stream_events, c)) {
        conn_close(c);
        return;
    }
    conn_arm(c, (uint64_t)server->limits->keep_alive);
}
