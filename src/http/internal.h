/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of the server share: server, connection, exchange. Included by
 * nobody outside src/http.
 *
 * A connection serves one request after the other:
 *
 *   IDLE --byte--> HEAD --head--> BODY --complete--> RUNNING --answered--> FLUSHING --sent-->
 * IDLE refused in HEAD or BODY: FLUSHING        the last answer sent: LINGER (FIN sent, reading
 * on) RUNNING --101--> UPGRADED                 any but CLOSED --broken, late, left--> CLOSED
 *
 * In CLOSED the socket is given up; the connection stays until its exchange has been told or
 * has been ended by its handler, then its timer is closed, too, and the memory goes.
 *
 * One timer per connection, for the deadline of its state. It is also how callbacks are put
 * off: in CLOSED for on_gone, in IDLE and UPGRADED for bytes that came while a request ran.
 */
#ifndef DOZE_HTTP_INTERNAL_H
#define DOZE_HTTP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "http/access.h"
#include "http/listener.h"
#include "http/request.h"
#include "http/response.h"
#include "http/server.h"
#include "http/stream.h"

struct conn;

struct http_server {
    uv_loop_t *loop;
    struct http_options options; /* host is a copy */
    const struct http_limits *limits;
    struct listener listener;
    struct access_names names;
    char machine[256];
    struct stream_shared shared;
    struct conn *conns;           /* all of them */
    size_t active;                /* exchanges in their handlers' hands */
    size_t bodies;                /* bytes of request bodies held */
    bool draining;                /* no new connections, none is kept alive */
    bool listener_open;           /* its handles are not closed yet */
    void (*on_closed)(void *ctx); /* set: closing */
    void *closed_ctx;
};

/* The last handle of something is gone: frees the server if it was that of all and closing. */
void server_on_part_closed(struct http_server *server);

/* ---- connection ---- */
enum conn_state {
    CONN_IDLE,
    CONN_HEAD,
    CONN_BODY,
    CONN_RUNNING,
    CONN_FLUSHING,
    CONN_LINGER,
    CONN_UPGRADED,
    CONN_CLOSED,
};
enum { CONN_STATE_COUNT = CONN_CLOSED + 1 };

struct http_stream {
    struct conn *conn;
    const struct http_stream_events *events; /* NULL: not upgraded */
    void *ctx;
};

struct conn {
    struct http_server *server;
    struct conn *prev, *next;
    struct stream stream;
    uv_timer_t timer;
    enum conn_state state;
    int open_handles;
    bool keep_alive;      /* may another request follow this one? */
    bool client_finished; /* FIN seen, an answer is still on its way */
    bool paused;          /* on_pressure(true) was said */
    uint64_t body_begin;  /* loop time in ms */
    uint64_t sent_seen;   /* stream_sent when it last moved, ... */
    uint64_t sent_at;     /* ... and the loop's time then */
    struct buf pending;   /* bytes behind the request that runs */
    struct exchange *x;   /* from the first byte of a request to the answer's end */
    struct http_stream upgraded;
};

void conn_accept(struct http_server *server, int fd);

/* Send bytes of the current answer or the upgraded stream; closes the connection if it is
 * broken or too slow. conn_send_whole is for an answer that is made already: only the total
 * limits it. */
void conn_send(struct conn *c, const uv_buf_t *bufs, unsigned count);
void conn_send_whole(struct conn *c, const uv_buf_t *bufs, unsigned count);

/* The exchange's answer is queued wholly, or its client gone: gives up the exchange. */
void conn_finish_answer(struct conn *c);
/* No more bytes will come from us: send what is queued, FIN, close. */
void conn_finish_stream(struct conn *c);
/* The exchange is over, the bytes are another protocol's from now on; gives up the exchange. */
struct http_stream *conn_upgrade(struct conn *c, const struct http_stream_events *events,
                                 void *ctx);
/* Give up the socket at once; with conn_reset the client cannot take it for a clean end. */
void conn_close(struct conn *c);
void conn_reset(struct conn *c);
/* In CLOSED with an exchange: see that on_gone is called soon. */
void conn_schedule_gone(struct conn *c);

/* ---- exchange ---- */
enum exchange_state {
    EXCHANGE_READING,   /* the request is not complete; the server's */
    EXCHANGE_OPEN,      /* the handler's, no answer begun */
    EXCHANGE_STREAMING, /* the handler's, answer begun */
};

struct exchange {
    struct conn *conn;
    enum exchange_state state;
    struct request request;
    const struct http_route *route;
    const char *param;
    struct buf headers; /* lines added by the handler */
    size_t body_held;   /* bytes counted in server->bodies */
    bool telling;       /* on_gone runs */
    enum response_framing framing;
    void (*on_gone)(void *ctx);
    void *gone_ctx;
    void (*on_pressure)(void *ctx, bool paused);
    void *pressure_ctx;
};

struct exchange *exchange_new(struct conn *c);
void exchange_free(struct exchange *x);

/* The head is complete: decide what the request may do. False: it was answered. */
bool exchange_admit(struct exchange *x);
/* The request is complete: run the handler. */
void exchange_run(struct exchange *x);
/* Answer an error with a status of its own, e.g. 431. */
void exchange_refuse(struct exchange *x, int status, const struct error *err);
void exchange_refuse_late(struct exchange *x); /* 408 */
void exchange_refuse_busy(struct exchange *x); /* 429: too many bytes of bodies are held */
/* Tell the handler that the client is gone, if it asked for that. */
void exchange_tell_gone(struct exchange *x);

#endif
