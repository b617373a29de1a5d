/* SPDX-License-Identifier: MIT */
#include "daemon/listeners.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"

enum {
    PLACE_FIRST,
    PLACE_SDK,
    PLACE_MORE, /* those that were asked for */
    PLACE_COUNT = 6,
    RETIRING_MAX = 16, /* closed, their last bytes on their way */
    RETIRE_MS = 1000,
};

struct listeners {
    uv_loop_t *loop;
    struct http_options options;
    char *host;
    struct http_server *places[PLACE_COUNT];
    struct http_server *retiring[RETIRING_MAX];
    uv_timer_t timer; /* when the retiring ones are closed */
    int open_parts;   /* servers that are not closed yet, and the timer */
    void (*on_closed)(void *ctx);
    void *ctx;
};

static struct http_server *open_on(struct listeners *l, const char *host, int port,
                                   struct error *err) {
    struct http_options options = l->options;
    options.host = host;
    options.port = port;
    struct http_server *server = http_server_new(l->loop, &options, err);
    if (server) l->open_parts++;
    return server;
}

struct listeners *listeners_new(uv_loop_t *loop, const struct http_options *options,
                                struct error *err) {
    struct listeners *l = xcalloc(1, sizeof *l);
    l->loop = loop;
    l->options = *options;
    l->host = xstrdup(options->host);
    l->options.host = l->host;
    l->places[PLACE_FIRST] = open_on(l, l->host, options->port, err);
    if (!l->places[PLACE_FIRST]) {
        free(l->host);
        free(l);
        return NULL;
    }
    l->options.port = http_server_port(l->places[PLACE_FIRST]);
    (void)uv_timer_init(loop, &l->timer);
    l->timer.data = l;
    l->open_parts++;
    return l;
}

static int port_at(const struct listeners *l, int place) {
    return l->places[place] ? http_server_port(l->places[place]) : 0;
}

int listeners_first_port(const struct listeners *l) {
    return l->options.port;
}

int listeners_sdk_port(const struct listeners *l) {
    return port_at(l, PLACE_SDK);
}

/* ---- closing ---- */

static void part_closed(struct listeners *l) {
    if (--l->open_parts > 0) return;
    void (*on_closed)(void *ctx) = l->on_closed;
    void *ctx = l->ctx;
    free(l->host);
    free(l);
    on_closed(ctx);
}

static void on_server_closed(void *ctx) {
    part_closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle) {
    part_closed(handle->data);
}

static void close_retiring(struct listeners *l) {
    for (int i = 0; i < RETIRING_MAX; i++) {
        struct http_server *server = l->retiring[i];
        l->retiring[i] = NULL;
        if (server) http_server_close(server, on_server_closed, l);
    }
}

static void on_timer(uv_timer_t *timer) {
    close_retiring(timer->data);
}

/* The answer to whoever asked for it may still be on its way on one of its connections. */
static void retire(struct listeners *l, int place) {
    struct http_server *server = l->places[place];
    int free_place = 0;
    l->places[place] = NULL;
    while (free_place < RETIRING_MAX && l->retiring[free_place]) free_place++;
    if (free_place == RETIRING_MAX) {
        http_server_close(server, on_server_closed, l);
        return;
    }
    http_server_drain(server);
    l->retiring[free_place] = server;
    (void)uv_timer_start(&l->timer, on_timer, RETIRE_MS, 0);
}

/* ---- opening ---- */

/* Where LM Studio's clients look for it, in their order. */
static const int sdk_ports[] = { 41343, 52993, 16141, 39414, 22931 };

void listeners_want_sdk(struct listeners *l, bool wanted) {
    struct error err;
    if (wanted == (l->places[PLACE_SDK] != NULL)) return;
    if (!wanted) {
        retire(l, PLACE_SDK);
        return;
    }
    for (size_t i = 0; i < sizeof sdk_ports / sizeof sdk_ports[0]; i++) {
        l->places[PLACE_SDK] = open_on(l, "127.0.0.1", sdk_ports[i], &err);
        if (!l->places[PLACE_SDK]) continue;
        log_info("LM Studio's clients find this server on port %d", sdk_ports[i]);
        return;
    }
    log_info("LM Studio's ports are all taken: its clients need this server's address");
}

bool listeners_start(struct listeners *l, int port, const char *host, struct error *err) {
    int place = -1;
    if (port == 0) port = l->options.port;
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (l->places[i] && http_server_port(l->places[i]) == port) return true;
    }
    if (!l->places[PLACE_FIRST] && port == l->options.port) place = PLACE_FIRST;
    for (int i = PLACE_MORE; place < 0 && i < PLACE_COUNT; i++) {
        if (!l->places[i]) place = i;
    }
    if (place < 0) {
        return error_set(err, ERR_QUEUE_FULL,
                         "The server answers on %d ports already; stop it first.", PLACE_COUNT);
    }
    l->places[place] = open_on(l, host ? host : l->host, port, err);
    if (l->places[place]) log_info("listening on port %d, too", port);
    return l->places[place] != NULL;
}

bool listeners_stop(struct listeners *l, struct error *err) {
    if (!l->places[PLACE_SDK]) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "Nothing could reach the server any more; stop it with `doze server "
                         "stop`, or open LM Studio's port with `doze settings sdk_port true`.");
    }
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (i != PLACE_SDK && l->places[i]) retire(l, i);
    }
    log_info("the HTTP server is stopped; LM Studio's clients can start it again");
    return true;
}

/* ---- the end ---- */

void listeners_drain(struct listeners *l) {
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (l->places[i]) http_server_drain(l->places[i]);
    }
}

size_t listeners_active(const struct listeners *l) {
    size_t active = 0;
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (l->places[i]) active += http_server_active(l->places[i]);
    }
    for (int i = 0; i < RETIRING_MAX; i++) {
        if (l->retiring[i]) active += http_server_active(l->retiring[i]);
    }
    return active;
}

void listeners_close(struct listeners *l, void (*on_closed)(void *ctx), void *ctx) {
    l->on_closed = on_closed;
    l->ctx = ctx;
    close_retiring(l);
    for (int i = 0; i < PLACE_COUNT; i++) {
        struct http_server *server = l->places[i];
        l->places[i] = NULL;
        if (server) http_server_close(server, on_server_closed, l);
    }
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}
