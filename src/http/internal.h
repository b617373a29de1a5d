/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of the server share. For src/http only.
 *
 * From top to bottom, each of them calling only those below it:
 *   port.c       listens, accepts, closes
 *   conn_read.c  bytes in and deadlines: a request is read and its handler run
 *   admit.c      what a request may do
 *   exchange.c   the handler's side: reading the request, writing the answer
 *   conn.c       the state of a connection, bytes out
 *   server.c     what all connections share
 *
 * A connection serves one request after the other:
 *
 *   IDLE --byte--> HEAD --head--> BODY --complete--> RUNNING --answered--> FLUSHING
 *   FLUSHING --sent--> IDLE
 *   HEAD, BODY --refused--> FLUSHING        RUNNING --101--> UPGRADED --ended--> FLUSHING
 *   FLUSHING --last answer sent--> LINGER   (FIN is sent, reading continues)
 *   any --broken, late, left--> CLOSED
 *
 * A handshake of TLS passes in IDLE, with a deadline of its own.
 *
 * In CLOSED the socket is closed. The connection exists until its exchange's on_gone has run or
 * its handler has ended the exchange; then its timer is closed and its memory freed.
 *
 * One timer per connection, for the deadline of its state. It also defers callbacks: in CLOSED
 * on_gone, in IDLE and UPGRADED the bytes that came while a request ran.
 */
#ifndef DOZE_HTTP_INTERNAL_H
#define DOZE_HTTP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/byte_budget.h"
#include "http/listener.h"
#include "http/request.h"
#include "http/response.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/tls.h"

/* ---- server.c ---- */
struct http_server {
    uv_loop_t *loop;
    struct http_options options;
    const struct http_limits *limits;
    char machine[256]; /* gethostname() */
    struct stream_shared shared;
    struct tls *tls; /* of new connections; NULL: they are plain */
    struct http_port *ports;
    struct conn *conns; /* of all ports */
    size_t conn_count;
    bool told_full, told_failed; /* the warnings */
    size_t active;               /* exchanges that handlers own */
    struct byte_budget *budget;  /* of request bodies and messages */
    struct byte_budget own_budget;
    void (*on_closed)(void *ctx); /* set: closing */
    void *closed_ctx;
};

struct http_port {
    struct http_server *server;
    struct http_port *prev, *next;
    struct listener *listener; /* NULL: not listening */
    char *host;
    int number;
    bool plain;   /* no TLS here */
    bool closed;  /* takes no connections, and no further requests on existing ones */
    size_t users; /* listeners whose handles are open, connections, and 1 until it is closed */
};

/* A connection came (1) or is gone (-1). */
void server_count_connection(struct http_server *server, int change);

/* If it was closed by http_server_close and nothing of it is left. */
void server_free_if_closed(struct http_server *server);
/* Frees the port if that was its last user, then server_free_if_closed. */
void port_release(struct http_port *port);

/* ---- conn.c ---- */
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
    bool paused; /* http_stream_pause_reading */
};

struct conn {
    struct http_server *server;
    struct http_port *port; /* that it came by */
    struct conn *prev, *next;
    struct stream stream;
    uv_timer_t timer;
    uv_timer_cb on_deadline;
    enum conn_state state;
    int open_handles;
    bool keep_alive;        /* may another request follow this one? */
    bool client_finished;   /* FIN seen, an answer is made or still on its way */
    int checks;             /* of whether it has left, since then */
    bool paused;            /* on_pressure(true) was called */
    uint64_t body_deadline; /* loop time in ms */
    uint64_t body_earned;   /* ms, by what was received so far */
    uint64_t sent_seen;     /* stream_sent when it last moved, ... */
    uint64_t sent_at;       /* ... and the loop's time then */
    struct buf pending;     /* bytes behind the request that runs */
    struct exchange *x;     /* from the first byte of a request to the answer's end */
    struct http_stream upgraded;
};

/* A connection in IDLE, one of the port's users; the caller opens its stream. */
struct conn *conn_new(struct http_port *port, uv_timer_cb on_deadline);
/* The stream's handle or the timer is closed. */
void conn_on_handle_gone(struct conn *c);

/* The only place that assigns c->state; the deadline of the state begins here. */
void conn_enter(struct conn *c, enum conn_state state);
/* Call on_deadline in ms instead. */
void conn_arm(struct conn *c, uint64_t ms);
uint64_t conn_now(const struct conn *c);
/* exchange_peer */
void conn_peer(const struct conn *c, char text[HTTP_PEER_SIZE]);
/* Start checking whether the client takes the queued bytes. */
void conn_watch_stall(struct conn *c);

/* Create the exchange for the request that begins. */
void conn_begin_exchange(struct conn *c);
void conn_release_exchange(struct conn *c);

/* Send bytes of the current answer or the upgraded stream; closes the connection if it is
 * broken or too slow. conn_send_whole is for an answer that already exists in full: only the
 * limit for all connections applies. */
void conn_send(struct conn *c, const uv_buf_t *bufs, unsigned count);
void conn_send_whole(struct conn *c, const uv_buf_t *bufs, unsigned count);
/* The same with a head and a body, which it takes and sends by and by; nothing may follow. */
void conn_give_whole(struct conn *c, const uv_buf_t *head, struct buf *body);
/* The client took bytes that were queued. */
void conn_on_progress(struct conn *c);

/* The answer is queued completely, or the client is gone: frees the exchange. */
void conn_finish_answer(struct conn *c);
/* There will be no more bytes: send what is queued, FIN, close. */
void conn_finish_stream(struct conn *c);
/* From now on the bytes belong to another protocol; frees the exchange. */
struct http_stream *conn_upgrade(struct conn *c, const struct http_stream_events *events,
                                 void *ctx);
/* Close the socket at once; after conn_reset the client cannot take it for a clean end. */
void conn_close(struct conn *c);
void conn_reset(struct conn *c);
/* In CLOSED with an exchange: schedule on_gone. */
void conn_schedule_gone(struct conn *c);

/* ---- exchange.c ---- */
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
    size_t body_held;   /* bytes counted in server->budget */
    bool telling;       /* on_gone runs */
    enum response_framing framing;
    void (*on_gone)(void *ctx);
    void *gone_ctx;
    void (*on_pressure)(void *ctx, bool paused);
    void *pressure_ctx;
};

/* Send bytes that change nothing. False: there are none, as the request is of HTTP/1.0. May
 * close the connection. */
bool exchange_probe(struct exchange *x);

/* ---- admit.c ---- */
/* The head is complete: decide what the request may do. False: it was answered. */
bool exchange_admit(struct exchange *x);
void exchange_refuse_late(struct exchange *x); /* 408 */
void exchange_refuse_busy(struct exchange *x); /* 429: too many bytes of bodies are held */
/* Is there room for a body of len bytes if all have `more` bytes more? Others that come too
 * slowly are given up for it. */
bool exchange_find_room(const struct exchange *x, size_t len, size_t more);

/* ---- conn_read.c ---- */
/* Takes fd. */
void conn_accept(struct http_port *port, int fd);

#endif
