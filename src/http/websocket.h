/* SPDX-License-Identifier: MIT */
/*
 * websocket.h - RFC 6455 on an upgraded connection: text messages in, text messages out.
 *
 * wslay does the frames: fragments, masks (a client's frame without one ends the connection),
 * UTF-8, control frames, the closing handshake. No extensions and no subprotocols are offered.
 * A peer that neither sends nor takes bytes for three ping intervals (limits.h) is given up.
 * One thread, the loop's.
 *
 * A reader that is too slow fills the queue of its own socket: on_pressure asks to make no more
 * for it; past the queue's maximum it is closed.
 */
#ifndef DOZE_HTTP_WEBSOCKET_H
#define DOZE_HTTP_WEBSOCKET_H

#include "http/server.h"

struct websocket;

enum {
    WEBSOCKET_MESSAGE_MAX = 100 << 20, /* bytes of a message received: 1009 past it */
    WEBSOCKET_QUEUE_PAUSE =
        256 << 10, /* bytes unsent: on_pressure(true); a quarter of it: false */
    WEBSOCKET_QUEUE_MAX = 64 << 20, /* closed */
    WEBSOCKET_FAREWELL_MS = 2000,   /* for the peer's part of the closing handshake */
    WEBSOCKET_LAST_WORD_MS = 250,   /* websocket_end: for the last message to be read */
};

/* Status codes of RFC 6455, 7.4.1. */
enum { WEBSOCKET_UNSUPPORTED = 1003, WEBSOCKET_POLICY = 1008, WEBSOCKET_TOO_LONG = 1009 };

/* The text is borrowed for the call and valid UTF-8. on_closed comes exactly once and last.
 * None of them comes from inside a websocket_* call but on_pressure(true). */
struct websocket_events {
    void (*on_message)(void *ctx, const char *text, size_t len);
    void (*on_pressure)(void *ctx, bool paused);
    void (*on_closed)(void *ctx);
};

/* Answer the handshake and take the connection over; ends the exchange. NULL if the request is
 * no proper handshake: then it was answered with 400 or 426. Borrows events for the socket's
 * life. */
struct websocket *websocket_accept(struct exchange *x, uv_loop_t *loop,
                                   const struct websocket_events *events, void *ctx);

/* Most bytes of a message to come; WEBSOCKET_MESSAGE_MAX at first. */
void websocket_set_message_max(struct websocket *ws, size_t bytes);

/* Queue one text message; copies. Nothing is sent any more once the socket is closing. */
void websocket_send(struct websocket *ws, const char *text, size_t len);

/* Send what is queued, then close with this status. The reason is shorter than 100 bytes. */
void websocket_close(struct websocket *ws, unsigned status, const char *reason);

/* The same a moment later: some clients do not read the message before a close if both come at
 * once. The reason is borrowed until on_closed. */
void websocket_end(struct websocket *ws, unsigned status, const char *reason);

/* ---- pure, for the handshake ---- */

enum { WEBSOCKET_ACCEPT_SIZE = 29 };

/* Sec-WebSocket-Accept for a client's key (RFC 6455, 4.2.2). False if the key is not the base64
 * of 16 bytes. */
bool websocket_accept_key(const char *key, char ret_accept[WEBSOCKET_ACCEPT_SIZE])
    __attribute__((warn_unused_result));

#endif
