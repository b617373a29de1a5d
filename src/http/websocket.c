/* SPDX-License-Identifier: MIT */
#include "http/websocket.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wslay/wslay.h>

#include "base/xalloc.h"
#include "http/internal.h"

enum {
    WRITE_CHUNK = 64 << 10,
    MISSED_PINGS = 2,
    STRANGE_PINGS = 2,
    STUFFED_COUNT = 256, /* messages unsent: no more is read, as past WEBSOCKET_QUEUE_PAUSE */
    QUEUE_COUNT_MAX = 16384,
    LATER_MAX = 64 << 10,
    REST_MAX = STREAM_READ_SIZE +
               STREAM_LATE_MAX, /* the read that ended a message, and after */
};

struct websocket {
    wslay_event_context_ptr wslay;
    struct http_stream *stream; /* NULL: closed, on_closed follows or was called */
    const struct websocket_events *events;
    void *ctx;
    uv_timer_t timer;
    struct http_server *server;
    struct buf message; /* of the one that is being received */
    size_t held;        /* its bytes counted in server->budget */
    size_t seen;        /* held at the ping before */
    int strange_pings;  /* since websocket_await_admission; negative: admitted */
    const char *in;     /* bytes read, not yet taken by wslay */
    size_t in_len;
    struct buf out;         /* bytes of frames, until the end of pump */
    struct buf *current;    /* inside on_message: what holds its bytes */
    struct http_port *kept; /* a message was kept: the server stays until it is done with */
    size_t kept_len;        /* its bytes counted in server->budget */
    struct buf later; /* messages that wslay had read already: a size_t and the text each */
    struct buf rest;  /* bytes that came after them, or while it was stuffed */
    bool waits;       /* reading waits until the peer has taken what is queued */
    size_t queued;    /* bytes counted in server->shared.queued */
    bool gone;        /* meanwhile the connection was closed */
    int missed;       /* pings since the peer sent or took bytes */
    bool control;     /* the frame being received is a control frame */
    bool reading;     /* inside wslay_event_recv: what is queued goes out afterwards */
    bool full;        /* the connection's queue is full */
    bool paused;      /* events->on_pressure(true) was called */
    bool closing;     /* our close frame is queued */
    bool ending;      /* a close frame follows when the timer fires */
    unsigned status;
    const char *reason;
};

/* ---- the handshake ---- */

/* Is the word one of a comma-separated list (RFC 9110, 5.6.1)? */
static bool list_has(const char *list, const char *word) {
    size_t len = strlen(word);
    while (list && *list) {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, " \t,");
        if (item == len && strncasecmp(list, word, len) == 0) return true;
        list += item;
    }
    return false;
}

static void refuse(struct exchange *x, int status, const char *sentence) {
    struct error err;
    (void)error_set(&err, ERR_INVALID_REQUEST, "%s", sentence);
    exchange_add_header(x, "Upgrade", "websocket");
    exchange_add_header(x, "Sec-WebSocket-Version", "13");
    exchange_refuse(x, status, &err);
}

static bool shake_hands(struct exchange *x) {
    char accept[WEBSOCKET_ACCEPT_SIZE];
    const char *key = exchange_header(x, "Sec-WebSocket-Key");
    const char *version = exchange_header(x, "Sec-WebSocket-Version");
    bool asked = list_has(exchange_header(x, "Upgrade"), "websocket") &&
                 list_has(exchange_header(x, "Connection"), "upgrade");
    if (!asked || !version || strcmp(version, "13") != 0) {
        refuse(x, 426, "This address speaks WebSocket, version 13; connect with ws://.");
        return false;
    }
    if (!key || !websocket_accept_key(key, accept)) {
        refuse(x, 400, "Sec-WebSocket-Key must be the base64 of 16 bytes.");
        return false;
    }
    exchange_add_header(x, "Sec-WebSocket-Accept", accept);
    return true;
}

/* ---- bytes out ---- */

static void give_up(struct websocket *ws) {
    struct http_stream *stream = ws->stream;
    ws->stream = NULL;
    if (stream) http_stream_close(stream);
}

static void set_paused(struct websocket *ws, bool paused) {
    if (ws->paused == paused) return;
    ws->paused = paused;
    ws->events->on_pressure(ws->ctx, paused);
}

/* One write for many frames: pongs are as short as the pings that ask for them. */
static void flush(struct websocket *ws) {
    if (ws->out.len > 0 && ws->stream)
        http_stream_write(ws->stream, buf_str(&ws->out), ws->out.len);
    buf_clear(&ws->out);
}

/* Takes less than all only if the connection is full: then on_pressure follows, and only that
 * makes wslay ask again. In chunks: the connection's queue must stay below its maximum. */
static ssize_t on_wslay_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t len,
                             int flags, void *ctx) {
    struct websocket *ws = ctx;
    bool small = len < WRITE_CHUNK;
    size_t taken = 0;
    (void)flags;
    if (!ws->full && small && buf_add(&ws->out, bytes, len)) return (ssize_t)len;
    flush(ws);
    if (ws->full || !ws->stream) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    while (taken < len && !ws->full) {
        size_t left = len - taken, part = left < WRITE_CHUNK ? left : WRITE_CHUNK;
        http_stream_write(ws->stream, bytes + taken, part);
        taken += part;
    }
    return (ssize_t)taken;
}

static void count_queue(struct websocket *ws, size_t queued) {
    ws->server->shared.queued += queued - ws->queued;
    ws->queued = queued;
}

static bool overflows(const struct websocket *ws) {
    return ws->queued > WEBSOCKET_QUEUE_MAX ||
           wslay_event_get_queued_msg_count(ws->wslay) > QUEUE_COUNT_MAX ||
           ws->server->shared.queued > ws->server->limits->queues_total;
}

/* By the count, too: pongs are queued by wslay as fast as pings come, and have no length. */
static bool is_stuffed(const struct websocket *ws) {
    return wslay_event_get_queued_msg_length(ws->wslay) > WEBSOCKET_QUEUE_PAUSE ||
           wslay_event_get_queued_msg_count(ws->wslay) > STUFFED_COUNT;
}

/* Pass queued frames to the connection, then check how much is left and whether the closing
 * handshake is complete. */
static void pump(struct websocket *ws) {
    if (ws->reading || !ws->stream) return;
    bool ok = wslay_event_send(ws->wslay) == 0;
    flush(ws);
    size_t queued = wslay_event_get_queued_msg_length(ws->wslay);
    count_queue(ws, queued);
    bool over = !wslay_event_want_read(ws->wslay) && !wslay_event_want_write(ws->wslay);
    if (!ok || over || overflows(ws)) {
        give_up(ws);
    } else if (queued > WEBSOCKET_QUEUE_PAUSE) {
        set_paused(ws, true);
    }
}

static void queue(struct websocket *ws, uint8_t opcode, const char *bytes, size_t len) {
    struct wslay_event_msg message = { opcode, (const uint8_t *)bytes, len };
    if (!ws->stream || ws->closing) return;
    (void)wslay_event_queue_msg(ws->wslay, &message); /* fails only after a close was queued */
    pump(ws);
}

void websocket_send(struct websocket *ws, const char *text, size_t len) {
    queue(ws, WSLAY_TEXT_FRAME, text, len);
}

static void websocket_on_timer(uv_timer_t *timer);

void websocket_close(struct websocket *ws, unsigned status, const char *reason) {
    if (!ws->stream || ws->closing) return;
    ws->closing = true;
    (void)wslay_event_queue_close(ws->wslay, (uint16_t)status, (const uint8_t *)reason,
                                  strlen(reason));
    (void)uv_timer_start(&ws->timer, websocket_on_timer, WEBSOCKET_FAREWELL_MS, 0);
    pump(ws);
}

void websocket_end(struct websocket *ws, unsigned status, const char *reason) {
    if (!ws->stream || ws->closing || ws->ending) return;
    ws->ending = true;
    ws->status = status;
    ws->reason = reason;
    (void)uv_timer_start(&ws->timer, websocket_on_timer, WEBSOCKET_LAST_WORD_MS, 0);
}

static void take_rest(struct websocket *ws);

static void websocket_on_pressure(void *ctx, bool full) {
    struct websocket *ws = ctx;
    ws->full = full;
    if (full) return; /* from inside http_stream_write */
    ws->missed = 0;   /* the peer takes bytes; a ping may be stuck behind a long message */
    pump(ws);
    if (!ws->stream || ws->full) return;
    if (wslay_event_get_queued_msg_length(ws->wslay) < WEBSOCKET_QUEUE_PAUSE / 4) {
        set_paused(ws, false);
    }
    if (ws->waits) take_rest(ws);
}

/* ---- bytes in ---- */

static ssize_t on_wslay_recv(wslay_event_context_ptr wslay, uint8_t *bytes, size_t len,
                             int flags, void *ctx) {
    struct websocket *ws = ctx;
    (void)flags;
    if (ws->in_len == 0 || !ws->stream || ws->kept || is_stuffed(ws)) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t taken = len < ws->in_len ? len : ws->in_len;
    memcpy(bytes, ws->in, taken);
    ws->in += taken;
    ws->in_len -= taken;
    return (ssize_t)taken;
}

static void on_frame_start(wslay_event_context_ptr wslay,
                           const struct wslay_event_on_frame_recv_start_arg *frame, void *ctx) {
    struct websocket *ws = ctx;
    (void)wslay;
    ws->control = wslay_is_ctrl_frame(frame->opcode);
    if (frame->opcode == WSLAY_BINARY_FRAME) {
        websocket_close(ws, WEBSOCKET_UNSUPPORTED, "text messages only");
    }
}

static void drop_message(struct websocket *ws) {
    buf_clear(&ws->message);
    ws->server->budget->held -= ws->held;
    ws->held = ws->seen = 0;
}

/* Control frames may come between the fragments of a message; wslay keeps those itself. */
static void on_frame_chunk(wslay_event_context_ptr wslay,
                           const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *ctx) {
    struct websocket *ws = ctx;
    (void)wslay;
    if (ws->control || ws->closing) return;
    if (!buf_add(&ws->message, chunk->data, chunk->data_length)) {
        websocket_close(ws, WEBSOCKET_TOO_LONG,
                        "message too long"); /* of pieces, each short enough */
        return;
    }
    ws->server->budget->held += ws->message.len - ws->held;
    ws->held = ws->message.len;
    if (byte_budget_find_room(ws->server->budget, ws->held, 0)) return;
    drop_message(ws);
    websocket_close(ws, WEBSOCKET_BUSY, "other requests use all the memory; try again later");
}

static void deliver(struct websocket *ws, struct buf *message) {
    ws->current = message;
    ws->events->on_message(ws->ctx, buf_str(message), message->len);
    ws->current = NULL;
}

static void on_wslay_message(wslay_event_context_ptr wslay,
                             const struct wslay_event_on_msg_recv_arg *arg, void *ctx) {
    struct websocket *ws = ctx;
    size_t len = ws->message.len;
    (void)wslay;
    if (wslay_is_ctrl_frame(arg->opcode)) return;
    bool wanted = arg->opcode == WSLAY_TEXT_FRAME && !ws->closing && !ws->message.overflowed;
    if (wanted && ws->kept) {
        (void)buf_add(&ws->later, &len, sizeof len); /* there is room: wslay reads 4 KB ahead */
        (void)buf_add(&ws->later, buf_str(&ws->message), len);
    } else if (wanted) {
        deliver(ws, &ws->message);
    }
    drop_message(ws);
}

/* What is left then waits: a message is kept, or the peer does not take the answers. */
static bool keep_rest(struct websocket *ws) {
    bool kept = ws->in_len == 0 || buf_add(&ws->rest, ws->in, ws->in_len);
    if (ws->in_len > 0 && !ws->kept && ws->stream) {
        ws->waits = true;
        http_stream_pause_reading(ws->stream);
    }
    ws->in_len = 0;
    return kept;
}

static void take_bytes(struct websocket *ws, const char *bytes, size_t len) {
    bool ok;
    ws->missed = 0;
    ws->in = bytes;
    ws->in_len = len;
    do {
        ws->reading = true;
        ok = wslay_event_recv(ws->wslay) == 0;
        ws->reading = false;
        pump(ws); /* also sends wslay's close frame */
    } while (ok && ws->in_len > 0 && ws->stream && !ws->kept && !is_stuffed(ws));
    if (!keep_rest(ws) || !ok) give_up(ws);
}

static void websocket_on_read(void *ctx, const char *bytes, size_t len) {
    struct websocket *ws = ctx;
    if (!ws->stream) return;
    if (!ws->kept && !ws->waits)
        take_bytes(ws, bytes, len);
    else if (!buf_add(&ws->rest, bytes, len))
        give_up(ws);
}

void websocket_keep_message(struct websocket *ws, struct buf *ret) {
    *ret = *ws->current;
    buf_init(ws->current, ret->max);
    ws->kept_len = ws->held;
    ws->held = 0;
    ws->kept = ws->stream->conn->port;
    ws->kept->users++;
    http_stream_pause_reading(ws->stream);
}

static void finish(struct websocket *ws);

/* In the order in which they came, until another one is kept. */
static void take_later(struct websocket *ws) {
    while (ws->later.len > 0 && !ws->kept && ws->stream && !ws->closing) {
        size_t len;
        struct buf message = BUF_INIT(ws->message.max);
        memcpy(&len, ws->later.data, sizeof len);
        (void)buf_add(&message, ws->later.data + sizeof len, len);
        buf_drop(&ws->later, sizeof len + len);
        deliver(ws, &message);
        buf_clear(&message);
    }
}

static void take_rest(struct websocket *ws) {
    size_t len = ws->rest.len;
    if (!ws->stream || ws->kept || is_stuffed(ws)) return;
    char *bytes = buf_take(&ws->rest);
    ws->waits = false;
    if (len > 0) take_bytes(ws, bytes, len);
    free(bytes);
    if (ws->stream && !ws->kept && !ws->waits) http_stream_resume_reading(ws->stream);
}

size_t websocket_held(const struct websocket *ws) {
    return ws->held + ws->kept_len;
}

void websocket_go_on(struct websocket *ws) {
    struct http_port *port = ws->kept;
    ws->kept = NULL;
    ws->server->budget->held -= ws->kept_len;
    ws->kept_len = 0;
    if (ws->gone) {
        finish(ws);
    } else if (ws->stream) {
        take_later(ws);
        take_rest(ws);
    }
    port_release(port);
}

/* ---- the beginning and the end ---- */

/* A message that was incomplete at the ping before and has hardly grown since. */
static bool is_too_slow(struct websocket *ws) {
    const struct http_limits *limits = ws->server->limits;
    size_t due = limits->body_rate * (size_t)limits->ping / 1000, seen = ws->seen;
    ws->seen = ws->held;
    return !ws->kept && seen > 0 && ws->held - seen < due;
}

static void websocket_on_ping_due(struct websocket *ws) {
    if (ws->strange_pings >= 0 && ++ws->strange_pings == STRANGE_PINGS) {
        websocket_close(ws, WEBSOCKET_POLICY, "authenticate first");
    } else if (is_too_slow(ws)) {
        websocket_close(ws, WEBSOCKET_POLICY, "the message comes too slowly");
    } else {
        queue(ws, WSLAY_PING, NULL, 0);
    }
}

static void websocket_on_timer(uv_timer_t *timer) {
    struct websocket *ws = timer->data;
    bool silent = !ws->kept && ws->missed++ >= MISSED_PINGS;
    if (ws->ending && !ws->closing) {
        websocket_close(ws, ws->status, ws->reason);
    } else if (ws->closing || silent) {
        give_up(ws);
    } else {
        websocket_on_ping_due(ws);
    }
}

void websocket_await_admission(struct websocket *ws) {
    ws->strange_pings = 0;
}

void websocket_admit(struct websocket *ws) {
    ws->strange_pings = -1;
}

static void websocket_on_timer_closed(uv_handle_t *handle) {
    struct websocket *ws = handle->data;
    wslay_event_context_free(ws->wslay);
    buf_clear(&ws->message);
    buf_clear(&ws->out);
    buf_clear(&ws->later);
    buf_clear(&ws->rest);
    free(ws);
}

static void finish(struct websocket *ws) {
    drop_message(ws); /* the server may be freed before the timer is closed */
    count_queue(ws, 0);
    ws->events->on_closed(ws->ctx);
    uv_close((uv_handle_t *)&ws->timer, websocket_on_timer_closed);
}

static void websocket_on_closed(void *ctx) {
    struct websocket *ws = ctx;
    ws->stream = NULL;
    ws->gone = ws->kept != NULL;
    if (!ws->gone) finish(ws);
}

static const struct http_stream_events stream_events = {
    .on_read = websocket_on_read,
    .on_pressure = websocket_on_pressure,
    .on_closed = websocket_on_closed,
};

void websocket_set_message_max(struct websocket *ws, size_t bytes) {
    ws->message.max = bytes;
    wslay_event_config_set_max_recv_msg_length(ws->wslay, bytes);
}

struct websocket *websocket_accept(struct exchange *x, uv_loop_t *loop,
                                   const struct websocket_events *events, void *ctx) {
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_wslay_recv,
        .send_callback = on_wslay_send,
        .on_frame_recv_start_callback = on_frame_start,
        .on_frame_recv_chunk_callback = on_frame_chunk,
        .on_msg_recv_callback = on_wslay_message,
    };
    if (!shake_hands(x)) return NULL;
    uint64_t ping = (uint64_t)x->conn->server->limits->ping;
    struct websocket *ws = xcalloc(1, sizeof *ws);
    ws->events = events;
    ws->ctx = ctx;
    ws->server = x->conn->server;
    ws->strange_pings = -1;
    ws->out.max = WRITE_CHUNK;
    ws->later.max = LATER_MAX;
    ws->rest.max = REST_MAX;
    int status = wslay_event_context_server_init(&ws->wslay, &callbacks, ws);
    if (status != 0) abort(); /* out of memory, as in xalloc */
    wslay_event_config_set_no_buffering(ws->wslay, 1);
    websocket_set_message_max(ws, WEBSOCKET_MESSAGE_MAX);
    (void)uv_timer_init(loop, &ws->timer);
    ws->timer.data = ws;
    (void)uv_timer_start(&ws->timer, websocket_on_timer, ping, ping);
    ws->stream = exchange_upgrade(x, "websocket", &stream_events, ws);
    return ws;
}
