/* SPDX-License-Identifier: MIT */
/*
 * server.h - an HTTP/1.1 server on libuv and llhttp, on any number of addresses.
 *
 * Knows connections, limits, deadlines, routes, bodies, streams; knows nothing of models. One
 * thread, the loop's. A request with its whole body becomes an *exchange*: the handler answers
 * it now or later, at once or in pieces. Limits and deadlines are named in limits.h. The
 * process has to ignore SIGPIPE.
 *
 * Life of an exchange: it is the handler's from the call of the handler until exchange_reply,
 * exchange_end, or until its on_gone callback has returned; then it must not be touched.
 * on_gone comes exactly once if the client leaves first (reset, FIN, too slow, server closing),
 * never after the answer's end, and never from inside an exchange_* call.
 */
#ifndef DOZE_HTTP_SERVER_H
#define DOZE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/byte_budget.h"
#include "base/error.h"
#include "http/access.h"
#include "http/limits.h"
#include "http/tls.h"

struct http_server;
struct http_port;
struct exchange;

enum {
    HTTP_GUARDED = 0, /* http_options.guard decides; it may know other numbers above 0 */
    HTTP_OPEN = -1,   /* for everybody */
};

enum { HTTP_PEER_SIZE = 64 };

struct http_route {
    const char *method; /* "GET", ... ; HEAD is answered from GET */
    /* "/v1/models/{id}": a last "{name}" matches the whole rest, slashes too */
    const char *path;
    /* bytes; http_options.body_limit may ask for less; 0: any body is drained and ignored */
    size_t max_body;
    int access; /* HTTP_OPEN, HTTP_GUARDED, or another number for the guard */
    void (*handler)(void *ctx, struct exchange *x);
};

struct http_options {
    const struct http_route *routes;
    size_t route_count;
    void *ctx; /* for handlers and the functions below */
    /* The body of an error answer for this path (dialects differ): JSON appended to out. */
    void (*format_error)(void *ctx, const char *path, const struct error *err, struct buf *out);
    /* Which pages and names are allowed, beside this machine's own. Called for every request;
     * the texts are borrowed for the request's admission. */
    struct access_rules (*rules)(void *ctx);
    /* Does the request carry a key that the server knows? preflight: will the next one have to?
     * NULL: never. */
    bool (*has_key)(void *ctx, const struct exchange *x, bool preflight);
    /* May this request, of which only the head is read, run the handler of a route with this
     * access, which is not HTTP_OPEN? If not, *err says why. NULL: always. */
    bool (*guard)(void *ctx, const struct exchange *x, int access, struct error *err);
    /* The most that any body may have, in bytes. Called for every request with a body. NULL:
     * what its route allows. */
    size_t (*body_limit)(void *ctx);
    /* A request that the rules for browsers allow has come, whether or not there is such a
     * route. NULL: not called. */
    void (*on_request)(void *ctx, const char *method, const char *path);
    /* What the owner of the machine should know; each sentence comes once. NULL: not called. */
    void (*on_warning)(void *ctx, const char *sentence);
    /* http_server_connections has another value. NULL: not called. */
    void (*on_connections)(void *ctx);
    /* A client came by a port with TLS, and there is no session: why, in a few words. Not for
     * one that speaks plain HTTP and was answered that. NULL: not called. */
    void (*on_no_tls)(void *ctx, const char *peer, const char *why);
    void *connections_ctx; /* of these two */
    /* NULL: http_limits_default; borrowed for the server's life */
    const struct http_limits *limits;
    /* Of bodies and messages, and of what else is counted in it; borrowed for the server's
     * life. NULL: one of its own, by http_limits_budget(limits). */
    struct byte_budget *budget;
};

/* Listens nowhere yet. Borrows options->routes for its life, copies the rest. */
struct http_server *http_server_new(uv_loop_t *loop, const struct http_options *options);

/* Answer on this address, too. host: a name or an address of this machine, looked up here,
 * blocking; port 0: any free one. NULL with ERR_IO and a sentence (address in use: says so and
 * what to do). The port is the caller's until http_port_close or http_server_close. */
struct http_port *http_server_listen(struct http_server *server, const char *host, int port,
                                     struct error *err);
/* The same with a TCP socket that listens already. The caller keeps fd: while the port is
 * closed, clients wait in its queue. */
struct http_port *http_server_adopt(struct http_server *server, int fd, struct error *err);
int http_port_number(const struct http_port *port);
/* As it was given, of an adopted port in digits; borrowed until the port is moved or closed. */
const char *http_port_host(const struct http_port *port);

/* Listen on another address of this machine instead, with the same number. Connections stay
 * open. False: it still listens on the old address, or nowhere if another program took it
 * (http_port_is_listening). */
bool http_port_move(struct http_port *port, const char *host, struct error *err)
    __attribute__((warn_unused_result));
bool http_port_is_listening(const struct http_port *port);

/* Speak TLS on the connections that come from now on, with this certificate; NULL: plain again.
 * Takes tls. */
void http_server_set_tls(struct http_server *server, struct tls *tls);
/* But not on this port. */
void http_port_keep_plain(struct http_port *port);

/* Accept no more connections. Idle ones are closed now, others after the current answer;
 * streams and upgraded connections continue. The address is free at once. */
void http_port_close(struct http_port *port);

/* Close everything and free; running exchanges get on_gone. on_closed runs when the last handle
 * is closed and the handlers have ended exchanges without on_gone: at once if there is nothing
 * to wait for. */
void http_server_close(struct http_server *server, void (*on_closed)(void *ctx), void *ctx);

/* Number of running exchanges of all ports. */
size_t http_server_active(const struct http_server *server);
/* Number of connections of all ports. */
size_t http_server_connections(const struct http_server *server);

/* ---- the request; strings live as long as the exchange ---- */
const char *exchange_method(const struct exchange *x);
const char *exchange_path(const struct exchange *x); /* decoded, without query */
/* What "{name}" of the route stands for, decoded; NULL if it has none. */
const char *exchange_param(const struct exchange *x, const char *name);
/* Value of a query field, decoded; NULL if absent. */
const char *exchange_query(const struct exchange *x, const char *name);
/* Case-insensitive name; NULL if absent. */
const char *exchange_header(const struct exchange *x, const char *name);
/* The client's address, without its port; "unknown" if it is gone. */
void exchange_peer(const struct exchange *x, char text[HTTP_PEER_SIZE]);
/* Without a byte order mark. */
const char *exchange_body(const struct exchange *x, size_t *ret_len);
/* Bytes of it that are counted in the server's budget. */
size_t exchange_body_held(const struct exchange *x);
/* Free the body: what was made of it needs it no more. exchange_body is empty afterwards. */
void exchange_drop_body(struct exchange *x);

/* ---- the answer ---- */
/* Add a header before the answer begins. Name and value are copied; CR, LF refused by assert.
 */
void exchange_add_header(struct exchange *x, const char *name, const char *value);
/* The same with a header that another machine chose. False, and nothing added, if it is not
 * valid or there is no room for it. */
bool exchange_offer_header(struct exchange *x, const char *name, const char *value)
    __attribute__((warn_unused_result));
/* Answer whole; copies the body. Ends the exchange. */
void exchange_reply(struct exchange *x, int status, const char *content_type, const void *body,
                    size_t len);
/* The same; takes the body, which goes out by and by if it is large. */
void exchange_reply_taking(struct exchange *x, int status, const char *content_type,
                           struct buf *body);
/* Answer an error by the server's format_error, with Retry-After, Allow or WWW-Authenticate
 * where due. Ends it. */
void exchange_fail(struct exchange *x, const struct error *err);
/* The same with a status for which there is no error code, e.g. 426. */
void exchange_refuse(struct exchange *x, int status, const struct error *err);
/* Begin a streamed answer (chunked; until close for HTTP/1.0). "text/event-stream" and
 * "application/x-ndjson" get the headers that keep proxies from holding events back. */
void exchange_begin(struct exchange *x, int status, const char *content_type);
/* Queue bytes; copies. Never blocks. */
void exchange_write(struct exchange *x, const void *bytes, size_t len);
/* End a streamed answer cleanly. */
void exchange_end(struct exchange *x);
/* End a streamed answer that is not complete: the connection is cut, so that the client does
 * not take it for whole. */
void exchange_abort(struct exchange *x);

/* The client is gone: stop working for it. Without this callback the exchange stays valid until
 * the handler ends it; what is written to it is dropped. */
void exchange_on_gone(struct exchange *x, void (*fn)(void *ctx), void *ctx);
/* Has it left? */
bool exchange_is_gone(const struct exchange *x);
/* paused true: more than 256 KiB are queued, stop making bytes for it; false: less than half of
 * that is left, go on. True comes from inside exchange_write, false never from inside a call. A
 * stream with more than 1 MiB queued is closed. */
void exchange_on_pressure(struct exchange *x, void (*fn)(void *ctx, bool paused), void *ctx);

/* ---- another protocol on the same connection ---- */
struct http_stream;

/* on_closed comes exactly once and last, whether the client, http_stream_close or the server's
 * end closed it; then the stream must not be touched. Only on_pressure(true) comes from inside
 * a call. */
struct http_stream_events {
    void (*on_read)(void *ctx, const char *bytes, size_t len); /* borrowed for the call */
    void (*on_pressure)(void *ctx, bool paused);               /* NULL: not wanted */
    void (*on_closed)(void *ctx);
};

/* Answer 101 with the headers added so far and "Upgrade: protocol"; ends the exchange. The
 * limits of queued bytes stay the same. Borrows events for the stream's life. Never NULL: if
 * the client is already gone, on_closed follows. */
struct http_stream *exchange_upgrade(struct exchange *x, const char *protocol,
                                     const struct http_stream_events *events, void *ctx);
/* Queue bytes; copies. Never blocks. */
void http_stream_write(struct http_stream *s, const void *bytes, size_t len);
/* While reading is paused no more than STREAM_LATE_MAX bytes still come, and nothing is heard
 * of a client that leaves. */
void http_stream_pause_reading(struct http_stream *s);
void http_stream_resume_reading(struct http_stream *s);
/* Send what is queued, then close. */
void http_stream_close(struct http_stream *s);

#endif
