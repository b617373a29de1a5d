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
    char *hosts[PLACE_COUNT]; /* what each is bound to; NULL: never opened */
    /* The port's server before it was opened to more machines; its connections go on. */
    struct http_server *former[PLACE_COUNT];
    char *named_host; /* with named_port: what clients are told */
    int named_port;
    struct http_server *retiring[RETIRING_MAX];
    uv_timer_t timer; /* when the retiring ones are closed */
    int open_parts;   /* servers that are not closed yet, and the timer */
    void (*on_closed)(void *ctx);
    void *ctx;
};

static bool open_on(struct listeners *l, int place, const char *host, int port,
                    struct error *err) {
    struct http_options options = l->options;
    options.host = host;
    options.port = port;
    l->places[place] = http_server_new(l->loop, &options, err);
    if (!l->places[place]) return false;
    l->open_parts++;
    char *copy = xstrdup(host); /* host may be the old one */
    free(l->hosts[place]);
    l->hosts[place] = copy;
    return true;
}

static void set_named(struct listeners *l, int place) {
    free(l->named_host);
    l->named_host = xstrdup(l->hosts[place]);
    l->named_port = http_server_port(l->places[place]);
}

static void listeners_free(struct listeners *l) {
    for (int i = 0; i < PLACE_COUNT; i++) free(l->hosts[i]);
    free(l->named_host);
    free(l->host);
    free(l);
}

struct listeners *listeners_new(uv_loop_t *loop, const struct http_options *options,
                                struct error *err) {
    struct listeners *l = xcalloc(1, sizeof *l);
    l->loop = loop;
    l->options = *options;
    l->host = xstrdup(options->host);
    l->options.host = l->host;
    if (!open_on(l, PLACE_FIRST, l->host, options->port, err)) {
        listeners_free(l);
        return NULL;
    }
    l->options.port = http_server_port(l->places[PLACE_FIRST]);
    set_named(l, PLACE_FIRST);
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

int listeners_named_port(const struct listeners *l, const char **ret_host) {
    *ret_host = l->named_host;
    return l->named_port;
}

/* ---- closing ---- */

static void part_closed(struct listeners *l) {
    if (--l->open_parts > 0) return;
    void (*on_closed)(void *ctx) = l->on_closed;
    void *ctx = l->ctx;
    listeners_free(l);
    on_closed(ctx);
}

static void on_server_closed(void *ctx) {
    part_closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle) {
    part_closed(handle->data);
}

static void close_now(struct listeners *l, struct http_server **place) {
    struct http_server *server = *place;
    *place = NULL;
    if (server) http_server_close(server, on_server_closed, l);
}

static void close_retiring(struct listeners *l) {
    for (int i = 0; i < RETIRING_MAX; i++) close_now(l, &l->retiring[i]);
}

static void on_timer(uv_timer_t *timer) {
    close_retiring(timer->data);
}

/* The answer to whoever asked for it may still be on its way on one of its connections. */
static void close_soon(struct listeners *l, struct http_server *server) {
    int free_place = 0;
    if (!server) return;
    while (free_place < RETIRING_MAX && l->retiring[free_place]) free_place++;
    if (free_place == RETIRING_MAX) {
        http_server_close(server, on_server_closed, l);
        return;
    }
    http_server_drain(server);
    l->retiring[free_place] = server;
    (void)uv_timer_start(&l->timer, on_timer, RETIRE_MS, 0);
}

static void retire(struct listeners *l, int place) {
    close_soon(l, l->places[place]);
    close_soon(l, l->former[place]);
    l->places[place] = NULL;
    l->former[place] = NULL;
}

/* Make way for another server on its port: whoever is connected stays so. */
static void step_back(struct listeners *l, int place) {
    close_soon(l, l->former[place]);
    l->former[place] = l->places[place];
    l->places[place] = NULL;
    http_server_drain(l->former[place]);
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
        if (!open_on(l, PLACE_SDK, "127.0.0.1", sdk_ports[i], &err)) continue;
        log_info("LM Studio's clients find this server on port %d", sdk_ports[i]);
        return;
    }
    log_info("LM Studio's ports are all taken: its clients need this server's address");
}

static bool is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

/* Where the port is open, or may be opened; -1: no room. */
static int place_for(const struct listeners *l, int port) {
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (port_at(l, i) == port) return i;
    }
    if (port == l->options.port) return PLACE_FIRST;
    for (int i = PLACE_MORE; i < PLACE_COUNT; i++) {
        if (!l->places[i]) return i;
    }
    return -1;
}

/* Whoever knows the first port finds the server there again, unless another program has it. */
static void reopen_first(struct listeners *l) {
    struct error err;
    if (l->places[PLACE_FIRST]) return;
    if (!open_on(l, PLACE_FIRST, l->host, l->options.port, &err)) log_warn("%s", err.text);
}

/* The same port for more machines. If that fails it stays as it was. */
static bool widen(struct listeners *l, int place, const char *host, int port,
                  struct error *err) {
    struct error again;
    step_back(l, place);
    if (open_on(l, place, host, port, err)) return true;
    if (!open_on(l, place, l->hosts[place], port, &again)) log_warn("%s", again.text);
    return false;
}

bool listeners_start(struct listeners *l, int port, const char *host, struct error *err) {
    if (port == 0) port = l->options.port;
    if (!host) host = l->host;
    int place = place_for(l, port);
    if (place < 0) {
        return error_set(err, ERR_QUEUE_FULL,
                         "The server answers on %d ports already; stop it first.", PLACE_COUNT);
    }
    bool open = l->places[place] != NULL;
    bool wider = open && place != PLACE_SDK && is_loopback(l->hosts[place]) &&
                 !is_loopback(host);
    if (wider && !widen(l, place, host, port, err)) return false;
    if (!open && !open_on(l, place, host, port, err)) return false;
    if (wider || !open) log_info("listening on %s port %d, too", host, port);
    reopen_first(l);
    set_named(l, place);
    return true;
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
        if (l->former[i]) active += http_server_active(l->former[i]);
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
        close_now(l, &l->places[i]);
        close_now(l, &l->former[i]);
    }
    uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}
