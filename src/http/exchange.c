/* SPDX-License-Identifier: MIT */
/* The handler's side of an exchange: reading the request, writing the answer. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/internal.h"
#include "http/route.h"

enum {
    HEAD_MAX = 512 * 1024,    /* of an answer, headers of its handler included */
    OFFERED_MAX = 192 * 1024, /* of headers, if the next one is another's; the rest is for the
                                 server's own */
    ERROR_MAX = 64 * 1024,    /* of an error's body */
    GIVEN_MIN = 256 * 1024,   /* of a body that is not copied */
};

static uv_buf_t bytes_buf(const void *bytes, size_t len) {
    /* The cast is safe: libuv only reads. uv_buf_init would truncate the length to 32 bits. */
    return (uv_buf_t){ .base = (char *)bytes, .len = len };
}

/* ---- the request ---- */

const char *exchange_method(const struct exchange *x) {
    return x->request.method;
}

const char *exchange_path(const struct exchange *x) {
    return x->request.target.path;
}

const char *exchange_param(const struct exchange *x, const char *name) {
    const char *brace = strchr(x->route->path, '{');
    size_t len = strlen(name);
    bool same = brace && strncmp(brace + 1, name, len) == 0 && brace[1 + len] == '}';
    return same ? x->param : NULL;
}

const char *exchange_query(const struct exchange *x, const char *name) {
    return target_query(&x->request.target, name);
}

const char *exchange_header(const struct exchange *x, const char *name) {
    return request_header(&x->request, name);
}

void exchange_peer(const struct exchange *x, char text[HTTP_PEER_SIZE]) {
    conn_peer(x->conn, text);
}

const char *exchange_body(const struct exchange *x, size_t *ret_len) {
    static const char mark[] = "\xef\xbb\xbf"; /* U+FEFF, which some programs put first */
    const struct buf *body = &x->request.body;
    size_t skipped = body->len >= 3 && memcmp(body->data, mark, 3) == 0 ? 3 : 0;
    *ret_len = body->len - skipped;
    return buf_str(body) + skipped;
}

size_t exchange_body_held(const struct exchange *x) {
    return x->body_held;
}

void exchange_drop_body(struct exchange *x) {
    buf_clear(&x->request.body);
    x->conn->server->budget->held -= x->body_held;
    x->body_held = 0;
}

/* ---- the answer ---- */

void exchange_add_header(struct exchange *x, const char *name, const char *value) {
    assert(!strpbrk(name, "\r\n") && !strpbrk(value, "\r\n"));
    bool added = buf_addf(&x->headers, "%s: %s\r\n", name, value);
    assert(added);
}

/* RFC 9110, 5.1 and 5.5 */
static bool is_field(const char *name, const char *value) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (!*name || name[strspn(name, token)] != '\0') return false;
    for (; *value; value++) {
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f) return false;
    }
    return true;
}

bool exchange_offer_header(struct exchange *x, const char *name, const char *value) {
    size_t len = strlen(name) + strlen(value) + 4, used = x->headers.len;
    bool fits = used < OFFERED_MAX && len <= OFFERED_MAX - used;
    return fits && is_field(name, value) && buf_addf(&x->headers, "%s: %s\r\n", name, value);
}

static bool is_head(const struct exchange *x) {
    return x->request.method && strcmp(x->request.method, "HEAD") == 0;
}

/* May another request follow on the connection? Not if this one is not read completely. */
static bool stays(const struct exchange *x) {
    const struct request *r = &x->request;
    bool unread = x->state == EXCHANGE_READING && (r->phase != REQUEST_IN_BODY || r->has_body);
    return x->conn->keep_alive && !x->conn->port->closed && !unread;
}

static void format_head(struct exchange *x, int status, const char *content_type, size_t len,
                        struct buf *out) {
    x->conn->keep_alive = stays(x) && x->framing != RESPONSE_TO_END;
    struct response_head head = {
        .status = status,
        .content_type = content_type,
        .framing = x->framing,
        .length = len,
        .keep_alive = x->conn->keep_alive,
        .http10 = x->request.http10,
        .unix_seconds = clock_unix() / 1000,
        .extra = &x->headers,
    };
    buf_init(out, HEAD_MAX);
    response_format_head(&head, out);
}

void exchange_reply(struct exchange *x, int status, const char *content_type, const void *body,
                    size_t len) {
    assert(x->state != EXCHANGE_STREAMING);
    if (x->telling) return;
    bool none = status == 204 || status == 304;
    assert(!none || len == 0);
    struct conn *c = x->conn;
    struct buf head;
    x->framing = none ? RESPONSE_NO_BODY : RESPONSE_LENGTH;
    format_head(x, status, content_type, len, &head);
    uv_buf_t bufs[] = { bytes_buf(head.data, head.len), bytes_buf(body, len) };
    conn_send_whole(c, bufs, len > 0 && !is_head(x) ? 2 : 1);
    buf_clear(&head);
    if (c->x == x)
        conn_finish_answer(c); /* sending may have closed the connection and freed x */
}

void exchange_reply_taking(struct exchange *x, int status, const char *content_type,
                           struct buf *body) {
    struct conn *c = x->conn;
    struct buf head;
    if (body->len < GIVEN_MIN || is_head(x) || x->telling) {
        exchange_reply(x, status, content_type, buf_str(body), body->len);
        buf_clear(body);
        return;
    }
    assert(x->state != EXCHANGE_STREAMING);
    x->framing = RESPONSE_LENGTH;
    format_head(x, status, content_type, body->len, &head);
    uv_buf_t first = bytes_buf(head.data, head.len);
    conn_give_whole(c, &first, body);
    buf_clear(&head);
    if (c->x == x) conn_finish_answer(c);
}

void exchange_refuse(struct exchange *x, int status, const struct error *err) {
    const struct http_options *options = &x->conn->server->options;
    const char *path = x->request.target.path ? x->request.target.path : "/";
    struct buf body = BUF_INIT(ERROR_MAX);
    if (x->telling) return;
    options->format_error(options->ctx, path, err, &body);
    if (err->retry_after > 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%d", err->retry_after);
        exchange_add_header(x, "Retry-After", seconds);
    }
    if (status == 401) exchange_add_header(x, "WWW-Authenticate", "Bearer");
    if (status == 415) exchange_add_header(x, "Accept-Encoding", "gzip, deflate");
    if (err->code == ERR_METHOD) {
        struct buf allow = BUF_INIT(256);
        (void)route_allowed(options->routes, options->route_count, path, &allow);
        exchange_add_header(x, "Allow", buf_str(&allow));
        buf_clear(&allow);
    }
    exchange_reply(x, status, "application/json", body.data, body.len);
    buf_clear(&body);
}

void exchange_fail(struct exchange *x, const struct error *err) {
    exchange_refuse(x, error_status(err->code), err);
}

void exchange_begin(struct exchange *x, int status, const char *content_type) {
    assert(x->state == EXCHANGE_OPEN);
    if (x->telling) return;
    struct buf head;
    x->framing = x->request.http10 ? RESPONSE_TO_END : RESPONSE_CHUNKED;
    if (is_head(x)) x->conn->keep_alive = false;
    format_head(x, status, content_type, 0, &head);
    x->state = EXCHANGE_STREAMING;
    uv_buf_t buf = bytes_buf(head.data, head.len);
    conn_send(x->conn, &buf, 1);
    buf_clear(&head);
    /* The answer to HEAD is complete; the handler's work ends as if the client had left. */
    if (is_head(x)) conn_finish_stream(x->conn);
}

void exchange_write(struct exchange *x, const void *bytes, size_t len) {
    assert(x->state == EXCHANGE_STREAMING);
    if (len == 0 || is_head(x)) return;
    char size[24];
    int digits = snprintf(size, sizeof size, "%zx\r\n", len);
    uv_buf_t bufs[] = { bytes_buf(size, (size_t)digits), bytes_buf(bytes, len),
                        bytes_buf("\r\n", 2) };
    if (x->framing == RESPONSE_CHUNKED)
        conn_send(x->conn, bufs, 3);
    else
        conn_send(x->conn, &bufs[1], 1);
}

void exchange_end(struct exchange *x) {
    assert(x->state == EXCHANGE_STREAMING);
    if (x->telling) return;
    uv_buf_t last = bytes_buf("0\r\n\r\n", 5);
    bool chunked = x->framing == RESPONSE_CHUNKED && !is_head(x);
    if (chunked) conn_send_whole(x->conn, &last, 1);
    conn_finish_answer(x->conn);
}

void exchange_abort(struct exchange *x) {
    assert(x->state == EXCHANGE_STREAMING);
    if (x->telling) return;
    x->on_gone = NULL; /* its handler knows */
    conn_reset(x->conn);
    conn_finish_answer(x->conn);
}

/* An interim answer before the head; behind it a zero, with which the size of the next chunk
 * may begin. */
bool exchange_probe(struct exchange *x) {
    bool streaming = x->state == EXCHANGE_STREAMING;
    uv_buf_t interim = bytes_buf("HTTP/1.1 100 Continue\r\n\r\n", 25);
    uv_buf_t zero = bytes_buf("0", 1);
    if (x->request.http10 || (streaming && x->framing != RESPONSE_CHUNKED)) return false;
    conn_send(x->conn, streaming ? &zero : &interim, 1);
    return true;
}

void exchange_on_gone(struct exchange *x, void (*fn)(void *ctx), void *ctx) {
    if (x->telling) return;
    x->on_gone = fn;
    x->gone_ctx = ctx;
    conn_schedule_gone(x->conn);
}

bool exchange_is_gone(const struct exchange *x) {
    return x->conn->state == CONN_CLOSED;
}

void exchange_on_pressure(struct exchange *x, void (*fn)(void *ctx, bool paused), void *ctx) {
    x->on_pressure = fn;
    x->pressure_ctx = ctx;
}

/* ---- another protocol ---- */

struct http_stream *exchange_upgrade(struct exchange *x, const char *protocol,
                                     const struct http_stream_events *events, void *ctx) {
    assert(x->state == EXCHANGE_OPEN && !x->telling);
    struct buf head;
    x->framing = RESPONSE_NO_BODY;
    exchange_add_header(x, "Upgrade", protocol);
    exchange_add_header(x, "Connection", "Upgrade");
    format_head(x, 101, NULL, 0, &head);
    uv_buf_t buf = bytes_buf(head.data, head.len);
    conn_send_whole(x->conn, &buf, 1);
    buf_clear(&head);
    return conn_upgrade(x->conn, events, ctx);
}

void http_stream_write(struct http_stream *s, const void *bytes, size_t len) {
    uv_buf_t buf = bytes_buf(bytes, len);
    if (len > 0 && s->conn->state == CONN_UPGRADED) conn_send(s->conn, &buf, 1);
}

void http_stream_pause_reading(struct http_stream *s) {
    s->paused = true;
    if (s->conn->state == CONN_UPGRADED) stream_pause_reading(&s->conn->stream);
}

void http_stream_resume_reading(struct http_stream *s) {
    s->paused = false;
    if (s->conn->state == CONN_UPGRADED && !stream_resume_reading(&s->conn->stream))
        conn_close(s->conn);
}

void http_stream_close(struct http_stream *s) {
    conn_finish_stream(s->conn);
}
