/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "http/internal.h"

static void server_free(struct http_server *server) {
    free((char *)server->options.host);
    free(server->shared.read_buffer);
    free(server);
}

void server_on_part_closed(struct http_server *server) {
    if (!server->on_closed || server->conns || server->listener_open) return;
    void (*on_closed)(void *) = server->on_closed;
    void *ctx = server->closed_ctx;
    server_free(server);
    on_closed(ctx);
}

static void on_accept(void *ctx, int fd) {
    conn_accept(ctx, fd);
}

static void on_listener_closed(void *ctx) {
    struct http_server *server = ctx;
    server->listener_open = false;
    server_on_part_closed(server);
}

struct http_server *http_server_new(uv_loop_t *loop, const struct http_options *options,
                                    struct error *err) {
    struct http_server *server = xcalloc(1, sizeof *server);
    server->loop = loop;
    server->options = *options;
    server->options.host = xstrdup(options->host);
    server->limits = options->limits ? options->limits : &http_limits_default;
    server->shared.read_buffer = xcalloc(1, STREAM_READ_SIZE);
    /* Cut or unknown, it is a name that fits nobody. */
    if (gethostname(server->machine, sizeof server->machine - 1) != 0)
        server->machine[0] = '\0';
    server->names = (struct access_names){ .machine = server->machine,
                                           .bound = server->options.host };
    server->listener = (struct listener){ .on_accept = on_accept,
                                          .on_closed = on_listener_closed,
                                          .ctx = server,
                                          .pause = server->limits->accept_pause };
    if (!listener_open(&server->listener, loop, options->host, options->port, err)) {
        server_free(server);
        return NULL;
    }
    server->listener_open = true;
    return server;
}

int http_server_port(const struct http_server *server) {
    return listener_port(&server->listener);
}

size_t http_server_active(const struct http_server *server) {
    return server->active;
}

void http_server_drain(struct http_server *server) {
    if (server->draining) return;
    server->draining = true;
    listener_close(&server->listener);
    for (struct conn *c = server->conns; c; c = c->next) {
        if (c->state == CONN_IDLE && c->pending.len == 0) conn_close(c);
    }
}

void http_server_close(struct http_server *server, void (*on_closed)(void *ctx), void *ctx) {
    assert(on_closed && !server->on_closed);
    http_server_drain(server);
    for (struct conn *c = server->conns; c; c = c->next) conn_close(c);
    server->on_closed = on_closed;
    server->closed_ctx = ctx;
    server_on_part_closed(server);
}
