/* SPDX-License-Identifier: MIT */
/* The server of the fixture: runs in the child process. */
#include "child.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "http/server.h"
#include "http/websocket.h"

/* A pattern of origins; in one piece its first characters look like a comment. */
#define EVERY                                                                                  \
    "https:/"                                                                                  \
    "/"                                                                                        \
    "*."

enum { HELD_MAX = 64 };

struct upgraded {
    struct http_stream *stream;
};

struct child {
    uv_loop_t loop;
    uv_pipe_t commands;
    int events;
    bool cors;
    struct http_server *server;
    struct http_port *port; /* the first */
    struct exchange *held[HELD_MAX];
    size_t held_count;
    struct upgraded *upgraded; /* the latest */
    int hoard[4096];
    size_t hoard_count;
};

static struct child child;

static void tell(const char *line) {
    char text[64];
    int len = snprintf(text, sizeof text, "%s\n", line);
    if (write(child.events, text, (size_t)len) != len) abort();
}

static void forget(struct exchange *x) {
    size_t i = 0;
    while (child.held[i] != x) i++;
    child.held_count--;
    memmove(&child.held[i], &child.held[i + 1], (child.held_count - i) * sizeof child.held[0]);
}

static void on_gone(void *ctx) {
    forget(ctx);
    tell("gone");
}

static void on_pressure(void *ctx, bool paused) {
    (void)ctx;
    tell(paused ? "pressure 1" : "pressure 0");
}

static void hold(struct exchange *x) {
    if (child.held_count == HELD_MAX) abort();
    child.held[child.held_count++] = x;
    exchange_on_pressure(x, on_pressure, NULL);
    if (!exchange_query(x, "late")) exchange_on_gone(x, on_gone, x);
    tell("held");
}

static void on_hold(void *ctx, struct exchange *x) {
    (void)ctx;
    hold(x);
}

static void reply_text(struct exchange *x, const char *text) {
    exchange_reply(x, 200, "text/plain", text, strlen(text));
}

static void on_quick(void *ctx, struct exchange *x) {
    (void)ctx;
    reply_text(x, "quick");
}

static void on_open(void *ctx, struct exchange *x) {
    (void)ctx;
    size_t len;
    exchange_body(x, &len);
    reply_text(x, len == 0 ? "open" : "a body was stored");
}

static const char *or_none(const char *text) {
    return text ? text : "(none)";
}

static void on_things(void *ctx, struct exchange *x) {
    (void)ctx;
    struct buf out = BUF_INIT(1 << 20);
    (void)buf_addf(&out, "[%s id=%s q=%s x-test=%s other=%s]", exchange_path(x),
                   or_none(exchange_param(x, "id")), or_none(exchange_query(x, "q")),
                   or_none(exchange_header(x, "X-TEST")), or_none(exchange_param(x, "other")));
    exchange_add_header(x, "X-Made-By", "things");
    exchange_reply(x, 200, "text/plain", out.data, out.len);
    buf_clear(&out);
}

static void on_echo(void *ctx, struct exchange *x) {
    (void)ctx;
    size_t len;
    const char *body = exchange_body(x, &len);
    exchange_reply(x, 200, "text/plain", body, len);
}

static void on_count(void *ctx, struct exchange *x) {
    (void)ctx;
    char text[32];
    size_t len;
    exchange_body(x, &len);
    snprintf(text, sizeof text, "count=%zu", len);
    reply_text(x, text);
}

static void on_big(void *ctx, struct exchange *x) {
    (void)ctx;
    struct buf bytes = BUF_INIT(BIG_SIZE);
    char *room = buf_reserve(&bytes, BIG_SIZE);
    memset(room, 'x', BIG_SIZE);
    bytes.len = BIG_SIZE;
    if (exchange_query(x, "copied"))
        exchange_reply(x, 200, "text/plain", bytes.data, bytes.len);
    else
        exchange_reply_taking(x, 200, "text/plain", &bytes);
    buf_clear(&bytes);
}

/* 1,000 of 1 KB each, and some that are not valid. */
static void on_fields(void *ctx, struct exchange *x) {
    char value[1001] = "", text[32];
    int taken = 0, none = 0;
    (void)ctx;
    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < 1000; i++) taken += exchange_offer_header(x, "X-Long", value);
    none += exchange_offer_header(x, "", "a") + exchange_offer_header(x, "a b", "c") +
            exchange_offer_header(x, "a:", "b") + exchange_offer_header(x, "a", "b\r\nc: d");
    exchange_add_header(x, "X-Own", "still fits");
    snprintf(text, sizeof text, "taken=%d none=%d", taken, none);
    reply_text(x, text);
}

static void on_stream_read(void *ctx, const char *bytes, size_t len) {
    struct upgraded *u = ctx;
    http_stream_write(u->stream, bytes, len);
}

static void on_stream_closed(void *ctx) {
    if (child.upgraded == ctx) child.upgraded = NULL;
    free(ctx);
    tell("closed");
}

static void on_upgrade(void *ctx, struct exchange *x) {
    static const struct http_stream_events events = { .on_read = on_stream_read,
                                                      .on_pressure = on_pressure,
                                                      .on_closed = on_stream_closed };
    (void)ctx;
    exchange_add_header(x, "X-Proof", "yes");
    child.upgraded = xcalloc(1, sizeof *child.upgraded);
    child.upgraded->stream = exchange_upgrade(x, "echo", &events, child.upgraded);
    tell("upgraded");
}

/* Letters that show what is missing or doubled. */
static void send_long(struct websocket *ws, size_t len) {
    char *text = xcalloc(1, len + 1);
    for (size_t i = 0; i < len; i++) text[i] = ws_letter(i);
    websocket_send(ws, text, len);
    free(text);
}

/* A message that is worked on elsewhere for a while, then told by its length. */
struct kept {
    uv_timer_t timer;
    struct websocket *ws;
    struct buf message;
};

static void on_kept_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void on_kept_done(uv_timer_t *timer) {
    struct kept *k = timer->data;
    char text[32];
    int len = snprintf(text, sizeof text, "kept %zu", k->message.len);
    buf_clear(&k->message);
    websocket_send(k->ws, text, (size_t)len);
    uv_close((uv_handle_t *)timer, on_kept_closed);
    tell("ws goes on");
    websocket_go_on(k->ws);
}

static void keep(struct websocket *ws) {
    struct kept *k = xcalloc(1, sizeof *k);
    k->ws = ws;
    k->timer.data = k;
    websocket_keep_message(ws, &k->message);
    (void)uv_timer_init(&child.loop, &k->timer);
    (void)uv_timer_start(&k->timer, on_kept_done, 50, 0);
}

/* An echo that takes 1,000 bytes; "close" and "end" make it leave, "stranger"
 * and "friend" begin and end the wait for admission, "long N" is answered with N
 * bytes, "keep" is worked on for 50 ms. */
static void on_ws_message(void *ctx, const char *text, size_t len) {
    struct websocket *ws = *(struct websocket **)ctx;
    if (strcmp(text, "close") == 0) {
        websocket_close(ws, WEBSOCKET_POLICY, "told to");
    } else if (strcmp(text, "end") == 0) {
        websocket_send(ws, "last word", 9);
        websocket_end(ws, WEBSOCKET_POLICY, "told to");
    } else if (strcmp(text, "stranger") == 0) {
        websocket_await_admission(ws);
    } else if (strcmp(text, "friend") == 0) {
        websocket_admit(ws);
    } else if (strncmp(text, "keep", 4) == 0) {
        keep(ws);
    } else if (strncmp(text, "long ", 5) == 0) {
        send_long(ws, strtoul(text + 5, NULL, 10));
    } else {
        websocket_send(ws, text, len);
    }
}

static void on_ws_pressure(void *ctx, bool paused) {
    (void)ctx;
    tell(paused ? "ws paused" : "ws resumed");
}

static void on_ws_closed(void *ctx) {
    free(ctx);
    tell("ws closed");
}

static void on_ws(void *ctx, struct exchange *x) {
    static const struct websocket_events events = { on_ws_message, on_ws_pressure,
                                                    on_ws_closed };
    (void)ctx;
    struct websocket **ws = xcalloc(1, sizeof *ws);
    *ws = websocket_accept(x, &child.loop, &events, ws);
    if (*ws)
        websocket_set_message_max(*ws, ECHO_MAX);
    else
        free(ws);
}

enum { LOCKED = 7 }; /* the guard wants X-Key */

static const struct http_route routes[] = {
    { "GET", "/quick", 0, HTTP_GUARDED, on_quick },
    { "GET", "/things/{id}", 0, HTTP_GUARDED, on_things },
    { "POST", "/echo", ECHO_MAX, HTTP_GUARDED, on_echo },
    { "POST", "/count", 64 << 20, HTTP_GUARDED, on_count },
    { "GET", "/hold", 0, HTTP_GUARDED, on_hold },
    { "POST", "/hold", 1 << 20, HTTP_GUARDED, on_hold },
    { "POST", "/open", 0, HTTP_GUARDED, on_open },
    { "GET", "/big", 0, HTTP_GUARDED, on_big },
    { "GET", "/fields", 0, HTTP_GUARDED, on_fields },
    { "GET", "/upgrade", 0, HTTP_GUARDED, on_upgrade },
    { "GET", "/ws", 0, HTTP_GUARDED, on_ws },
    { "POST", "/locked", 64 << 20, LOCKED, on_count },
    { "GET", "/locked/open", 0, HTTP_OPEN, on_quick },
};

static void format_error(void *ctx, const char *path, const struct error *err,
                         struct buf *out) {
    (void)ctx;
    (void)buf_addf(out, "{\"path\":\"%s\",\"code\":\"%s\",\"message\":\"%s\"}", path,
                   error_name(err->code), err->text);
}

static bool guard(void *ctx, const struct exchange *x, int access, struct error *err) {
    (void)ctx;
    if (access != LOCKED || exchange_header(x, "X-Key")) return true;
    return error_set(err, ERR_API_KEY, "locked");
}

static bool has_key(void *ctx, const struct exchange *x, bool preflight) {
    (void)ctx;
    return preflight || exchange_header(x, "X-Key");
}

static struct access_rules rules(void *ctx) {
    (void)ctx;
    return (struct access_rules){ child.cors, "friend.example", EVERY "friend.example" };
}

static void write_piece(void (*fn)(const char *piece)) {
    char *piece = xcalloc(1, PIECE_SIZE);
    memset(piece, 'p', PIECE_SIZE);
    fn(piece);
    free(piece);
}

static void piece_to_held(const char *piece) {
    exchange_write(child.held[0], piece, PIECE_SIZE);
}

static void piece_to_upgraded(const char *piece) {
    http_stream_write(child.upgraded->stream, piece, PIECE_SIZE);
}

static void use_up_descriptors(void) {
    int fd;
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        if (child.hoard_count == sizeof child.hoard / sizeof child.hoard[0]) abort();
        child.hoard[child.hoard_count++] = fd;
    }
    tell("full");
}

static void free_descriptors(void) {
    while (child.hoard_count > 0) close(child.hoard[--child.hoard_count]);
}

static void on_server_closed(void *ctx) {
    (void)ctx;
    child.server = NULL;
    uv_close((uv_handle_t *)&child.commands, NULL);
    tell("server closed");
}

static void tell_port(const struct http_port *port) {
    char line[32];
    snprintf(line, sizeof line, "%d", http_port_number(port));
    tell(line);
}

static void listen_too(void) {
    struct error err;
    struct http_port *port = http_server_listen(child.server, "127.0.0.1", 0, &err);
    if (!port) abort();
    tell_port(port);
}

static void move_port(void) {
    struct error err;
    if (!http_port_move(child.port, "0.0.0.0", &err)) abort();
    tell("moved");
}

static void speak_tls(void) {
    struct error err;
    struct tls *tls = tls_new(fixture_tls, NULL, &err);
    if (!tls) abort();
    http_server_set_tls(child.server, tls);
    tell("tls");
}

static void on_no_tls(void *ctx, const char *peer, const char *why) {
    char line[64];
    (void)ctx;
    if (strcmp(peer, "127.0.0.1") != 0) abort();
    snprintf(line, sizeof line, "no tls: %.50s", why);
    tell(line);
}

static void tell_active(void) {
    char line[32];
    snprintf(line, sizeof line, "active %zu", http_server_active(child.server));
    tell(line);
}

/* Commands about the exchange held longest; they are void if its client has left meanwhile. */
static void obey_held(char letter) {
    if (child.held_count == 0) return;
    struct exchange *x = child.held[0];
    if (strchr("rea", letter)) forget(x);
    switch (letter) {
    case 'r':
        reply_text(x, "held");
        break;
    case 'b':
        exchange_begin(x, 200, "text/event-stream");
        break;
    case 's':
        exchange_write(x, "data: tick\n\n", 12);
        break;
    case 'w':
        write_piece(piece_to_held);
        break;
    case 'e':
        exchange_end(x);
        break;
    case 'g':
        exchange_on_gone(x, on_gone, x);
        break;
    default:
        abort();
    }
}

static void obey(char letter) {
    switch (letter) {
    case 'd':
        http_port_close(child.port);
        break;
    case 'l':
        listen_too();
        break;
    case 't':
        speak_tls();
        break;
    case 'v':
        move_port();
        break;
    case 'q':
        http_server_close(child.server, on_server_closed, NULL);
        break;
    case 'n':
        tell_active();
        break;
    case 'f':
        use_up_descriptors();
        break;
    case 'F':
        free_descriptors();
        break;
    case 'c':
        http_stream_close(child.upgraded->stream);
        break;
    case 'W':
        if (child.upgraded) write_piece(piece_to_upgraded);
        break;
    default:
        obey_held(letter);
        break;
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    static char room[256];
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_command(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf) {
    (void)stream;
    if (len < 0) abort(); /* the test died */
    for (ssize_t i = 0; i < len; i++) obey(buf->base[i]);
}

int child_run(const struct http_limits *limits, bool cors, int commands, int events) {
    struct error err;
    struct http_options options = {
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .format_error = format_error,
        .rules = rules,
        .has_key = has_key,
        .guard = guard,
        .on_no_tls = on_no_tls,
        .limits = limits,
    };
    child.events = events;
    child.cors = cors;
    if (uv_loop_init(&child.loop) != 0) return 1;
    child.server = http_server_new(&child.loop, &options);
    child.port = http_server_listen(child.server, "127.0.0.1", 0, &err);
    if (!child.port) return 1;
    (void)uv_pipe_init(&child.loop, &child.commands, 0);
    (void)uv_pipe_open(&child.commands, commands);
    (void)uv_read_start((uv_stream_t *)&child.commands, on_alloc, on_command);
    tell_port(child.port);
    (void)uv_run(&child.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&child.loop) == 0 ? 0 : 1;
}
