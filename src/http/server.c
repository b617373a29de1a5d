/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "http/internal.h"

struct http_server *http_server_new(uv_loop_t *loop, const struct http_options *options) {
    struct http_server *server = xcalloc(1, sizeof *server);
    server->loop = loop;
    server->options = *options;
    server->limits = options->limits ? options->limits : &http_limits_default;
    server->own_budget = http_limits_budget(server->limits);
    server->budget = options->budget ? options->budget : &server->own_budget;
    server->shared.read_buffer = xcalloc(1, STREAM_READ_SIZE);
    /* If it is unknown or too long, no Host matches it. */
    if (gethostname(server->machine, sizeof server->machine - 1) != 0)
        server->machine[0] = '\0';
    return server;
}

void http_server_set_tls(struct http_server *server, struct tls *tls) {
    tls_free(server->tls);
    server->tls = tls;
}

size_t http_server_active(const struct http_server *server) {
    return server->active;
}

size_t http_server_connections(const struct http_server *server) {
    return server->conn_count;
}

void server_count_connection(struct http_server *server, int change) {
    if (change > 0)
        server->conn_count++;
    else
        server->conn_count--;
    if (server->options.on_connections)
        server->options.on_connections(server->options.connections_ctx);
}

void server_free_if_closed(struct http_server *server) {
    if (!server->on_closed || server->ports) return;
    void (*on_closed)(void *) = server->on_closed;
    void *ctx = server->closed_ctx;
    free(server->shared.read_buffer);
    tls_free(server->tls);
    free(server);
    on_closed(ctx);
}

void port_release(struct http_port *port) {
    struct http_server *server = port->server;
    if (--port->users > 0) return;
    if (port->prev) port->prev->next = port->next;
    if (port->next) port->next->prev = port->prev;
    if (server->ports == port) server->ports = port->next;
    free(port->host);
    free(port);
    server_free_if_closed(server);
}
