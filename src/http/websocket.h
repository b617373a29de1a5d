/* SPDX-License-Identifier: MIT */
/*
 * websocket.h - RFC 6455 on an upgraded connection: text messages in, text messages out.
 *
 * wslay does the frames: fragments, masks (a client's frame without one ends the connection),
 * UTF-8, control frames, the closing handshake. No extensions and no subprotocols are offered.
 * A peer that neither sends nor takes bytes for three ping intervals (limits.h) is closed, and
 * one whose unfinished message grows by less than body_rate between two pings. Messages count
 * with request bodies (bodies_total).
 * One thread, the loop's.
 *
 * A reader that is too slow fills the queue of its own socket: on_pressure asks the owner to
 * pause, and nothing more is read from the peer until it has taken what is queued; past the
 * queue's maximum, or that of all connections (queues_total), the socket is closed.
 */
#ifndef DOZE_HTTP_WEBSOCKET_H
#define DOZE_HTTP_WEBSOCKET_H

#include "http/server.h"

struct websocket;

enum {
    WEBSOCKET_MESSAGE_MAX = 64 << 20, /* bytes of a message received: 1009 past it */
    WEBSOCKET_QUEUE_PAUSE =
        256 << 10, /* bytes unsent: on_pressure(true); a quarter of it: false */
    WEBSOCKET_QUEUE_MAX = 64 << 20, /* closed */
    WEBSOCKET_FAREWELL_MS = 2000,   /* for the peer's part of the closing handshake */
    WEBSOCKET_LAST_WORD_MS = 250,   /* websocket_end: for the last message to be read */
};

/* Status codes of RFC 6455, 7.4.1. */
enum {
    WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_LONG = 1009,
    WEBSOCKET_BUSY = 1013,
};

/* The text is borrowed for the call and valid UTF-8. on_closed is called exactly once, last.
 * But for websocket_go_on, only on_pressure(true) is called from inside a websocket_* call. */
struct websocket_events {
    void (*on_message)(void *ctx, const char *text, size_t len);
    void (*on_pressure)(void *ctx, bool paused);
    void (*on_closed)(void *ctx);
};

/* Answer the handshake and take over the connection; ends the exchange. NULL if the request is
 * not a valid handshake: then it was answered with 400 or 426. Borrows events for the socket's
 * life. */
struct websocket *websocket_accept(struct exchange *x, uv_loop_t *loop,
                                   const struct websocket_events *events, void *ctx);

/* Only from inside on_message: move the message's bytes to *ret, to work on them elsewhere.
 * They still count with request bodies, and no further message and no on_closed comes before
 * websocket_go_on. */
void websocket_keep_message(struct websocket *ws, struct buf *ret);
/* The bytes of messages that are counted now; inside on_message, of that one. */
size_t websocket_held(const struct websocket *ws);
/* The bytes are freed. on_message or on_closed may be called from inside, as the last thing. */
void websocket_go_on(struct websocket *ws);

/* Largest message to receive, in bytes; WEBSOCKET_MESSAGE_MAX at first. */
void websocket_set_message_max(struct websocket *ws, size_t bytes);

/* Close the socket at the second ping from now unless websocket_admit is called before. */
void websocket_await_admission(struct websocket *ws);
void websocket_admit(struct websocket *ws);

/* Queue one text message; copies. Dropped once the socket is closing. */
void websocket_send(struct websocket *ws, const char *text, size_t len);

/* Send what is queued, then close with this status. The reason is shorter than 100 bytes. */
void websocket_close(struct websocket *ws, unsigned status, const char *reason);

/* The same after WEBSOCKET_LAST_WORD_MS: some clients do not read a message that arrives
 * together with the close. The reason is borrowed until on_closed. */
void websocket_end(struct websocket *ws, unsigned status, const char *reason);

/* ---- pure, for the handshake ---- */

enum { WEBSOCKET_ACCEPT_SIZE = 29 };

/* Sec-WebSocket-Accept for a client's key (RFC 6455, 4.2.2). False if the key is not the base64
 * of 16 bytes. */
bool websocket_accept_key(const char *key, char ret_accept[WEBSOCKET_ACCEPT_SIZE])
    __attribute__((warn_unused_result));

#endif
