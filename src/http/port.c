/* SPDX-License-Identifier: MIT */
/* port.c - where a server listens, and how it ends. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "http/internal.h"

static void port_on_accept(void *ctx, int fd) {
    conn_accept(ctx, fd);
}

static void port_on_accept_failed(void *ctx, int code) {
    struct http_server *server = ((struct http_port *)ctx)->server;
    char sentence[160];
    if (server->told_failed || !server->options.on_warning) return;
    server->told_failed = true;
    snprintf(sentence, sizeof sentence,
             "A connection could not be accepted (%s); it waits until that is over.",
             strerror(code));
    server->options.on_warning(server->options.ctx, sentence);
}

static void port_on_listener_closed(void *ctx) {
    port_release(ctx);
}

static struct listener_owner owner_of(struct http_port *port) {
    return (struct listener_owner){ .on_accept = port_on_accept,
                                    .on_failed = port_on_accept_failed,
                                    .on_closed = port_on_listener_closed,
                                    .ctx = port,
                                    .pause = port->server->limits->accept_pause };
}

/* listener: NULL if it could not be opened. */
static bool port_take(struct http_port *port, struct listener *listener) {
    port->listener = listener;
    if (!port->listener) return false;
    port->users++;
    port->number = listener_port(port->listener);
    return true;
}

static bool port_listen(struct http_port *port, const char *host, int number,
                        struct error *err) {
    struct listener_owner owner = owner_of(port);
    return port_take(port, listener_open(port->server->loop, host, number, &owner, err));
}

static void port_stop_listening(struct http_port *port) {
    if (port->listener) listener_close(port->listener);
    port->listener = NULL;
}

static void port_add(struct http_port *p, const char *host) {
    struct http_server *server = p->server;
    p->host = xstrdup(host);
    p->users++;
    p->next = server->ports;
    if (p->next) p->next->prev = p;
    server->ports = p;
}

struct http_port *http_server_listen(struct http_server *server, const char *host, int port,
                                     struct error *err) {
    struct http_port *p = xcalloc(1, sizeof *p);
    p->server = server;
    if (!port_listen(p, host, port, err)) {
        free(p);
        return NULL;
    }
    port_add(p, host);
    return p;
}

struct http_port *http_server_adopt(struct http_server *server, int fd, struct error *err) {
    struct http_port *p = xcalloc(1, sizeof *p);
    char host[LISTENER_HOST_SIZE];
    p->server = server;
    struct listener_owner owner = owner_of(p);
    if (!port_take(p, listener_adopt(server->loop, fd, &owner, err))) {
        free(p);
        return NULL;
    }
    listener_host(p->listener, host);
    port_add(p, host);
    return p;
}

int http_port_number(const struct http_port *port) {
    return port->number;
}

const char *http_port_host(const struct http_port *port) {
    return port->host;
}

bool http_port_is_listening(const struct http_port *port) {
    return port->listener != NULL;
}

void http_port_keep_plain(struct http_port *port) {
    port->plain = true;
}

/* The new address may include the old one, which therefore has to be free first. */
bool http_port_move(struct http_port *port, const char *host, struct error *err) {
    struct error again;
    port_stop_listening(port);
    if (!port_listen(port, host, port->number, err)) {
        (void)port_listen(port, port->host, port->number, &again);
        return false;
    }
    char *copy = xstrdup(host); /* host may be the old one */
    free(port->host);
    port->host = copy;
    return true;
}

void http_port_close(struct http_port *port) {
    port_stop_listening(port);
    port->closed = true;
    for (struct conn *c = port->server->conns; c; c = c->next) {
        if (c->port == port && c->state == CONN_IDLE && c->pending.len == 0) conn_close(c);
    }
    port_release(port);
}

void http_server_close(struct http_server *server, void (*on_closed)(void *ctx), void *ctx) {
    assert(on_closed && !server->on_closed);
    struct http_port *next;
    for (struct http_port *port = server->ports; port; port = next) {
        next = port->next;
        if (!port->closed) http_port_close(port);
    }
    for (struct conn *c = server->conns; c; c = c->next) conn_close(c);
    server->on_closed = on_closed;
    server->closed_ctx = ctx;
    server_free_if_closed(server);
}
